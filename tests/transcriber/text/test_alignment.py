"""Alignment: words get the times of the speech that they were, to a second, and none is lost."""

import io
import wave
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.recordings import recording, silence
from support.speech import speak

from transcriber.spans import Segment, Span
from transcriber.text.alignment import align

SPOKEN = {
    "jfk.wav": "And so, my fellow Americans, ask not what your country can do for you, "
    "ask what you can do for your country.",
    "austen-0870.wav": "And Mr. John Dashwood had then leisure to consider "
    "how much there might be prudently in his power to do for them.",
    "austen-0880.wav": "He was not an ill-disposed young man.",
    "austen-0890.wav": "Unless to be rather cold-hearted and rather selfish is to be ill-disposed.",
    "austen-0930.wav": "He might even have been made amiable himself.",
}
SAMPLE_RATE_HZ = 16_000
FRAME_SECONDS = 0.02
# As the function does: what is shorter is a stop consonant, not a pause.
MIN_PAUSE_SECONDS = 0.25

texts = st.text(max_size=200) | st.text("ab .,!?", max_size=400) | st.text("你好。，我们", max_size=200)  # noqa: RUF001 # CJK


def borders(segments: Sequence[Segment]) -> dict[int, tuple[float, float]]:
    """For the number of words before a border, when the words before it ended and the next began."""
    count, found = 0, {}
    for before, after in pairwise(segments):
        count += len(before.text.split())
        found[count] = (before.end_seconds, after.start_seconds)
    return found


def late_borders(true: Sequence[Segment], found: Sequence[Segment]) -> list[int]:
    """The borders of `true` that are not within a second in `found`."""
    places = borders(found)
    return [
        count
        for count, (end, start) in borders(true).items()
        if count not in places or abs(places[count][0] - end) > 1 or abs(places[count][1] - start) > 1
    ]


@pytest.mark.parametrize("seed", range(8))
def test_sentence_borders_are_right_to_a_second(seed: int) -> None:
    """In five minutes of sentences at paces of their own each is found: errors do not add up."""
    speech = speak(seed)
    segments = align(speech.text, speech.spans, max_seconds=speech.end_seconds)
    assert late_borders(speech.sentences, segments) == []


def test_hesitation_costs_few_borders() -> None:
    """Where pauses fall anywhere in a sentence too, 98 of 100 borders are right all the same."""
    speeches = [speak(seed, hesitation=0.015) for seed in range(6)]
    late = [
        late_borders(speech.sentences, align(speech.text, speech.spans, max_seconds=speech.end_seconds))
        for speech in speeches
    ]
    assert sum(map(len, late)) <= 0.02 * sum(len(speech.sentences) for speech in speeches)


def test_recorded_sentences_are_right_to_a_second() -> None:
    """Real sentences, joined with pauses: each begins and ends where its recording does."""
    samples: list[np.ndarray] = []
    true: list[Segment] = []
    now = 0.0
    for number, (name, text) in enumerate(list(SPOKEN.items()) * 3):
        sound = _samples(recording(name))
        start = now + _spans(sound)[0].start_seconds
        end = now + _spans(sound)[-1].end_seconds
        true.append(Segment(start, end, text))
        pause = _samples(silence(0.4 + 0.3 * (number % 4)))
        samples += [sound, pause]
        now += (len(sound) + len(pause)) / SAMPLE_RATE_HZ
    segments = align(" ".join([*SPOKEN.values()] * 3), _spans(np.concatenate(samples)), max_seconds=now)
    assert late_borders(true, segments) == []


@settings(deadline=None)
@given(texts, st.lists(st.floats(0.001, 20), max_size=40))
def test_words_are_kept_in_order_and_in_time(text: str, lengths: list[float]) -> None:
    """Whatever the text and the spans, more pauses than words or none at all, each word is in one segment, in order."""
    edges = [sum(lengths[:count]) for count in range(len(lengths) + 1)]
    speech = [Span(start, end) for start, end in zip(edges[::2], edges[1::2], strict=False)]
    max_seconds = edges[-1] + 1
    segments = align(text, speech, max_seconds=max_seconds)
    assert "".join(" ".join(segment.text for segment in segments).split()) == "".join(text.split())
    moments = [moment for segment in segments for moment in (segment.start_seconds, segment.end_seconds)]
    assert moments == sorted(moments)
    assert all(0 <= moment <= max_seconds + 1e-6 for moment in moments)
    assert all(segment.text for segment in segments)


