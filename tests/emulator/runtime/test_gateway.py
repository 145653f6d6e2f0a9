"""Tests of the request that a handler gets and the answer that a client gets, through a running function.

The rules themselves are tested beside their modules; here each row of the platform's two tables goes over the wire.
"""

import base64
import gzip
import http.client
import json
import socket
import uuid
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest

from emulator.function_server import FunctionServer
from emulator.processes import LOOPBACK

TIMEOUT_SECONDS = 60
PAYLOAD_LIMIT_BYTES = 6_291_456
TOO_LARGE = b"Request payload too large, max payload size = 6291456 bytes\n"

# Answers with its event and context, or with the value of the Python expression in the query's `answer`.
HANDLER = """
import json

def handle(event, context):
    expression = event["queryStringParameters"].get("answer")
    if expression is not None:
        return eval(expression)
    return {"statusCode": 200, "body": json.dumps({"event": event, "context": context})}
"""


@pytest.fixture(scope="module")
def function(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FunctionServer]:
    folder = tmp_path_factory.mktemp("functions") / "echo"
    folder.mkdir()
    (folder / "handler.py").write_text(HANDLER)
    with FunctionServer(folder, memory_limit_mb=512) as server:
        yield server


def exchange(
    function: FunctionServer, data: bytes, *, then_gone: bool = False
) -> tuple[http.client.HTTPResponse, bytes]:
    """Send `data` unchanged, and close after it if `then_gone`; return the answer and its body."""
    with socket.create_connection((LOOPBACK, function.port), TIMEOUT_SECONDS) as connection:
        connection.sendall(data)
        if then_gone:
            connection.shutdown(socket.SHUT_WR)
        method = data.split(b" ", 1)[0].decode()
        with http.client.HTTPResponse(connection, method=method) as response:
            response.begin()
            return response, response.read()


def seen(function: FunctionServer, data: bytes, *, then_gone: bool = False) -> dict[str, Any]:
    """The event that the handler gets when a client sends `data`."""
    response, body = exchange(function, data, then_gone=then_gone)
    assert response.status == HTTPStatus.OK, body
    event: dict[str, Any] = json.loads(body)["event"]
    return event


def post(body: bytes, *, target: str = "/", headers: str = "") -> bytes:
    return f"POST {target} HTTP/1.1\r\nHost: a\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


AUDIO = bytes(range(256)) * 4
MULTIPART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n\r\n\xff\xfb\r\n--b--\r\n'

BODIES = [
    pytest.param(b"", "", True, id="empty"),
    pytest.param(b'{"url": "https://a"}', '{"url": "https://a"}', None, id="JSON"),
    pytest.param("naïve".encode(), "naïve", None, id="text"),
    pytest.param(base64.b64encode(AUDIO), base64.b64encode(AUDIO).decode(), True, id="base64 audio"),
    pytest.param(base64.encodebytes(AUDIO), base64.encodebytes(AUDIO).decode(), True, id="base64 audio with LF"),
    pytest.param(b"aGVs\r\nbG8=\r\n", "aGVs\r\nbG8=\r\n", True, id="base64 with CRLF"),
    *[pytest.param(word.encode(), word, True, id=word) for word in ("true", "1234", "null", "ping")],
    pytest.param(b"-_-_", "-_-_", None, id="base64url"),
    pytest.param(b"aGVsbG8", "aGVsbG8", None, id="no padding"),
    pytest.param(b"aGVs bG8=", "aGVs bG8=", None, id="space in base64"),
    pytest.param(b"data:audio/mpeg;base64,aGVs", "data:audio/mpeg;base64,aGVs", None, id="data URL"),
    pytest.param(b"ID3\x04\xff\xfb\x90\x00", "ID3\x04\ufffd\ufffd\ufffd\0", None, id="raw bytes"),
    pytest.param(MULTIPART, MULTIPART.decode("latin-1").replace("\xff\xfb", "\ufffd\ufffd"), None, id="multipart"),
    pytest.param(gzip.compress(b"", mtime=0)[:4], "\x1f\ufffd\x08\0", None, id="gzip"),
    pytest.param("café".encode("latin-1"), "caf\ufffd", None, id="latin-1"),
    pytest.param("é".encode("utf-16"), "\ufffd\ufffd\ufffd\0", None, id="utf-16"),
]


