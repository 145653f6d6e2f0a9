"""Tests of the faults on demand: the effect of each on a client, and the requests that they hit."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
import requests
from support.generative_requests import VOXTRAL, WHISPER, Caller, chat_body
from support.recordings import recording, silence

from emulator.generative.apis import KEY_VARIABLE, create_app
from emulator.generative.faults import Fault, FaultKind, InjectedFaults
from emulator.generative.server import GenerativeServer

SPEECH = recording("jfk.mp3")
CHAT = "/v1/chat/completions"
TRANSCRIPTIONS = "/v1/audio/transcriptions"
# More than all buffers between client and server hold.
LARGE_BYTES = 24 * 1024 * 1024
BLOCK = bytes(1024 * 1024)

Call = Callable[[Caller], requests.Response]


def chat(caller: Caller) -> requests.Response:
    return caller.chat(chat_body(SPEECH, "mp3"))


def chat_stream(caller: Caller) -> requests.Response:
    return caller.chat(chat_body(SPEECH, "mp3", stream=True))


def transcribe(caller: Caller) -> requests.Response:
    return caller.transcribe(SPEECH, "a.mp3")


def transcribe_stream(caller: Caller) -> requests.Response:
    return caller.transcribe(SPEECH, "a.mp3", stream="true")


BOTH = pytest.mark.parametrize("call", [chat, transcribe])
ALL = pytest.mark.parametrize("call", [chat, chat_stream, transcribe, transcribe_stream])


@pytest.fixture(scope="module")
def server() -> Iterator[GenerativeServer]:
    with GenerativeServer(recogniser="stand-in") as apis:
        yield apis


@pytest.fixture
def caller(server: GenerativeServer) -> Iterator[Caller]:
    yield Caller(server.url, server.key)
    server.clear()


def connect(server: GenerativeServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


def head(path: str, key: str, length: int) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: a", f"Authorization: Bearer {key}", "Content-Type: application/json"]
    return "\r\n".join([*lines, f"Content-Length: {length}", "", ""]).encode()


def read_all(connection: socket.socket) -> bytes:
    received = b""
    while block := connection.recv(65536):
        received += block
    return received


@ALL
@pytest.mark.parametrize("status", [429, 500, 504])
def test_error_status(caller: Caller, server: GenerativeServer, call: Call, status: int) -> None:
    """The next request gets that status and an error in its route's format, and its record names the fault."""
    server.fault(str(status))
    response = call(caller)
    assert response.status_code == status
    body = response.json()
    assert body.get("error", body)["message"]
    assert (server.requests()[0]["fault"], server.requests()[0]["status"]) == (str(status), status)


@pytest.mark.parametrize(
    ("kind", "fields", "header"),
    [
        pytest.param("429", {}, "1", id="429 has one by default"),
        pytest.param("429", {"retry_after": 7}, "7", id="seconds"),
        pytest.param("429", {"retry_after": 0.25}, "0.25", id="part of a second"),
        pytest.param(
            "429", {"retry_after": "Mon, 23 Nov 2026 10:00:00 GMT"}, "Mon, 23 Nov 2026 10:00:00 GMT", id="date"
        ),
        pytest.param("429", {"retry_after": None}, None, id="none"),
        pytest.param("500", {}, None, id="500 has none by default"),
        pytest.param("504", {"retry_after": 2}, "2", id="504 with one"),
    ],
)
def test_retry_after(caller: Caller, server: GenerativeServer, kind: str, fields: dict[str, Any], header: str) -> None:
    """Retry-After has the value of the fault, or its default."""
    server.fault(kind, **fields)
    assert chat(caller).headers.get("Retry-After") == header


def test_error_in_200(caller: Caller, server: GenerativeServer) -> None:
    """A 200 has an error as its body: nested for a chat, flat for a transcription, an event in a stream."""
    server.fault("error-in-200", count=3)
    nested, flat, streamed = chat(caller), transcribe(caller), chat_stream(caller)
    assert [response.status_code for response in (nested, flat, streamed)] == [200, 200, 200]
    assert nested.json()["error"]["type"] == "server_error"
    assert (flat.json()["object"], flat.json()["type"]) == ("error", "server_error")
    event, done = streamed.text.strip().split("\n\n")
    assert (json.loads(event.removeprefix("data: "))["error"]["type"], done) == ("server_error", "data: [DONE]")