def test_without_speech_time_is_shared_out() -> None:
    """Where no speech was found, sentences share the time by their letters."""
    first, second = align("One two three four. Five six.", [], max_seconds=10)
    assert first.start_seconds == 0
    assert first.end_seconds == second.start_seconds == pytest.approx(6.5, abs=0.5)
    assert second.end_seconds == 10


def test_no_time_at_all() -> None:
    """A recording without a length still has its words."""
    assert align("One. Two.", [], max_seconds=0) == (Segment(0, 0, "One. Two."),)
    assert align(" \n", [Span(0, 1)], max_seconds=1) == ()


def test_more_words_than_anybody_says_are_shared_out() -> None:
    """A hundred words a second are no speech, and all of them are there all the same."""
    speech = [Span(2 * number, 2 * number + 1) for number in range(30)]
    segments = align("And so on. " * 1000, speech, max_seconds=60)
    assert " ".join(segment.text for segment in segments).split() == ["And", "so", "on."] * 1000
    assert segments[len(segments) // 2].start_seconds == pytest.approx(30, abs=1.5)


def test_abbreviations_end_nothing() -> None:
    """A title and initials stay with the name."""
    segments = align("Dr. J. F. Smith came, e.g. by train. He left.", [Span(0, 3), Span(4, 5)], max_seconds=5)
    assert [segment.text for segment in segments] == ["Dr. J. F. Smith came, e.g. by train.", "He left."]
    assert segments[1] == Segment(4, 5, "He left.")


def test_text_without_punctuation_ends_at_long_pauses() -> None:
    """Without sentences, long pauses are borders, and so are short ones after some seconds."""
    words = "so we went to the river and it was cold"
    segments = align(f"{words} {words} {words}", [Span(0, 3), Span(4.2, 7.2), Span(8.4, 11.4)], max_seconds=12)
    assert segments == (Segment(0, 3, words), Segment(4.2, 7.2, words), Segment(8.4, 11.4, words))


def test_clauses_that_a_pause_parts_are_segments() -> None:
    """Two sentences that a model wrote as one are two where the speaker paused; a clause without a pause is none."""
    speech = [Span(0, 3), Span(3.6, 7), Span(7.5, 9)]
    segments = align("He was not an old man, and so he went, of course. he came", speech, max_seconds=9)
    assert [segment.text for segment in segments] == ["He was not an old man,", "and so he went, of course.", "he came"]
    assert [segment.start_seconds for segment in segments] == [0, 3.6, 7.5]


def test_scripts_without_spaces_have_characters_for_words() -> None:
    """Chinese sentences find their pauses, and their characters stay together."""
    text = "我们今天去北京看朋友。他住在一个很小的房子里，可是很高兴。"  # noqa: RUF001 # a Chinese comma
    first, second = align(text, [Span(1, 3.5), Span(4.5, 6.7), Span(7, 8.2)], max_seconds=9)
    assert first == Segment(1, 3.5, "我们今天去北京看朋友。")
    assert second == Segment(4.5, 8.2, "他住在一个很小的房子里，可是很高兴。")  # noqa: RUF001 # the same


def _samples(wav: bytes) -> np.ndarray:
    with wave.open(io.BytesIO(wav)) as reader:
        return np.frombuffer(reader.readframes(reader.getnframes()), "<i2").astype(np.float64)


def _spans(samples: np.ndarray) -> list[Span]:
    """Where it is louder than a fiftieth of the loudest, pauses shorter than `MIN_PAUSE_SECONDS` included."""
    size = int(FRAME_SECONDS * SAMPLE_RATE_HZ)
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    levels = np.sqrt((frames**2).mean(axis=1))
    spans: list[Span] = []
    for number in np.flatnonzero(levels > levels.max() / 50).tolist():
        start = number * FRAME_SECONDS
        if spans and start - spans[-1].end_seconds < MIN_PAUSE_SECONDS:
            start = spans.pop().start_seconds
        spans.append(Span(start, (number + 1) * FRAME_SECONDS))
    return spans
