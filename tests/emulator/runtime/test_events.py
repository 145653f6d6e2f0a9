"""Tests of the event that the platform makes of a request."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.runtime import events


def event(
    *, method: str = "POST", target: str = "/", headers: tuple[tuple[str, str], ...] = (), body: bytes = b""
) -> dict[str, Any]:
    return events.event_of(events.ReceivedRequest(method, target, headers, body))


def test_the_shape_is_the_documented_one() -> None:
    """The event of a request with text has exactly the platform's keys and empty values, in its order."""
    expected = {
        "resource": "",
        "path": "/a",
        "httpMethod": "PUT",
        "headers": {"X-A": "1"},
        "multiValueHeaders": None,
        "queryStringParameters": {"b": "2"},
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": {},
        "requestContext": {
            "accountId": "",
            "resourceId": "",
            "stage": "",
            "requestId": "",
            "resourcePath": "",
            "authorizer": None,
            "httpMethod": "PUT",
            "apiId": "",
        },
        "body": "a body",
    }
    made = event(method="PUT", target="/a?b=2", headers=(("X-A", "1"),), body=b"a body")
    assert json.dumps(made) == json.dumps(expected)


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        pytest.param(b"", "", id="empty"),
        pytest.param("naïve ☕".encode(), "naïve ☕", id="utf-8"),
        pytest.param(b"\xff\xfb\x90d", "\ufffd\ufffd\ufffdd", id="mp3"),
        pytest.param(b"a=%20+b%2B&c=%ff", "a=%20+b%2B&c=%ff", id="a form of text, as it is"),
        pytest.param(
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xc3\xa9\r\n--x--\r\n',
            '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\né\r\n--x--\r\n',
            id="a multipart form of text, with its line ends",
        ),
        pytest.param(
            b"--x\r\n\r\n\xff\r\n--x--", "--x\r\n\r\n\ufffd\r\n--x--", id="a multipart form with binary in it"
        ),
        pytest.param(b"\x1f\x8b\x08", "\x1f\ufffd\x08", id="gzip"),
        pytest.param("café".encode("latin-1"), "caf\ufffd", id="latin-1"),
        pytest.param("né".encode("utf-16"), "\ufffd\ufffdn\0\ufffd\0", id="utf-16"),
        pytest.param(b"\xe2\x82x", "\ufffd\ufffdx", id="cut sequence: one for each byte"),
        pytest.param(b"\xed\xa0\x80", "\ufffd\ufffd\ufffd", id="surrogate"),
        pytest.param(b"\xc0\x80", "\ufffd\ufffd", id="overlong"),
        pytest.param(b"\xf4\x90\x80\x80", "\ufffd" * 4, id="beyond Unicode"),
        pytest.param("\ufffd".encode(), "\ufffd", id="replacement character in the original"),
    ],
)
def test_each_invalid_byte_becomes_one_replacement_character(sent: bytes, seen: str) -> None:
    """The body is read as UTF-8, with one U+FFFD for each byte that is not part of a character."""
    assert event(body=sent)["body"] == seen


@given(st.binary())
def test_any_body_becomes_text_that_json_can_hold(body: bytes) -> None:
    """Any body makes an event that can be written as UTF-8 JSON, with no more characters than bytes."""
    text = event(body=body)["body"]
    assert len(text.encode()) >= len(text)
    assert len(text) <= len(body)