def test_empty(caller: Caller, server: GenerativeServer) -> None:
    """A normal answer has an empty text."""
    server.fault("empty", count=3)
    choice = chat(caller).json()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("", "stop")
    assert transcribe(caller).json()["text"] == ""
    verbose = caller.transcribe(SPEECH, "a.mp3", response_format="verbose_json").json()
    assert (verbose["text"], verbose["segments"]) == ("", [])


def test_length(caller: Caller, server: GenerativeServer) -> None:
    """The answer has half of the text: a chat's finish reason is `length`, a transcription has none."""
    whole = transcribe(caller).json()["text"]
    server.fault("length", count=3)
    choice = chat(caller).json()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("stand-in transcript of 11.1", "length")
    half = transcribe(caller).json()["text"]
    assert whole.startswith(half)
    assert 0 < len(half) < len(whole)
    assert '"finish_reason": "length"' in chat_stream(caller).text


def test_short(caller: Caller, server: GenerativeServer) -> None:
    """The answer has the first two words, and the finish reason of a complete one."""
    server.fault("short", count=2)
    choice = chat(caller).json()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("stand-in transcript", "stop")
    assert transcribe(caller).json()["text"] == "stand-in transcript"


def test_repeat(caller: Caller, server: GenerativeServer) -> None:
    """The answer repeats the first phrase up to the output limit."""
    server.fault("repeat", count=2)
    choice = caller.chat(chat_body(SPEECH, "mp3", max_tokens=12)).json()["choices"][0]
    phrase = "stand-in transcript of 11.1 s,"
    assert (choice["message"]["content"], choice["finish_reason"]) == (
        f"{phrase} {phrase} stand-in transcript",
        "length",
    )
    assert transcribe(caller).json()["text"].count(phrase) > 1000


def test_wrapped(caller: Caller, server: GenerativeServer) -> None:
    """The answer has the whole text, with a chat model's remarks around it."""
    whole = chat(caller).json()["choices"][0]["message"]["content"]
    server.fault("wrapped")
    choice = chat(caller).json()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == (f'Here is the transcript:\n\n"{whole}"', "stop")


@ALL
def test_garbage(caller: Caller, server: GenerativeServer, call: Call) -> None:
    """The answer is a 200 that is neither JSON nor a stream."""
    server.fault("garbage")
    response = call(caller)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/html")
    with pytest.raises(requests.JSONDecodeError):
        response.json()


@BOTH
def test_wait(caller: Caller, server: GenerativeServer, call: Call) -> None:
    """The answer is normal, but not sent before the time is over."""
    server.fault("wait", seconds=0.5)
    start = time.monotonic()
    assert call(caller).ok
    assert time.monotonic() - start >= 0.5


def test_others_are_served_meanwhile(caller: Caller, server: GenerativeServer) -> None:
    """A request that waits does not block others."""
    server.fault("wait", seconds=60)
    body = json.dumps(chat_body(SPEECH, "mp3")).encode()
    with closing(connect(server)) as waiting:
        waiting.sendall(head(CHAT, server.key, len(body)) + body)
        while not any(request["fault"] for request in server.requests()):
            time.sleep(0.01)
        assert chat(caller).ok
        assert [request["status"] for request in server.requests()] == [None, 200]


def test_reset(caller: Caller, server: GenerativeServer) -> None:
    """The connection is reset, not closed, before any byte of an answer; the next request is served."""
    server.fault("reset")
    body = json.dumps(chat_body(SPEECH, "mp3")).encode()
    with closing(connect(server)) as connection:
        connection.sendall(head(CHAT, server.key, len(body)) + body)
        with pytest.raises(ConnectionResetError):
            read_all(connection)
    assert (server.requests()[0]["fault"], server.requests()[0]["status"]) == ("reset", None)
    assert chat(caller).ok


