"""Calls that fail and are made again, in the log of their request."""

import json

import pytest
from support.handling import HEARD, FakeApi, Handle, audio, post
from support.loopback import Peer
from support.recordings import hum


def test_retries_are_counted(handle: Handle, api: FakeApi, capfd: pytest.CaptureFixture[str]) -> None:
    """A call that fails once counts as a retry, and what was paid is that of the call that succeeded."""
    statuses = ["500 X"]

    def answer(peer: Peer) -> None:
        body = {"text": HEARD} if not statuses else {"error": {"message": "out of order"}}
        peer.answer(json.dumps(body).encode(), status=statuses.pop() if statuses else "200 OK")

    api.conversation = answer
    assert handle(post(audio(hum(1))), {})["statusCode"] == 200
    line = json.loads(capfd.readouterr().err.splitlines()[-1])
    assert (line["retries"], line["paid_seconds"]) == (1, 1.0)
    assert "refusals" not in line
