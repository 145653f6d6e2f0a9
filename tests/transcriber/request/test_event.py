"""Events: read into a call, whatever their shape."""

import json
from pathlib import Path

import pytest

from transcriber.request.event import read_event

EVENTS = Path(__file__).parents[2] / "events"


def test_http_event_of_the_platform() -> None:
    """The platform's event becomes method, path, headers, query, body and request id."""
    call = read_event(json.loads((EVENTS / "http-json.json").read_text()))
    assert (call.method, call.path) == ("POST", "/")
    assert call.headers["content-type"] == "application/json"
    assert call.query == {"response_format": "text"}
    assert json.loads(call.body) == {"url": "https://example.com/talk.mp3"}
    assert call.request_id == "0a1b2c3d-0000-4000-8000-000000000001"


def test_base64_flag_changes_nothing() -> None:
    """The body is taken as it stands, whether or not the platform calls it base64."""
    event = json.loads((EVENTS / "http-base64.json").read_text())
    assert event["isBase64Encoded"] is True
    without = {name: value for name, value in event.items() if name != "isBase64Encoded"}
    assert read_event(event) == read_event(without)
    assert read_event(event).body == event["body"]


@pytest.mark.parametrize(
    "event", [None, [], "text", {}, {"headers": None, "body": None}, {"headers": {"A": 1}, "body": 7}]
)
def test_event_of_any_shape_is_read(event: object) -> None:
    """What is missing or of another type is read as empty, and a request id is made."""
    call = read_event(event)
    assert (call.method, call.body, call.headers) == ("POST", "", {})
    assert len(call.request_id) == 36


@pytest.mark.parametrize("request_id", ["", "two\r\nlines", "x" * 200, "späti"])
def test_unfit_request_id_is_replaced(request_id: str) -> None:
    """A request id that could not stand in a header or a log line is replaced by one of ours."""
    assert read_event({"headers": {"X-Request-Id": request_id}}).request_id != request_id


TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (TRACE, TRACE),
        (f" {TRACE} ", TRACE),
        (f"01{TRACE[2:]}-more", f"01{TRACE[2:]}"),  # of a later version
        (f"{TRACE}-more", None),
        (f"ff{TRACE[2:]}", None),
        (TRACE.upper(), None),
        (TRACE.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32), None),
        (TRACE.replace("00f067aa0ba902b7", "0" * 16), None),
        (f"01{TRACE[2:]}\r\nX-Other: 1", None),
        ("", None),
    ],
)
def test_traceparent(value: str, read: str | None) -> None:
    """A trace in W3C's form is taken over, and one that is malformed counts as none."""
    assert read_event({"headers": {"Traceparent": value}}).traceparent == read
