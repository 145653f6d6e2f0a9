"""What the benchmark's API makes of a body: which audio was in it, whatever the pieces that it came in."""

import base64
import json
from collections.abc import Callable

import pytest
from requests import Request

from bench_suite.exchange import BadRequestError
from bench_suite.recording import expected_transcript, recording
from bench_suite.uploads import Upload, chat_upload, check_chat, check_form, form_upload

AUDIO = recording(10_000)


def chat_body(audio: bytes) -> tuple[Upload, bytes]:
    part = {"type": "input_audio", "input_audio": {"data": base64.b64encode(audio).decode(), "format": "mp3"}}
    content = [{"type": "text", "text": 'Write "data": '}, part]
    return chat_upload(), json.dumps({"model": "m", "messages": [{"role": "user", "content": content}]}).encode()


def form_body(audio: bytes) -> tuple[Upload, bytes]:
    form = Request("POST", "http://api", data={"model": "m"}, files={"file": ("a.mp3", audio, "audio/mpeg")}).prepare()
    assert isinstance(form.body, bytes)
    return form_upload(form.headers["Content-Type"]), form.body


@pytest.mark.parametrize("piece_bytes", [1, 7, 1024, 100_000])
@pytest.mark.parametrize(
    ("body_of", "check", "in_base64"),
    [pytest.param(chat_body, check_chat, True, id="chat"), pytest.param(form_body, check_form, False, id="form")],
)
def test_audio_is_found(
    body_of: Callable[[bytes], tuple[Upload, bytes]],
    check: Callable[[bytes], None],
    in_base64: bool,  # noqa: FBT001 # a parameter of a table
    piece_bytes: int,
) -> None:
    """The transcript is the one of the audio that was sent, and of no other, and what is around it is checked."""
    upload, body = body_of(AUDIO)
    for start in range(0, len(body), piece_bytes):
        upload.feed(body[start : start + piece_bytes])
    check(upload.around())
    assert upload.transcript() == expected_transcript(AUDIO, in_base64=in_base64)
    changed = AUDIO[:5_000] + bytes([AUDIO[5_000] ^ 1]) + AUDIO[5_001:]
    assert upload.transcript() != expected_transcript(changed, in_base64=in_base64)


def test_body_that_is_cut_off() -> None:
    """Audio without an end is no audio."""
    upload, body = chat_body(AUDIO)
    upload.feed(body[:-200])
    with pytest.raises(BadRequestError):
        upload.around()


def test_what_is_around_the_audio_is_checked() -> None:
    """A body with the right audio in a wrong request is refused."""
    with pytest.raises(BadRequestError):
        check_chat(b'{"model": "m", "messages": [{"content": [{"input_audio": {"data": ""}}]}]}')
    with pytest.raises(BadRequestError):
        check_form(b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n\r\n--x--\r\n')
