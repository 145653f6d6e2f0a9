"""The handler as triggers ask it: events from files, objects in a storage, and an API that counts its calls."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openai
from support.handling import HEARD, WHISPER
from support.loopback import Loopback, Peer, body_of
from support.object_storage import BUCKET, client
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


def drain(server: str, queue_url: str) -> list[dict[str, Any]]:
    """The queue's messages, as its trigger posts them."""
    sqs = client("sqs", server)
    events: list[dict[str, Any]] = []
    while messages := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
        events += [{"httpMethod": "POST", "body": message["Body"]} for message in messages]
    return events


def verified(receiver: Loopback) -> tuple[Any, str]:
    """The last callback's body and id, by the openai client's own check of its signature."""
    head, _, body = receiver.requests[-1].partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    openai.OpenAI(api_key="none").webhooks.verify_signature(body.decode(), headers, secret=SECRET)
    assert body == body_of(receiver.requests[-1])
    return json.loads(body), {name.lower(): value for name, value in headers.items()}["webhook-id"]
