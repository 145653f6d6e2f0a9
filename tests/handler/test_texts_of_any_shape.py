"""Answers of the API in shapes that no speech has, through the whole handler: in each format, and as a callback."""

import json
from collections.abc import Callable

import pytest
from support.handling import WHISPER, FakeApi, Handle, audio, error_of, new_instance, post
from support.loopback import Peer, body_of, serve
from support.recordings import hum
from support.subtitle_rules import read_cues
from support.triggering import SECRET

SHAPES = {
    "dots": "." * 19_999,
    "thai-vowels": "\u0e30" * 60,
    "thai-vowels-above": "\u0e31" * 600,
    "half-a-pair": "So he came\ud83d. And left\ude00.",
    "halves-alone": "\ud800" * 500,
    "one-word": "a" * 5_000,
    "marks-on-a-letter": "e" + "\u0301" * 5_000,
    "joiners": "\u200d" * 5_000,
    "new-lines": "\n" * 5_000 + "So he came.",
    "arrows": "--> " * 500,
    "no-spaces": "的" * 3_000,
    "flags": "🇫🇷" * 700,
    "controls": "\x00\x1b\x07So he came.\x00",
}


def answer_with(text: str) -> Callable[[Peer], None]:
    return lambda peer: peer.answer(json.dumps({"text": text}).encode())


@pytest.mark.parametrize("name", SHAPES)
def test_every_format_is_delivered(handle: Handle, api: FakeApi, name: str) -> None:
    """Each of them is a 200 in each format, in UTF-8, and subtitles that a player can show."""
    api.models = [WHISPER]
    api.conversation = answer_with(SHAPES[name])
    for response_format in ("json", "text", "verbose_json", "srt", "vtt"):
        answer = handle(post({**audio(hum(30)), "response_format": response_format}), {})
        assert answer["statusCode"] == 200
        assert answer["body"].encode()
        if response_format in {"srt", "vtt"}:
            cues = read_cues(answer["body"])
            assert all(cue.end_ms <= 30_000 for cue in cues)
            # A letter of 31 characters is the longest that there is.
            assert all(len(line) <= 42 * 31 for cue in cues for line in cue.lines)


@pytest.mark.usefixtures("handle")
def test_half_a_surrogate_pair_is_called_back(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """The receiver gets UTF-8, once, and the recording is paid for once."""
    monkeypatch.setenv("CALLBACK_SECRET", SECRET)
    monkeypatch.setenv("ALLOWED_PRIVATE_HOSTS", "127.0.0.1")
    api.models = [WHISPER]
    api.conversation = answer_with(SHAPES["half-a-pair"])
    received: list[bytes] = []

    def receive(peer: Peer) -> None:
        received.append(body_of(peer.request))
        peer.answer(b"")

    with serve(receive) as receiver:
        answer = new_instance()(post({**audio(hum(2)), "callback": receiver.url}), {})
    assert answer["statusCode"] == 200
    (body,) = received
    assert json.loads(body)["text"] == "So he came\ufffd. And left\ufffd."
    assert api.calls.count("/audio/transcriptions") == 1


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("characters", "said"), [(1_000_000, "that is no transcript"), (15_000_000, "")])
def test_text_that_is_no_speech_is_refused(handle: Handle, api: FakeApi, characters: int, said: str) -> None:
    """A megabyte for two seconds is refused before it is aligned, and 15 MB are not read to their end."""
    api.models = [WHISPER]
    api.conversation = answer_with("a b " * (characters // 4))
    answer = handle(post(audio(hum(2))), {})
    assert (answer["statusCode"], error_of(answer)["code"]) == (502, "api_failed")
    assert said in error_of(answer)["message"]
