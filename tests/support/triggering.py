"""The handler as triggers ask it: events from files, objects in a storage, and an API that counts its calls."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.handling import HEARD, WHISPER
from support.loopback import Peer
from support.object_storage import BUCKET
from support.recordings import recording

EVENTS = Path(__file__).parents[1] / "events"
SECRET = "whsec_" + "c2VjcmV0" * 4  # invented
TALK = "incoming/a talk (café).mp3"
RESULT = f"transcripts/{TALK}.json"


@dataclass
class Api:
    """The API of a test: one model, and the status of each next call."""

    statuses: list[str] = field(default_factory=list)
    jobs: int = 0

    def __call__(self, peer: Peer) -> None:
        if peer.path == "/models":
            peer.answer(json.dumps({"data": [{"id": WHISPER}]}).encode())
            return
        self.jobs += 1
        if not self.statuses:
            peer.answer(json.dumps({"text": HEARD}).encode())
        else:
            gone = b'{"error": {"message": "The model does not exist."}}'
            peer.answer(gone, status=self.statuses.pop(0), Retry_After="60")


def event(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


def post(body: object) -> dict[str, object]:
    return {"httpMethod": "POST", "body": json.dumps(body)}


def upload(s3: Any, key: str = TALK, body: bytes | None = None) -> str:
    etag = s3.put_object(Bucket=BUCKET, Key=key, Body=recording("jfk.mp3") if body is None else body)["ETag"]
    return str(etag).strip('"')


def stored(s3: Any, key: str) -> Any:
    return s3.get_object(Bucket=BUCKET, Key=key)


def counts(answer: dict[str, Any]) -> dict[str, int]:
    assert answer["statusCode"] == 200, answer["body"]
    return {name: count for name, count in json.loads(answer["body"]).items() if count}
