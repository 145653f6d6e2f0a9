"""Tests of the real recogniser, on real speech."""

import io
from itertools import pairwise
from pathlib import Path

import jiwer
import pytest
from support.encoding import encode
from support.long_recordings import real_speech
from support.recordings import recording, silence, spoken_words, word_error_rate

from emulator.recognisers.base import Recognition, UnsupportedLanguageError
from emulator.recognisers.model_files import RecogniserUnavailableError, cache_folder, find_model
from emulator.recognisers.whisper import WhisperRecogniser, split_at, windows


@pytest.fixture(scope="module")
def whisper() -> WhisperRecogniser:
    return WhisperRecogniser(find_model(), cache_folder())


@pytest.fixture(scope="module")
def speech(whisper: WhisperRecogniser) -> Recognition:
    return whisper.recognise(io.BytesIO(recording("jfk.wav")))


def test_speech_is_recognised(speech: Recognition) -> None:
    """In a clear recording, at most one word in ten is wrong."""
    assert word_error_rate("jfk.wav", speech.text) <= 0.1


def test_segments_cover_the_text_in_order(speech: Recognition) -> None:
    """Segments have the text's words, in order and within the audio, whose length is right."""
    times = [time for segment in speech.segments for time in (segment.start_seconds, segment.end_seconds)]
    assert " ".join(segment.text for segment in speech.segments) == speech.text
    assert all(before <= after for before, after in pairwise([0.0, *times, speech.duration_seconds]))
    assert speech.duration_seconds == pytest.approx(11.0, abs=0.01)


def test_silence_is_an_empty_text(whisper: WhisperRecogniser) -> None:
    """Half a minute of silence, for which Whisper alone writes "you", has no words and no segments."""
    recognition = whisper.recognise(io.BytesIO(silence(30.0)))
    assert (recognition.text, recognition.segments) == ("", ())
    assert recognition.duration_seconds == pytest.approx(30.0, abs=0.01)


def test_options_reach_the_model(whisper: WhisperRecogniser) -> None:
    """The requested language and the prompt's spelling are used."""
    audio = recording("austen-0870.wav")
    plain = whisper.recognise(io.BytesIO(audio), language="en")
    prompted = whisper.recognise(io.BytesIO(audio), language="en", prompt="A letter to Mister John Dashewoode.")
    assert plain.language == "en"
    assert "Dashewoode" in prompted.text
    assert "Dashewoode" not in plain.text


def test_windows_end_in_pauses() -> None:
    """Spans of speech share a window if they fit, and a span that fills a window has its own."""
    assert windows([(0, 10), (11, 20), (21, 28), (28.5, 30), (31, 59), (60, 61)]) == [
        (0, 28),
        (28.5, 30),
        (31, 59),
        (60, 61),
    ]
    assert windows([]) == []


def test_segments_end_where_the_speaker_pauses(whisper: WhisperRecogniser) -> None:
    """Repeated sentences are recognised each time, and each begins a segment."""
    talk = real_speech(1.0, seed=1)
    recognition = whisper.recognise(io.BytesIO(encode(talk.samples, "wav", "pcm_s16le")))
    starts = [segment.start_seconds for segment in recognition.segments]
    assert all(min(abs(each.start_seconds - start) for start in starts) < 1 for each in talk.sentences)
    assert jiwer.wer(talk.words, spoken_words(recognition.text)) <= 0.05


def test_unknown_language_is_an_error(whisper: WhisperRecogniser) -> None:
    """A language that the model does not support is refused, and the error names it."""
    with pytest.raises(UnsupportedLanguageError, match="'xx'"):
        whisper.recognise(io.BytesIO(recording("jfk.wav")), language="xx")


@pytest.mark.parametrize(
    "text",
    ["", "And so, my fellow Americans", "  spaces  ", "naïve 🎉 漢字", "<|endoftext|> is text", "\n"],
    ids=["empty", "English", "spaces", "many bytes a character", "special token", "line break"],
)
def test_tokens_join_to_the_text(whisper: WhisperRecogniser, text: str) -> None:
    """Tokens, joined, are the text itself, for any text."""
    assert "".join(whisper.tokens(text)) == text


def test_words_are_counted_as_whisper_does(whisper: WhisperRecogniser) -> None:
    """Tokens are those of Whisper's vocabulary: a common word is one, a rare one is several."""
    assert whisper.tokens("And so my fellow") == ["And", " so", " my", " fellow"]
    assert len(whisper.tokens(" Dashwood")) > 1


def test_a_shared_character_belongs_to_the_first_token() -> None:
    """If two tokens end in the same character, it appears once."""
    assert split_at("a🎉b", [1, 2, 2, 3]) == ["a", "🎉", "", "b"]


def test_folder_with_a_false_model_is_an_error(tmp_path: Path) -> None:
    """Files that only look like a model are an error that names the folder, at the first use."""
    for name in ("model.bin", "tokenizer.json", "config.json"):
        (tmp_path / name).write_bytes(b"{}")
    broken = WhisperRecogniser(find_model(tmp_path), cache_folder())
    with pytest.raises(RecogniserUnavailableError, match=str(tmp_path)):
        broken.recognise(io.BytesIO(silence(1.0)))
