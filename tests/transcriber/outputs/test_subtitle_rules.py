"""Subtitles in twelve languages keep the rules of Netflix and the BBC, as an independent checker reads them."""

import base64
from dataclasses import replace

import pytest
from support.misbehaving_models import Misbehaving, transcribed
from support.recorded_languages import conversation
from support.recordings import WORDS, recording
from support.spoken_texts import SENTENCES
from support.subtitle_rules import read_cues, violations

from transcriber.api.backend import ChunkTranscript
from transcriber.audio.identify import identify
from transcriber.chunks.cut_points import ChunkLimits
from transcriber.chunks.cutting import CutOptions, cut
from transcriber.deadline import Deadline
from transcriber.outputs import srt, vtt
from transcriber.request.base64_text import read_base64
from transcriber.request.options import TranscriptionOptions
from transcriber.response_format import ResponseFormat
from transcriber.sources.inline import InlineSource
from transcriber.transcription.timing import timed_segments
from transcriber.transcription.transcript import Transcript

TIMED = TranscriptionOptions(response_format=ResponseFormat.SRT)


@pytest.mark.parametrize("gives_times", [True, False], ids=["api-times", "own-times"])
@pytest.mark.parametrize("is_language_known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize("language", SENTENCES)
def test_subtitles_keep_the_rules(language: str, is_language_known: bool, gives_times: bool) -> None:  # noqa: FBT001
    """No cue of a conversation breaks a rule, by the API's times or our own, whether its language is known or not."""
    recording = conversation(language, minutes=2, seed=len(SENTENCES[language][2]))
    backend = Misbehaving(recording, lambda sentences, _: sentences, gives_times=gives_times)
    transcript = transcribed(backend, recording.chunks(1), options=TIMED)
    transcript = replace(transcript, language=language if is_language_known else None)
    # The strictest rules are those of the other languages of the same script.
    rules = language if is_language_known or language in {"ja", "zh", "ko", "th"} else "de"
    for file in (srt.render(transcript), vtt.render(transcript)):
        assert violations(file, rules, transcript.duration_seconds) == []
    shown = "".join(line for cue in read_cues(file) for line in cue.lines)
    assert "".join(shown.split()) == "".join(transcript.text.split())


@pytest.mark.parametrize("pace", [0.6, 1.5, 2.0])
@pytest.mark.parametrize("language", ["en", "de", "ja", "zh"])
def test_slow_and_fast_speakers(language: str, pace: float) -> None:
    """The rules hold for those who take their time, and for those who are faster than anybody reads."""
    recording = conversation(language, minutes=2, pace=pace, seed=7)
    backend = Misbehaving(recording, lambda sentences, _: sentences)
    transcript = replace(transcribed(backend, recording.chunks(5), options=TIMED), language=language)
    assert violations(srt.render(transcript), language, transcript.duration_seconds) == []


@pytest.mark.parametrize("name", WORDS)
def test_real_recordings(name: str) -> None:
    """The words of each recording that we have, timed by its sound alone, are subtitles within the rules."""
    source = InlineSource(read_base64(base64.b64encode(recording(name)).decode(), param=None), max_bytes=10**9)
    options = CutOptions(ChunkLimits(300), max_seconds=300, deadline=Deadline(30), keep_loudness=True)
    (chunk,) = cut(identify(source, max_seconds=300), options)
    segments = timed_segments(chunk, ChunkTranscript(f"{WORDS[name].capitalize()}.", "model"))
    transcript = Transcript("", "model", chunk.duration_seconds, segments=segments, language="en")
    assert violations(srt.render(transcript), "en", transcript.duration_seconds) == []
    assert len(read_cues(vtt.render(transcript))) >= 1