@pytest.mark.parametrize("content_type", ["", "Content-Type: audio/mpeg\r\n", "Content-Type: application/json\r\n"])
@pytest.mark.parametrize(("sent", "body", "flag"), BODIES)
def test_the_handler_sees_each_body_as_on_the_platform(
    function: FunctionServer, sent: bytes, body: str, *, flag: bool | None, content_type: str
) -> None:
    """Each body reaches the handler with or without the flag, as on the platform, for any content type."""
    event = seen(function, post(sent, headers=content_type))
    assert event["body"] == body
    assert event.get("isBase64Encoded") is flag
    assert ("isBase64Encoded" in event) == (flag is True)


@pytest.mark.parametrize(
    "request_start",
    [
        pytest.param(b"Content-Length: 1000\r\n\r\nthe first part", id="length announced"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n4\r\nthe \r\na\r\nfirst part\r\n", id="between two chunks"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n4\r\nthe \r\nff\r\nfirst part", id="within a chunk"),
    ],
)
def test_a_client_gone_mid_upload_leaves_the_part_that_arrived(function: FunctionServer, request_start: bytes) -> None:
    """If the client disconnects during an upload, the handler runs with the part of the body that arrived."""
    event = seen(function, b"POST / HTTP/1.1\r\nHost: a\r\n" + request_start, then_gone=True)
    assert event["body"] == "the first part"


def test_the_context_has_the_memory_and_the_name(function: FunctionServer) -> None:
    """The handler's second argument has the platform's three keys."""
    _response, body = exchange(function, post(b""))
    assert json.loads(body)["context"] == {"memoryLimitInMb": 512, "functionName": "echo", "functionVersion": ""}


def test_headers_are_canonical_and_single(function: FunctionServer) -> None:
    """Names are canonical, the last of several values wins, underscores are kept apart, and `Host` is absent."""
    headers = (
        "x-FOO-bar: 1\r\nX-Foo-Bar: 2, 3\r\nX_Foo_Bar: 4\r\nAccept: a\r\nAccept: b\r\nX-Long: " + "x" * 50_000 + "\r\n"
    )
    event = seen(function, post(b"", headers=headers))
    assert event["headers"]["X-Foo-Bar"] == "2, 3"
    assert event["headers"]["X_foo_bar"] == "4"
    assert event["headers"]["Accept"] == "b"
    assert len(event["headers"]["X-Long"]) == 50_000
    assert "Host" not in event["headers"]


def test_the_platform_adds_its_headers(function: FunctionServer) -> None:
    """The ingress adds the client's address and protocol, and a new id for each request."""
    first, second = (seen(function, post(b""))["headers"] for _ in range(2))
    assert first["X-Forwarded-For"] == first["X-Envoy-External-Address"] == LOOPBACK
    assert first["X-Forwarded-Proto"] == "http"
    assert first["K-Proxy-Request"] == "activator"
    assert uuid.UUID(first["X-Request-Id"]) != uuid.UUID(second["X-Request-Id"])


def test_a_clients_own_request_id_is_passed_on(function: FunctionServer) -> None:
    """A request id that the client sent reaches the handler."""
    assert seen(function, post(b"", headers="x-request-id: mine\r\n"))["headers"]["X-Request-Id"] == "mine"


@pytest.mark.parametrize(
    "method", ["GET", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "BREW", "get", "X"]
)
def test_any_method_reaches_the_handler(function: FunctionServer, method: str) -> None:
    """Every method reaches the handler, even an unusual one."""
    event = seen(function, f"{method} / HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    assert event["httpMethod"] == event["requestContext"]["httpMethod"] == method


def test_head_has_the_headers_of_get_without_its_body(function: FunctionServer) -> None:
    """A HEAD request runs the handler; its answer has the length of the body, and no body."""
    response, body = exchange(function, b"HEAD /?answer='four' HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (response.status, response.headers["Content-Length"], body) == (HTTPStatus.OK, "4", b"")


@pytest.mark.parametrize(
    ("target", "path", "parameters"),
    [
        ("//a//b/", "//a//b/", {}),
        ("/static/x", "/static/x", {}),
        ("/favicon.ico", "/favicon.ico", {}),
        ("/caf%C3%A9%20%2F", "/café /", {}),
        ("/?a=1&a=2&b=%zz&c;d=1&e=x+y", "/", {"a": "2", "e": "x y"}),
        ("/?q=" + "x" * 20_000, "/", {"q": "x" * 20_000}),
    ],
)
def test_any_path_and_query_reach_the_handler(
    function: FunctionServer, target: str, path: str, parameters: dict[str, str]
) -> None:
    """Paths are decoded, and neither redirected nor normalised; query parameters are parsed as on the platform."""
    event = seen(function, post(b"", target=target))
    assert (event["path"], event["queryStringParameters"]) == (path, parameters)


def test_a_body_of_the_limit_reaches_the_handler(function: FunctionServer) -> None:
    """A body of exactly 6 MiB is accepted."""
    _response, body = exchange(function, post(b"=" * PAYLOAD_LIMIT_BYTES, target="/?answer=str(len(event['body']))"))
    assert int(body) == PAYLOAD_LIMIT_BYTES


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(
            f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {PAYLOAD_LIMIT_BYTES + 1}\r\n\r\n".encode(),
            id="announced, nothing sent",
        ),
        pytest.param(
            f"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{PAYLOAD_LIMIT_BYTES + 1:x}\r\n".encode()
            + b"x" * (PAYLOAD_LIMIT_BYTES + 1)
            + b"\r\n0\r\n\r\n",
            id="in chunks",
        ),
    ],
)
def test_a_larger_body_is_refused(function: FunctionServer, data: bytes) -> None:
    """One byte more is a 413 with the platform's text, and the handler, which would answer 200, does not run."""
    response, body = exchange(function, data)
    assert (response.status, body) == (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)


