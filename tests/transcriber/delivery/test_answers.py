"""Answers: each outcome has its answer, in the requested format, and none reveals a secret."""

import json

import pytest

from transcriber.api.backend import Usage
from transcriber.delivery.answer import EXPOSED_HEADERS, Answer
from transcriber.delivery.answers import preflight_answer, status_answer, transcript_answer
from transcriber.response_format import ResponseFormat
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


def test_status() -> None:
    """The status has version, models and limits, and no secret."""
    answer = status_answer(Settings(api_key="the-secret", access_token="the-other-secret"))
    status = json.loads(answer.body)
    assert status["status"] == "ok"
    assert set(status) == {"status", "version", "models", "limits"}
    assert status["limits"]["audio_mb"] == 500
    assert "secret" not in answer.body


def test_preflight() -> None:
    """A preflight is answered without a body, for any page, and lets a token be sent."""
    answer = preflight_answer()
    assert (answer.status, answer.body) == (204, "")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


def test_half_a_character_does_not_break_the_answer() -> None:
    """Half of a surrogate pair, which JSON can spell, is replaced, so that the platform can send the rest."""
    answer = transcript_answer(Transcript("so \ud83d my", "m", 1.0), ResponseFormat.JSON).to_platform({})
    assert json.loads(answer["body"].encode())["text"] == "so ? my"


def test_form_for_the_platform() -> None:
    """The platform gets an integer, a dict of texts, and a text."""
    answer = Answer(200, "body", {"Content-Type": "text/plain"}).to_platform({"X-Request-Id": "1"})
    assert (answer["statusCode"], answer["body"]) == (200, "body")
    assert answer["headers"] == EXPOSED_HEADERS | {"Content-Type": "text/plain", "X-Request-Id": "1"}


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
    silent_spans=(Span(300.04, 600),),
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
        "WEBVTT\n\nNOTE top_p was not used\n\n00:00:00.500 --> 00:00:02.000\nIs 1 &lt; 2?\n\n"
        "01:02:00.250 --> 01:02:05.500\nSo they say, and go on for\nlonger than one line holds.\n"
    )


def test_verbose_json() -> None:
    """The verbose answer is that of the OpenAI API, with the other fields of the short one."""
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


@pytest.mark.parametrize("response_format", ResponseFormat)
def test_every_format_counts_the_warnings(response_format: ResponseFormat) -> None:
    """The number of warnings is a header in each format, and there is none where there is nothing to warn of."""
    warned = Transcript("So.", "m", 3.0, warnings=("one", "two"))
    assert transcript_answer(warned, response_format).headers["X-Transcript-Warnings"] == "2"
    assert "X-Transcript-Warnings" not in transcript_answer(Transcript("So.", "m", 3.0), response_format).headers
