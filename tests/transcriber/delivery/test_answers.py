"""Delivery: each outcome has its answer, and no answer tells what it should not."""

import json

import pytest

from transcriber import errors
from transcriber.api.backend import Usage
from transcriber.delivery.answers import (
    EXPOSED,
    Answer,
    error_answer,
    error_log_fields,
    preflight_answer,
    status_answer,
    stored_answer,
    transcript_answer,
    transcript_log_fields,
)
from transcriber.request.options import ResponseFormat
from transcriber.settings import Settings
from transcriber.spans import Segment, Span
from transcriber.transcription.transcript import Transcript

TRANSCRIPT = Transcript(text='He said "no" — 好', model="whisper-large-v3", duration_seconds=11.08849)


def test_json() -> None:
    """The JSON answer has text, model, length and billed seconds, and warnings only where there are some."""
    answer = transcript_answer(TRANSCRIPT, ResponseFormat.JSON)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert json.loads(answer.body) == {
        "text": 'He said "no" — 好',
        "model": "whisper-large-v3",
        "duration": 11.088,
        "usage": {"type": "duration", "seconds": 12},
    }
    warned = Transcript("", "m", 1.0, warnings=("top_p was not used",))
    assert json.loads(transcript_answer(warned, ResponseFormat.JSON).body)["warnings"] == ["top_p was not used"]


def test_text() -> None:
    """The text answer is the text and a line end."""
    answer = transcript_answer(TRANSCRIPT, ResponseFormat.TEXT)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.body == 'He said "no" — 好\n'


def test_description() -> None:
    """The description has status, version, models and limits, and no secret."""
    answer = status_answer(Settings(api_key="the-secret", access_token="the-other-secret"))
    description = json.loads(answer.body)
    assert description["status"] == "ok"
    assert set(description) == {"status", "version", "models", "limits"}
    assert description["limits"]["audio_mb"] == 500
    assert "secret" not in answer.body


def test_preflight() -> None:
    """A preflight is answered without a body, for any page, and lets a token be sent."""
    answer = preflight_answer()
    assert (answer.status, answer.body) == (204, "")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.RequestError("m", param="url"), 400),
        (errors.AddressRefusedError("m", param="url"), 400),
        (errors.ApiRefusedError("m"), 400),
        (errors.AuthenticationError("m"), 401),
        (errors.SourceNotFoundError("m"), 404),
        (errors.MethodNotAllowedError("m", allowed=("GET", "POST")), 405),
        (errors.AudioTooLargeError("m"), 413),
        (errors.UnsupportedAudioError("m"), 415),
        (errors.ModelNotFoundError("m", param="model"), 422),
        (errors.SourceRefusedError("m"), 422),
        (errors.RateLimitedError("m", retry_after_seconds=2.1), 429),
        (errors.SettingsError("MODELS", "m"), 500),
        (errors.SourceFailedError("m"), 502),
        (errors.SourceChangedError("m"), 502),
        (errors.SourceLostError("m"), 502),
        (errors.ApiFailedError("m"), 502),
        (errors.TruncatedTranscriptError("m"), 502),
        (errors.SourceTimeoutError("m"), 504),
        (errors.ApiTimeoutError("m"), 504),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_errors(error: errors.TranscriberError, status: int) -> None:
    """Each error of the tree has the contract's status and shape."""
    answer = error_answer(error)
    assert answer.status == status
    body = json.loads(answer.body)["error"]
    assert (body["message"], body["param"]) == (error.message, error.param)
    assert body["type"].endswith("_error")
    assert body["code"]


def test_every_error_of_the_tree_is_in_the_table() -> None:
    """No error that is raised anywhere lacks a status and a code of its own."""

    def leaves(kind: type[errors.TranscriberError]) -> list[type[errors.TranscriberError]]:
        return [leaf for child in kind.__subclasses__() for leaf in leaves(child)] or [kind]

    codes = [leaf.code for leaf in leaves(errors.TranscriberError)]
    assert len(codes) == len(set(codes)) == 20


def test_headers_of_errors() -> None:
    """Errors that have a header of their own bring it."""
    assert error_answer(errors.MethodNotAllowedError("m", allowed=("GET", "POST"))).headers["Allow"] == "GET, POST"
    assert error_answer(errors.AuthenticationError("m")).headers["WWW-Authenticate"] == "Bearer"
    assert error_answer(errors.RateLimitedError("m", retry_after_seconds=2.1)).headers["Retry-After"] == "3"


def test_unforeseen_error_tells_a_stranger_nothing() -> None:
    """An exception that nobody foresaw is a 500 without its text; the log learns its kind and its place."""
    with pytest.raises(KeyError) as caught:
        json.loads("{}")["the-secret at 10.0.0.1"]
    answer, facts = error_answer(caught.value), error_log_fields(caught.value)
    assert answer.status == 500
    assert "secret" not in answer.body
    assert "secret" not in str(facts)
    assert facts["error"] == "KeyError"
    assert str(facts["where"]).startswith("test_answers.py:")