def test_cut(caller: Caller, server: GenerativeServer) -> None:
    """The connection is closed in the middle of a body with a stated length."""
    whole = chat(caller).content
    server.fault("cut")
    body = json.dumps(chat_body(SPEECH, "mp3")).encode()
    with closing(connect(server)) as connection:
        connection.sendall(head(CHAT, server.key, len(body)) + body)
        headers, _, part = read_all(connection).partition(b"\r\n\r\n")
    assert f"Content-Length: {len(whole)}".encode() in headers
    assert len(part) == len(whole) // 2


@pytest.mark.parametrize("call", [chat_stream, transcribe_stream])
def test_cut_stream(caller: Caller, server: GenerativeServer, call: Call) -> None:
    """A stream that is cut has no end event."""
    server.fault("cut")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        call(caller)


def test_count(caller: Caller, server: GenerativeServer) -> None:
    """A fault hits its count of requests, and faults follow one another in the order of their injection."""
    server.fault("429", count=2)
    server.fault("500")
    assert [chat(caller).status_code for _ in range(4)] == [429, 429, 500, 200]


@pytest.mark.parametrize(
    ("fields", "statuses"),
    [
        pytest.param({}, [500, 500, 500], id="any"),
        pytest.param({"model": WHISPER}, [200, 200, 500], id="model in a form"),
        pytest.param({"model": VOXTRAL}, [200, 500, 200], id="model in JSON"),
        pytest.param({"path": TRANSCRIPTIONS}, [200, 200, 500], id="path"),
        pytest.param({"path": "/v1/models"}, [500, 200, 200], id="path of the models"),
        pytest.param({"path": CHAT, "model": WHISPER}, [200, 200, 200], id="both must match"),
        pytest.param({"path": CHAT, "early": True}, [200, 500, 200], id="early"),
    ],
)
def test_matching(caller: Caller, server: GenerativeServer, fields: dict[str, Any], statuses: list[int]) -> None:
    """A fault hits requests for its model and path, and no others."""
    server.fault("500", count=3, **fields)
    assert [caller.models().status_code, chat(caller).status_code, transcribe(caller).status_code] == statuses


@pytest.mark.parametrize("kind", ["empty", "length", "repeat", "short", "wrapped"])
def test_faults_of_the_text_hit_only_requests_for_one(caller: Caller, server: GenerativeServer, kind: str) -> None:
    """A fault of the text skips a request for the models, and hits the next one for a text."""
    server.fault(kind)
    assert caller.models().json()["data"]
    chat(caller)
    assert [request["fault"] for request in server.requests()] == [None, kind]


def test_early_refusal_comes_before_the_body(server: GenerativeServer) -> None:
    """A client that has sent only its headers gets the answer."""
    server.clear()
    server.fault("429", early=True, retry_after=3)
    with closing(connect(server)) as connection:
        connection.sendall(head(CHAT, server.key, LARGE_BYTES))
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 429")
    assert b"Retry-After: 3" in answer
    (received,) = server.requests()
    assert (received["status"], received["body_size_bytes"]) == (429, None)


def test_early_reset_comes_before_the_body(server: GenerativeServer) -> None:
    """A client that has sent only its headers is reset."""
    server.fault("reset", early=True)
    with closing(connect(server)) as connection:
        connection.sendall(head(CHAT, server.key, LARGE_BYTES))
        with pytest.raises(ConnectionResetError):
            connection.recv(65536)


