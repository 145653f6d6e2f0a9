"""Requests with `track`: one track of a file by its number, or all of them, one after another under headings."""

import json
from functools import cache

import pytest
from support.encoding import encode, encode_tracks
from support.handling import FakeApi, Handle, audio, error_of, post
from support.listening import Listening
from support.long_recordings import LongRecording, marked_speech

from transcriber.jobs.layout import options_digest
from transcriber.request.options import TranscriptionOptions

SECONDS = 24


@cache
def talks() -> tuple[LongRecording, LongRecording]:
    return marked_speech(SECONDS / 60, seed=1), marked_speech(SECONDS / 60, seed=2)


@cache
def file_of_two() -> bytes:
    return encode_tracks([talk.samples for talk in talks()], "mov", "pcm_s16le")


@pytest.mark.parametrize("track", [0, 1, "1"])
def test_track_by_its_number(chunked: Handle, api: FakeApi, track: object) -> None:
    """The words are those of the track that was requested, and no warning names the other one."""
    Listening(api)
    body = json.loads(chunked(post({**audio(file_of_two()), "track": track}), {})["body"])
    assert body["text"] == talks()[int(str(track))].words
    assert body["duration"] == pytest.approx(SECONDS, abs=0.1)
    assert "warnings" not in body


def test_without_a_number_a_warning_says_how_to_choose(chunked: Handle, api: FakeApi) -> None:
    """The first track with sound is transcribed, and the warning names the others and the option."""
    Listening(api)
    body = json.loads(chunked(post(audio(file_of_two())), {})["body"])
    assert body["text"] == talks()[0].words
    (warning,) = body["warnings"]
    assert warning.startswith("The file has 2 audio tracks; only track 0 is transcribed, and track 1 is not.")
    assert warning.endswith("Choose with the option track: a number, or all.")


def test_all_tracks(chunked: Handle, api: FakeApi) -> None:
    """All tracks come one after another, each under its heading, with times that go on, in every format."""
    Listening(api)
    request = {**audio(file_of_two()), "track": "all"}
    first, second = (talk.words for talk in talks())
    body = json.loads(chunked(post({**request, "response_format": "verbose_json"}), {})["body"])
    assert body["text"] == f"Track 0:\n\n{first}\n\nTrack 1:\n\n{second}"
    assert body["duration"] == pytest.approx(2 * SECONDS, abs=0.2)
    headed = [segment for segment in body["segments"] if segment["text"].startswith("Track ")]
    assert [segment["text"][:9] for segment in headed] == ["Track 0: ", "Track 1: "]
    assert headed[1]["start"] == pytest.approx(SECONDS, abs=2.5)
    assert "warnings" not in body
    text = chunked(post({**request, "response_format": "text"}), {})["body"]
    assert text == f"{body['text']}\n"
    assert chunked(post({**request, "response_format": "srt"}), {})["body"].count("Track ") == 2


def test_track_that_is_not_there(chunked: Handle, api: FakeApi) -> None:
    """A number beyond the tracks is a 415 that says which there are, for decoded files and others."""
    Listening(api)
    wav = encode(talks()[0].samples, "wav", "pcm_s16le")
    for data, message in (
        (file_of_two(), "no track 2: its 2 audio tracks are numbered from 0 to 1"),
        (wav, "no track 2: its 1 audio track has the number 0"),
    ):
        answer = chunked(post({**audio(data), "track": 2}), {})
        assert answer["statusCode"] == 415
        assert message in error_of(answer)["message"]
    assert json.loads(chunked(post({**audio(wav), "track": 0}), {})["body"])["text"] == talks()[0].words


@pytest.mark.parametrize("track", [-1, 256, 1.5, "first", True, [0]])
def test_what_is_no_track(chunked: Handle, track: object) -> None:
    """Anything but a number from 0 and "all" is a 400 that names the option."""
    answer = chunked(post({**audio(file_of_two()), "track": track}), {})
    assert answer["statusCode"] == 400
    assert error_of(answer)["param"] == "track"


def test_dry_run_counts_all_tracks(chunked: Handle) -> None:
    """What all tracks would cost is told beforehand."""
    request = {**audio(file_of_two()), "dry_run": True}
    one, both = (json.loads(chunked(post({**request, "track": track}), {})["body"]) for track in (1, "all"))
    assert both["duration"] == pytest.approx(2 * one["duration"], abs=0.2)


def test_results_of_a_track_have_keys_of_their_own() -> None:
    """The track is part of the digest that names results, and of the request that is written down for later."""
    choices = [TranscriptionOptions(track=track) for track in (None, 0, 1, "all")]
    assert len({options_digest(options) for options in choices}) == len(choices)
    assert [options.to_fields() for options in choices] == [{}, {"track": 0}, {"track": 1}, {"track": "all"}]
