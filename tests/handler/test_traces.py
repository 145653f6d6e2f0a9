"""The trace of a request (W3C Trace Context): in the log and in each call of the API."""

import json

import pytest
from support.handling import HEARD, VOXTRAL, FakeApi, Handle, audio, post
from support.loopback import Loopback
from support.recordings import recording

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def headers_of(request: bytes) -> dict[str, str]:
    lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


@pytest.mark.parametrize("model", [None, VOXTRAL])
def test_a_trace_goes_on(
    handle: Handle, api_server: Loopback, capfd: pytest.CaptureFixture[str], model: str | None
) -> None:
    """The caller's traceparent stands in each line of the log, and in each call with audio, of both APIs."""
    event = post(audio(recording("jfk.mp3")) | ({} if model is None else {"model": model}))
    event["headers"] = {"traceparent": TRACE}
    assert HEARD in handle(event, {})["body"]
    calls = [request for request in api_server.requests if request.startswith(b"POST")]
    assert [headers_of(call)["traceparent"] for call in calls] == [TRACE] * len(calls)
    assert calls
    assert all(json.loads(line)["traceparent"] == TRACE for line in capfd.readouterr().err.splitlines())


def test_a_malformed_trace_goes_nowhere(
    handle: Handle, api_server: Loopback, api: FakeApi, capfd: pytest.CaptureFixture[str]
) -> None:
    """What is no traceparent is neither logged nor sent."""
    event = post(audio(recording("jfk.mp3")))
    event["headers"] = {"traceparent": "00-nothing"}
    handle(event, {})
    assert api.calls
    assert not any("traceparent" in headers_of(request) for request in api_server.requests)
    assert "traceparent" not in capfd.readouterr().err