BASE64 = [
    pytest.param("", True, id="empty"),
    pytest.param("aGVsbG8=", True, id="padded once"),
    pytest.param("aGVsbA==", True, id="padded twice"),
    pytest.param("aGVs", True, id="not padded, not needed"),
    pytest.param("aGVs\nbG8=\n", True, id="LF"),
    pytest.param("aGVs\r\nbG8=\r\n", True, id="CRLF"),
    pytest.param("aG\nVsbA=\n=", True, id="LF within a quantum"),
    pytest.param("aGVsbB==", True, id="bits left over"),
    *[pytest.param(word, True, id=word) for word in ("true", "1234", "null", "ping")],
    pytest.param("aGVsbG8", False, id="padding missing"),
    pytest.param("aGVsbA=", False, id="half of the padding missing"),
    pytest.param("a===", False, id="too much padding"),
    pytest.param("====", False, id="padding alone"),
    pytest.param("aG=s", False, id="padding within"),
    pytest.param("aGVsbG8=aGVs", False, id="two in a row"),
    pytest.param("a-_s", False, id="base64url"),
    pytest.param("aGVs bG8=", False, id="space"),
    pytest.param("aGVs\tbG8=", False, id="tab"),
    pytest.param("data:audio/mpeg;base64,aGVs", False, id="data URL"),
    pytest.param('{"a": 1}', False, id="JSON"),
    pytest.param("été!", False, id="not ASCII"),
]


@pytest.mark.parametrize(("text", "flagged"), BASE64)
def test_the_flag_means_only_that_the_body_decodes(text: str, *, flagged: bool) -> None:
    """The body is flagged if Go decodes it as standard base64, else the key is absent; the body is unchanged."""
    made = event(body=text.encode())
    assert made["body"] == text
    assert made.get("isBase64Encoded", "absent") == (True if flagged else "absent")


@given(st.binary())
def test_base64_of_anything_is_flagged(data: bytes) -> None:
    """Both of Python's encodings, with and without line breaks, are flagged, with any content."""
    assert event(body=base64.b64encode(data))["isBase64Encoded"]
    assert event(body=base64.encodebytes(data))["isBase64Encoded"]


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        pytest.param([("X-FOO-BAR", "a")], {"X-Foo-Bar": "a"}, id="canonical"),
        pytest.param([("X-A", "1"), ("x-a", "2")], {"X-A": "2"}, id="last value wins"),
        pytest.param([("Host", "h"), ("Transfer-Encoding", "chunked"), ("Trailer", "x")], {}, id="not passed on"),
        pytest.param([("X-A", "caf\xc3\xa9")], {"X-A": "café"}, id="utf-8"),
        pytest.param([("X-A", "caf\xe9")], {"X-A": "caf\ufffd"}, id="latin-1"),
        pytest.param([("X_A", "1"), ("X-A", "2")], {"X-A": "2", "X_a": "1"}, id="underscore"),
    ],
)
def test_headers_are_canonical_and_single(sent: list[tuple[str, str]], seen: dict[str, str]) -> None:
    """Header names have one spelling, the last value wins, and the connection's headers are removed."""
    assert event(headers=tuple(sent))["headers"] == seen


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/", "/"),
        ("//a//b/", "//a//b/"),
        ("/a%20b%2Fc+d", "/a b/c+d"),
        ("/caf%C3%A9", "/café"),
        ("/%FF", "/\ufffd"),
        ("/../a/./b", "/../a/./b"),
        ("/a#b?c", "/a#b"),
        ("http://host/a//b?c", "/a//b"),
        ("/to?url=http://host/a", "/to"),
        ("*", "*"),
    ],
)
def test_paths_are_decoded_only(target: str, path: str) -> None:
    """The path is percent-decoded; slashes, dots and plus signs stay."""
    assert event(target=target)["path"] == path


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("", {}),
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("a=1&a=2", {"a": "2"}),
        ("a", {"a": ""}),
        ("=1", {"": "1"}),
        ("a=b=c", {"a": "b=c"}),
        ("a+b=c+d%2B", {"a b": "c d+"}),
        ("a=%zz&b=2", {"b": "2"}),
        ("a=%2&b=2", {"b": "2"}),
        ("a;b=1&c=2", {"c": "2"}),
        ("&&a=1&", {"a": "1"}),
        ("a=%C3%A9&b=%E9", {"a": "é", "b": "\ufffd"}),
        ("a=?#", {"a": "?#"}),
    ],
)
def test_query_parameters_are_those_that_go_parses(query: str, parameters: dict[str, str]) -> None:
    """The last value wins; a pair with a semicolon or a malformed escape is dropped, and the others stay."""
    assert event(target=f"/?{query}")["queryStringParameters"] == parameters