ANSWERS = [
    ('{"statusCode": 201, "headers": {"Content-Type": "text/vtt"}, "body": "é"}', 201, "text/vtt", "é"),
    ('{"body": "x"}', 200, "text/plain; charset=utf-8", "x"),
    ('{"b": 1, "a": 2}', 200, "text/plain; charset=utf-8", '{"a":2,"b":1}\n'),
    ('json.dumps({"statusCode": 418, "body": "tea"})', 418, "text/plain; charset=utf-8", "tea"),
    ('"text"', 200, "text/plain; charset=utf-8", "text"),
    ("'\"text'", 200, None, ""),
    ('{"statusCode": 200, "body": {"b": 1, "a": [2]}}', 200, "text/plain; charset=utf-8", '{"a":[2],"b":1}'),
    ('{"statusCode": 200, "body": [1, 2]}', 200, "text/plain; charset=utf-8", "[1,2]"),
    (
        '{"statusCode": 200, "body": float("nan")}',
        200,
        "text/plain; charset=utf-8",
        '{"body":NaN,"statusCode":200}\n',
    ),
    (
        '{"statusCode": 200, "headers": {"X-A": 1}, "body": ""}',
        200,
        "text/plain; charset=utf-8",
        '{"body":"","headers":{"X-A":1},"statusCode":200}\n',
    ),
    ('{"statusCode": 200, "headers": {"Content-Type": ["text/vtt"]}, "body": "x"}', 200, "text/vtt", "x"),
    ('{"statusCode": 200, "body": "AGE=", "isBase64Encoded": True}', 200, "application/octet-stream", "\0a"),
    ('{"statusCode": 200, "body": "ImE=", "isBase64Encoded": True}', 200, None, ""),
    ("None", 200, "text/plain; charset=utf-8", "null\n"),
    ('{"statusCode": 204}', 204, None, ""),
]


@pytest.mark.parametrize(("expression", "status", "content_type", "text"), ANSWERS, ids=[row[0] for row in ANSWERS])
def test_the_client_sees_each_answer_as_on_the_platform(
    function: FunctionServer, expression: str, status: int, content_type: str | None, text: str
) -> None:
    """Each answer has the platform's status, content type and body, and the headers that the platform adds."""
    response, body = exchange(function, answering(expression))
    assert (response.status, response.headers["Content-Type"], body.decode()) == (status, content_type, text)
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Access-Control-Allow-Headers"] == "Content-Type"


def answering(expression: str) -> bytes:
    target = "/?answer=" + "".join(f"%{byte:02x}" for byte in expression.encode())
    return post(b"", target=target)


@pytest.mark.parametrize("expression", ["b'bytes'", "{1, 2}", "{'body': b'bytes'}", "__import__('sys').exit(3)"])
def test_an_invalid_answer_is_an_error(function: FunctionServer, expression: str) -> None:
    """A value that is not JSON, an exception and an exit are a 500 in plain text that starts as on the platform."""
    response, body = exchange(function, answering(expression))
    assert (response.status, response.headers.get_content_type()) == (500, "text/plain")
    assert body.startswith(b"An error occured during handler execution: ")


def test_the_message_of_an_exception_goes_to_the_client(function: FunctionServer) -> None:
    """The answer is the platform's prefix and the exception's text, without its type or a traceback."""
    _response, body = exchange(function, answering("int('secret')"))
    message = "invalid literal for int() with base 10: 'secret'"
    assert body.decode() == f"An error occured during handler execution: {message}\n"