@pytest.mark.parametrize(
    ("key", "fields", "status"),
    [("right", {"fault": "429", "early": True}, 429), ("wrong", None, 403)],
    ids=["fault on demand", "wrong key"],
)
def test_early_refusal_lets_the_upload_run_out(
    server: GenerativeServer, key: str, fields: dict[str, Any] | None, status: int
) -> None:
    """A client that sends its whole large body first can finish, and then read the early answer."""
    if fields is not None:
        server.fault(fields["fault"], early=fields["early"])
    with closing(connect(server)) as connection:
        connection.sendall(head(CHAT, server.key if key == "right" else key, LARGE_BYTES))
        for _ in range(LARGE_BYTES // len(BLOCK)):
            connection.sendall(BLOCK)
        assert connection.recv(65536).startswith(f"HTTP/1.1 {status}".encode())


def test_client_can_retry_after_an_early_refusal(caller: Caller, server: GenerativeServer) -> None:
    """A normal client with a large body gets the early answer, and its next attempt is served."""
    body = chat_body(silence(LARGE_BYTES / 32_000))
    server.fault("429", early=True)
    assert [caller.chat(body).status_code for _ in range(2)] == [429, 200]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        pytest.param("teapot", {}, id="unknown fault"),
        pytest.param("429", {"count": 0}, id="none"),
        pytest.param("429", {"cuont": 2}, id="unknown field"),
        pytest.param("429", {"share": 0}, id="a share of none"),
        pytest.param("429", {"share": 1.5}, id="more than all"),
        pytest.param("429", {"path": "chat/completions"}, id="path that nothing has"),
        pytest.param("wait", {"seconds": -1}, id="negative wait"),
        pytest.param("empty", {"early": True}, id="early, but needs the text"),
        pytest.param("429", {"early": True, "model": WHISPER}, id="early, but needs the model"),
    ],
)
def test_contradictory_faults_are_refused(server: GenerativeServer, kind: str, fields: dict[str, Any]) -> None:
    """A fault that could never hit as intended is refused with an error."""
    with pytest.raises(ValueError, match=r"\w"):
        server.fault(kind, **fields)


def test_clear(caller: Caller, server: GenerativeServer) -> None:
    """After clearing there are no faults and no records."""
    server.fault("500", count=99)
    chat(caller)
    server.clear()
    assert server.requests() == []
    assert chat(caller).ok


@pytest.mark.parametrize("address", ["10.0.0.1", "192.0.2.1", "::ffff:10.0.0.1", "fe80::1"])
def test_only_this_machine_may_use_the_endpoints(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Another machine may neither inject faults nor read requests, even with a forged X-Forwarded-For."""
    monkeypatch.setenv(KEY_VARIABLE, "a-key")
    client = create_app(recogniser="stand-in").test_client()
    origin, claim = {"REMOTE_ADDR": address}, {"X-Forwarded-For": "127.0.0.1"}
    assert client.get("/_emulator/requests", environ_base=origin, headers=claim).status_code == 403
    assert client.post("/_emulator/faults", environ_base=origin, json={"fault": "500"}).status_code == 403
    assert client.get("/_emulator/requests", environ_base={"REMOTE_ADDR": "127.0.0.1"}).status_code == 200


def test_oldest_matching_fault_hits_first() -> None:
    """A later fault hits if the earlier ones do not match."""
    faults = InjectedFaults()
    for fault in (Fault(fault="500", model="a"), Fault(fault="504"), Fault(fault="reset", early=True)):  # type: ignore[arg-type] # as JSON has it
        faults.add(fault)
    taken = [faults.take(CHAT, "b"), faults.take(CHAT, "b"), faults.take(CHAT, "a"), faults.take(CHAT, early=True)]
    assert [fault.fault.value if fault else None for fault in taken] == ["504", None, "500", "reset"]


def hits(fault: Fault, requests: int) -> list[bool]:
    faults = InjectedFaults()
    faults.add(fault)
    return [faults.take(CHAT) is not None for _ in range(requests)]


def test_share_hits_its_part_of_all_requests() -> None:
    """A share of a fifth hits about 200 of a thousand requests, with no change in the second half."""
    results = hits(Fault(fault=FaultKind.SERVER_ERROR, share=0.2), 1000)
    assert 160 <= sum(results) <= 240
    assert 80 <= sum(results[500:]) <= 120


def test_share_is_the_same_every_time() -> None:
    """The same seed hits the same requests, another seed others."""
    one, again, other = (hits(Fault(fault=FaultKind.SERVER_ERROR, share=0.5, seed=seed), 100) for seed in (7, 7, 8))
    assert one == again
    assert one != other


def test_share_with_a_count_ends() -> None:
    """With a count, the fault ends after that number of hits, even if more requests follow."""
    assert sum(hits(Fault(fault=FaultKind.SERVER_ERROR, share=0.5, count=3), 100)) == 3


def test_share_through_the_server(caller: Caller, server: GenerativeServer) -> None:
    """A share of one hits every request until it is cleared."""
    server.fault("500", share=1.0)
    assert [chat(caller).status_code for _ in range(3)] == [500, 500, 500]
    server.clear()
    assert chat(caller).ok