def test_half_a_character_does_not_break_the_answer() -> None:
    """Half of a surrogate pair, which JSON can spell, is replaced, so that the platform can send the rest."""
    answer = transcript_answer(Transcript("so \ud83d my", "m", 1.0), ResponseFormat.JSON).to_platform({})
    assert json.loads(answer["body"].encode())["text"] == "so ? my"


def test_form_for_the_platform() -> None:
    """The platform gets an integer, a dict of texts, and a text."""
    answer = Answer(200, "body", {"Content-Type": "text/plain"}).to_platform({"X-Request-Id": "1"})
    assert (answer["statusCode"], answer["body"]) == (200, "body")
    assert answer["headers"] == EXPOSED | {"Content-Type": "text/plain", "X-Request-Id": "1"}


TIMED = Transcript(
    text="Is 1 < 2? So they say, and go on for longer than one line holds.",
    model="whisper-large-v3",
    duration_seconds=3725.5,
    warnings=("top_p was not used",),
    segments=(
        Segment(0.5, 2.0, "Is 1 < 2?"),
        Segment(3720.25, 3725.5, "So they say, and go on for longer than one line holds."),
    ),
    language="en",
    usage=Usage(calls=14, audio_seconds=3000, prompt_tokens=900, completion_tokens=100),
    chunks=(Span(0, 300.04), Span(600, 3725.5)),
    not_sent=(Span(300.04, 600),),
)


def test_srt() -> None:
    """SubRip: numbers, times with a comma, lines of a subtitle, a blank line between cues."""
    answer = transcript_answer(TIMED, ResponseFormat.SRT)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/x-subrip")
    assert answer.body == (
        "1\n00:00:00,500 --> 00:00:02,000\nIs 1 < 2?\n\n"
        "2\n01:02:00,250 --> 01:02:05,500\nSo they say, and go on for\nlonger than one line holds.\n"
    )


def test_vtt() -> None:
    """WebVTT: its name, times with a point, what would be markup escaped."""
    answer = transcript_answer(TIMED, ResponseFormat.VTT)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/vtt")
    assert answer.body == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:02.000\nIs 1 &lt; 2?\n\n"
        "01:02:00.250 --> 01:02:05.500\nSo they say, and go on for\nlonger than one line holds.\n"
    )


def test_verbose_json() -> None:
    """The verbose answer is that of the OpenAI API, with what the short one has besides."""
    answer = transcript_answer(TIMED, ResponseFormat.VERBOSE_JSON)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert json.loads(answer.body) == {
        "task": "transcribe",
        "text": TIMED.text,
        "model": "whisper-large-v3",
        "duration": 3725.5,
        "usage": {"type": "duration", "seconds": 3726},
        "warnings": ["top_p was not used"],
        "language": "en",
        "segments": [
            {"id": 0, "start": 0.5, "end": 2.0, "text": "Is 1 < 2?"},
            {"id": 1, "start": 3720.25, "end": 3725.5, "text": TIMED.segments[1].text},
        ],
    }


@pytest.mark.parametrize("transcript", [TIMED, Transcript("", "", 0.05)], ids=["speech", "silence"])
@pytest.mark.parametrize("response_format", list(ResponseFormat))
def test_stored_transcript_is_like_a_fresh_one(transcript: Transcript, response_format: ResponseFormat) -> None:
    """What was stored is delivered in each format as it was when it was made."""
    stored = json.loads(transcript_answer(transcript, ResponseFormat.VERBOSE_JSON).body)
    assert stored_answer(stored, response_format) == transcript_answer(transcript, response_format)


def test_facts_for_the_log() -> None:
    """The log learns model, length, calls, tokens, cost and spans, and not a word of the transcript."""
    facts = transcript_log_fields(TIMED, Settings(api_key="key", prices={"whisper-large-v3": 0.003}))
    assert facts == {
        "model": "whisper-large-v3",
        "seconds": 3725.5,
        "calls": 14,
        "tokens": 1000,
        "cost": 0.15,
        "chunks": [[0, 300.0], [600, 3725.5]],
        "not_sent": [[300.0, 600]],
        "warnings": 1,
    }
    unpriced = transcript_log_fields(Transcript("", "whisper-large-v3", 1.0), Settings(api_key="key"))
    assert (unpriced["cost"], unpriced["tokens"]) == (None, None)


def test_line_of_the_log_stays_short() -> None:
    """However many chunks there are, what the log says of them fits in a line of a few kilobytes."""
    spans = tuple(Span(360_000.0 + number, 360_001.0 + number) for number in range(10_000))
    facts = transcript_log_fields(Transcript("", "m", 1.0, chunks=spans, not_sent=spans), Settings(api_key="key"))
    assert len(json.dumps(facts)) < 8_000
