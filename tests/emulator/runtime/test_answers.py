"""Tests of the answer that the platform makes of a handler's return value."""

import json
import math
from typing import Any

import pytest

from emulator.runtime import answers


def answer(returned: object) -> answers.Answer:
    made = answers.answer_of(answers.text_of(returned))
    assert made is not None
    return made


BODIES = [
    # The one form that is safe everywhere, and unusual ones like it.
    pytest.param({"statusCode": 201, "body": "é☕"}, 201, "é☕".encode(), id="record"),
    pytest.param({"statusCode": 200}, 200, b"", id="record without body"),
    pytest.param({"statusCode": 204, "body": "x"}, 204, b"", id="status without body"),
    pytest.param({"statusCode": None, "body": "x"}, 200, b"x", id="status null"),
    pytest.param({"body": "x"}, 200, b"x", id="body alone"),
    pytest.param({"body": None}, 200, b"null", id="body null"),
    pytest.param({"statusCode": 200, "body": {"b": [1, None], "a": 2}}, 200, b'{"a":2,"b":[1,null]}', id="dict body"),
    pytest.param({"statusCode": 200, "body": ["é", 1.5]}, 200, b'["\\u00e9",1.5]', id="list body"),
    pytest.param({"statusCode": 200, "body": 5}, 200, b"5", id="number body"),
    pytest.param({"statusCode": 200, "body": '"quoted" text'}, 200, b'"quoted" text', id="quote in a record's body"),
    pytest.param({"statusCode": 200, "body": "\ud800!"}, 200, "\ufffd!".encode(), id="lone surrogate"),
    # Values that are not a record.
    pytest.param({"b": 1, "a": 2}, 200, b'{"a":2,"b":1}\n', id="dict without status or body"),
    pytest.param({"headers": {}, "a": 2}, 200, b'{"a":2,"headers":{}}\n', id="dict with headers alone"),
    pytest.param({}, 200, b"{}\n", id="empty dict"),
    pytest.param([1, "a"], 200, b'[1,"a"]\n', id="list"),
    pytest.param((1, 2), 200, b"[1,2]\n", id="tuple"),
    pytest.param(5, 200, b"5\n", id="number"),
    pytest.param(None, 200, b"null\n", id="None"),
    # Text, which may be a record as JSON.
    pytest.param("plain text", 200, b"plain text", id="str"),
    pytest.param("", 200, b"", id="empty str"),
    pytest.param(json.dumps({"statusCode": 418, "body": "tea"}), 418, b"tea", id="record as JSON text"),
    pytest.param(json.dumps({"body": "tea"}), 200, b"tea", id="body alone as JSON text"),
    pytest.param('{ "a": 1 }', 200, b'{ "a": 1 }', id="other JSON text"),
    pytest.param('{"statusCode": 200', 200, b'{"statusCode": 200', id="JSON text cut"),
    pytest.param('"lost" text', 200, b"", id="str that starts with a quote"),
    pytest.param('"a JSON string"', 200, b"a JSON string", id="JSON string"),
    # Objects with a wrong type in them are not records.
    pytest.param({"statusCode": 200, "body": math.nan}, 200, b'{"body":NaN,"statusCode":200}\n', id="NaN"),
    pytest.param({"statusCode": 200, "body": -math.inf}, 200, b'{"body":-Infinity,"statusCode":200}\n', id="infinity"),
    pytest.param({"statusCode": "200", "body": ""}, 200, b'{"body":"","statusCode":"200"}\n', id="status as str"),
    pytest.param({"statusCode": 200.0, "body": ""}, 200, b'{"body":"","statusCode":200.0}\n', id="status as float"),
    pytest.param({"statusCode": True, "body": ""}, 200, b'{"body":"","statusCode":true}\n', id="status as bool"),
    pytest.param({"headers": [], "body": ""}, 200, b'{"body":"","headers":[]}\n', id="headers as empty list"),
    pytest.param({"headers": ["a"], "body": ""}, 200, b'{"body":"","headers":["a"]}\n', id="headers as list"),
    pytest.param({"headers": {"A": 1}, "body": ""}, 200, b'{"body":"","headers":{"A":1}}\n', id="header as number"),
    pytest.param(
        {"headers": {"A": ["1", "2"]}, "body": ""}, 200, b'{"body":"","headers":{"A":["1","2"]}}\n', id="header as list"
    ),
    # Binary answers.
    pytest.param({"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}, 200, b"\x00\xff", id="base64"),
    pytest.param({"body": "AP8=\r\n", "isBase64Encoded": True}, 200, b"\x00\xff", id="base64 with line end"),
    pytest.param({"statusCode": 200, "body": "AP8=", "isBase64Encoded": False}, 200, b"AP8=", id="not base64"),
    pytest.param({"statusCode": 200, "body": "ImE=", "isBase64Encoded": True}, 200, b"", id="base64 of a quote"),
    pytest.param(
        {"statusCode": 200, "body": "A P8=", "isBase64Encoded": True},
        500,
        b"illegal base64 data at input byte 1\n",
        id="malformed base64",
    ),
    pytest.param(
        {"statusCode": 200, "body": {}, "isBase64Encoded": True},
        500,
        b"json: cannot unmarshal object into Go value of type string\n",
        id="base64 of a dict",
    ),
    *[
        pytest.param(
            {"statusCode": 200, "isBase64Encoded": True, "body": value},
            500,
            f"json: cannot unmarshal {kind} into Go value of type string\n".encode(),
            id=f"base64 of {kind}",
        )
        for value, kind in ((1, "number"), ([], "array"), (True, "bool"))
    ],
    pytest.param(
        {"statusCode": 200, "isBase64Encoded": True}, 500, b"unexpected end of JSON input\n", id="base64 of nothing"
    ),
    pytest.param({"statusCode": 200, "isBase64Encoded": True, "body": None}, 200, b"", id="base64 of null"),
    # Keys are read without regard to case, and the last of several wins.
    pytest.param({"STATUSCODE": 201, "BODY": "x"}, 201, b"x", id="capitals"),
    pytest.param({"statuscode": 201, "Body": "x"}, 201, b"x", id="other cases"),
    pytest.param('{"body": "a", "BODY": "b", "statusCode": 201}', 201, b"b", id="the last one wins"),
    pytest.param({"body": "AP8=", "isbase64encoded": True}, 200, b"\x00\xff", id="flag in small letters"),
    pytest.param('{"statuscode": "201", "body": "x"}', 200, b'{"statuscode": "201", "body": "x"}', id="wrong type"),
    pytest.param('{"body": { "b": 1,  "a": "\\u00e9" }}', 200, b'{ "b": 1,  "a": "\\u00e9" }', id="body as written"),
    pytest.param(
        '{"statusCode": 99999999999999999999}', 200, b'{"statusCode": 99999999999999999999}', id="huge status"
    ),
    pytest.param('\t{"body" :\n"x" , "a": [1, {"b": "}"}] }', 200, b"x", id="spaces"),
    # An informational status is followed by the final one.
    pytest.param({"statusCode": 100, "body": "x"}, 200, b"x", id="status 100"),
    pytest.param({"statusCode": 103, "body": "x"}, 200, b"x", id="status 103"),
]


@pytest.mark.parametrize("status", [-1, 0, 99, 101, 1000, 2**40])
def test_an_impossible_status_closes_the_connection(status: int) -> None:
    """There is no answer for a status that is not one, unless the body is wrong before."""
    assert answers.answer_of(answers.text_of({"statusCode": status, "body": "x"})) is None
    assert answer({"statusCode": status, "body": 5, "isBase64Encoded": True}).status == 500


@pytest.mark.parametrize(
    ("length", "sent", "is_broken"),
    [("3", b"abc", False), ("4", b"abc", True), ("2", b"", True), ("0", b"", True), ("x", b"abc", False)],
)
def test_a_handlers_length_is_not_mended(length: str, sent: bytes, *, is_broken: bool) -> None:
    """A wrong Content-Length is sent as it is: a shorter body as far as there is one, of a longer one nothing."""
    made = answer({"statusCode": 200, "headers": {"content-length": length}, "body": "abc"})
    assert (made.body, made.is_broken) == (sent, is_broken)
    assert made.headers.get("Content-Length") == (None if length == "x" else length)
    assert ("Content-Type" in made.headers) == bool(sent)


def test_an_error_keeps_the_handlers_headers() -> None:
    """A body that is no base64 is reported beside the headers that the handler set."""
    made = answer({"headers": {"X-Own": "1", "Content-Type": "audio/mpeg"}, "body": "!", "isBase64Encoded": True})
    assert (made.status, made.headers["X-Own"]) == (500, "1")
    assert made.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(("returned", "status", "body"), BODIES)
def test_each_form_has_its_status_and_body(returned: object, status: int, body: bytes) -> None:
    """Every return value, however unusual, has the platform's status and body."""
    made = answer(returned)
    assert (made.status, made.body) == (status, body)


@pytest.mark.parametrize("returned", [b"bytes", {"body": b"x"}, {1, 2}, object(), {1: "a", "b": 2}])
def test_a_value_that_is_not_json_is_refused(returned: object) -> None:
    """Bytes and other values that JSON cannot represent raise an error."""
    with pytest.raises(TypeError):
        answers.text_of(returned)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({}, {}, id="none"),
        pytest.param(None, {}, id="null"),
        pytest.param({"x-foo": "1"}, {"X-Foo": "1"}, id="canonical"),
        pytest.param({"x-foo": ["1"]}, {"X-Foo": "1"}, id="list of one"),
        pytest.param({"X-Foo": None}, {"X-Foo": ""}, id="null value"),
        pytest.param({"X-Foo": "a\r\nb"}, {"X-Foo": "a  b"}, id="line ends"),
        pytest.param({"X-Foo": "é"}, {"X-Foo": "\xc3\xa9"}, id="utf-8"),
        pytest.param({"not a name": "1"}, {}, id="no name"),
        pytest.param({"Transfer-Encoding": "chunked", "Connection": "close"}, {}, id="framing"),
        pytest.param({"content-type": "text/vtt"}, {"Content-Type": "text/vtt"}, id="content type"),
        pytest.param(
            {"access-control-allow-origin": "https://a"}, {"Access-Control-Allow-Origin": "https://a"}, id="CORS"
        ),
    ],
)
def test_headers_are_sent_beside_those_of_the_platform(headers: dict[str, Any], expected: dict[str, str]) -> None:
    """The handler's headers are sent with canonical names, and override those that the platform adds."""
    platforms = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Headers": "Content-Type",
        "Content-Type": "text/plain; charset=utf-8",
    }
    assert answer({"statusCode": 200, "headers": headers, "body": "x"}).headers == platforms | expected


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("text", "text/plain; charset=utf-8"),
        ("", None),
        ('{"a": 1}', "text/plain; charset=utf-8"),
        ("\n<!doctype html><p>", "text/html; charset=utf-8"),
        ("<abbr>", "text/plain; charset=utf-8"),
        ("a\0b", "application/octet-stream"),
    ],
)
def test_a_missing_content_type_is_detected_in_the_body(body: str, content_type: str | None) -> None:
    """Text, HTML and other bytes are distinguished as by Go's server; an empty body has no type."""
    assert answer({"statusCode": 200, "body": body}).headers.get("Content-Type") == content_type


def test_an_error_is_plain_text_that_ends_with_a_line_feed() -> None:
    """The platform's own errors have the form of Go's `http.Error`, and allow every origin, as all answers do."""
    made = answers.error_answer(413, "too large")
    assert (made.status, made.body) == (413, b"too large\n")
    assert made.headers == {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Headers": "Content-Type",
        "Content-Type": "text/plain; charset=utf-8",
        "X-Content-Type-Options": "nosniff",
    }