def test_the_handler_may_override_the_platforms_headers(function: FunctionServer) -> None:
    """The handler's own origin header replaces the platform's, in any spelling."""
    expression = '{"statusCode": 200, "headers": {"access-control-allow-origin": "https://a"}, "body": ""}'
    response, _body = exchange(function, answering(expression))
    assert response.headers.get_all("Access-Control-Allow-Origin") == ["https://a"]


def test_a_large_answer_passes(function: FunctionServer) -> None:
    """An answer of 50 MB arrives whole."""
    _response, body = exchange(function, answering('{"statusCode": 200, "body": "x" * 50_000_000}'))
    assert body == b"x" * 50_000_000


def raw(function: FunctionServer, data: bytes) -> bytes:
    """All that the server sends until it closes the connection."""
    with socket.create_connection((LOOPBACK, function.port), TIMEOUT_SECONDS) as connection:
        connection.sendall(data)
        received = b""
        while block := connection.recv(65536):
            received += block
        return received


@pytest.mark.parametrize(
    ("data", "status", "body"),
    [
        pytest.param(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", 426, b"", id="HTTP/1.0"),
        pytest.param(b"GET / HTTP/1.0\r\n\r\n", 426, b"", id="HTTP/1.0 without Host"),
        pytest.param(
            b"GET / HTTP/1.1\r\n\r\n", 400, b"400 Bad Request: missing required Host header", id="without Host"
        ),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, b"400 Bad Request", id="two Hosts"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, b"400 Bad Request: malformed Host header", id="malformed Host"
        ),
        *[
            pytest.param(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode(), 400, b"400 Bad Request", id=target)
            for target in ("/%zz", "/a%", "/a%2", "/%zz?a=%41", "no-path", "http://a/%zz")
        ],
        pytest.param(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 200, b"", id="OPTIONS *"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            b"400 Bad Request",
            id="length and chunks",
        ),
        pytest.param(b"no request\r\n\r\n", 400, b"400 Bad Request", id="no request"),
    ],
)
def test_what_the_platform_answers_by_itself(function: FunctionServer, data: bytes, status: int, body: bytes) -> None:
    """Such a request gets its answer without the handler, which would answer with its event; then it is over."""
    head, _, received = raw(function, data).partition(b"\r\n\r\n")
    assert (int(head.split()[1]), received) == (status, body)
    assert b"gunicorn" not in head
    assert b"Access-Control" not in head
    assert b"\r\nConnection: close" in head


def test_what_reaches_the_handler_all_the_same(function: FunctionServer) -> None:
    """An empty Host and a bad escape in the query are no errors."""
    assert seen(function, b"GET /?a=%zz HTTP/1.1\r\nHost:\r\n\r\n")["queryStringParameters"] == {}


@pytest.mark.parametrize("headers", ["X-Forwarded-For: 192.0.2.1\r\n", "x-forwarded-for: 192.0.2.1\r\n"])
def test_a_clients_forwarded_for_is_passed_on(function: FunctionServer, headers: str) -> None:
    """The ingress adds the client's address to those that the client sent."""
    event = seen(function, post(b"", headers=headers))
    assert event["headers"]["X-Forwarded-For"] == f"192.0.2.1,{LOOPBACK}"


@pytest.mark.parametrize("status", [0, 99, 1000])
def test_an_impossible_status_closes_the_connection(function: FunctionServer, status: int) -> None:
    """There is no answer at all, and the next request is served."""
    assert raw(function, answering(f'{{"statusCode": {status}, "body": "x"}}')) == b""
    assert exchange(function, answering("'next'"))[1] == b"next"


@pytest.mark.parametrize(("length", "body"), [("5", b"abc"), ("2", b"")])
def test_a_wrong_length_breaks_the_answer(function: FunctionServer, length: str, body: bytes) -> None:
    """The handler's length is sent, the body is not as long, and the connection is closed."""
    expression = f'{{"statusCode": 200, "headers": {{"content-length": "{length}"}}, "body": "abc"}}'
    head, _, received = raw(function, answering(expression)).partition(b"\r\n\r\n")
    assert f"Content-Length: {length}".encode() in head
    assert received == body


def test_the_servers_name_is_the_ingress(function: FunctionServer) -> None:
    """The answer has one Server header, and neither gunicorn's nor the handler's."""
    response, _body = exchange(function, answering('{"statusCode": 200, "headers": {"Server": "mine"}}'))
    assert response.headers.get_all("Server") == ["envoy"]
