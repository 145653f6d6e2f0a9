"""The pace of a recording: how many letters its other chunks have for each second of sound.

It is filled while chunks run in parallel, so that early chunks are checked against few others; `last_look` checks all
of them when they are joined.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import sqrt
from statistics import median
from threading import Lock

from transcriber.audio.loudness import SHORTEST_PAUSE_SECONDS
from transcriber.spans import Span
from transcriber.text.letters import count_letters
from transcriber.text.repetition import units_of
from transcriber.transcription.chunk_result import ChunkResult

# Of synthetic voices in 13 languages and of recorded speech, letters a second of sound: 9 to 23. With fewer than this,
# half of the words of a slow speaker are missing; singing and speech under music have fewer, and are warned of.
MIN_LETTERS_PER_SECOND = 5.0
# No speaker says more: the figure of the fastest synthetic voice, and a sixth.
MAX_LETTERS_PER_SECOND = 27.0
# A text that repeats itself, or another chunk, is doubtful at a pace that few speakers keep.
MAX_REPEATED_LETTERS_PER_SECOND = 16.0
# In less sound, a few words beside a noise may be all that there is: the floor rises up to this length.
FULL_FLOOR_SECONDS = 40.0
LEAST_FLOOR_SHARE = 0.2

# Pace varies within a speaker by a fifth from one sentence to the next (Jacewicz and others, JASA 128, 2010: 0.9
# syllables of 5), of about seven seconds; and over a recording by some percent.
SENTENCE_DEVIATION = 0.2
SENTENCE_SECONDS = 7.0
RECORDING_DEVIATION = 0.02
# Beyond this many deviations from the pace of the others a text is doubtful: one of 200 chunks, by chance.
DOUBTFUL_DEVIATIONS = 2.6
# Twice the words are far more than any deviation.
TOO_FAST = 1.6
REPEATED_TOO_FAST = 1.3

# Less sound says little about a pace.
MIN_PACE_SECONDS = 20.0
MIN_OTHERS = 2
# The others' own differences count where they are more than chance would make them: of speakers who take turns.
MAD_TO_DEVIATION = 1.48

# This number of equal units in a row is no coincidence, and no phrase that a person says again.
MIN_REPEATED_UNITS = 25
# No person says as many words again without a change.
MIN_COPIED_UNITS = 100
# Runs of words are searched for from each of this number of words.
COPIED_STEP = 25
# The same words take the same time, each time they are said; a recording that repeats itself does so exactly.
SAME_SOUND_SHARE = 0.02
# Where phrases are known: a recording that is repeated has the same ones again, with the same pauses: as many in a row,
# to within two windows.
SAME_PHRASES = 6
SAME_PHRASE_SECONDS = 0.1


@dataclass(frozen=True)
class Paced:
    """A text, and the sound that it was transcribed from: its seconds, and its phrases where they are known."""

    span: Span
    text: str
    sound_seconds: float
    phrases: tuple[Span, ...] = field(default=(), repr=False)

    @property
    def letters_per_second(self) -> float:
        """Its pace."""
        return count_letters(self.text) / max(self.sound_seconds, 0.1)


@dataclass(frozen=True)
class Bounds:
    """The letters that a text should have at least and at most, and those that the sound is likely to hold."""

    least: float
    likely: float
    most: float
    most_repeated: float


def bounds(sound_seconds: float, others: Sequence[Paced] = ()) -> Bounds:
    """The bounds for `sound_seconds` of a recording with these `others`."""
    rising = min(1.0, max(LEAST_FLOOR_SHARE, sound_seconds / FULL_FLOOR_SECONDS))
    floor = sound_seconds * MIN_LETTERS_PER_SECOND * rising
    most = sound_seconds * MAX_LETTERS_PER_SECOND
    rates = [other.letters_per_second for other in others if other.sound_seconds >= MIN_PACE_SECONDS]
    if len(rates) < MIN_OTHERS or not (usual := median(rates)):
        return Bounds(floor, floor, most, sound_seconds * MAX_REPEATED_LETTERS_PER_SECOND)
    likely = usual * sound_seconds
    spread = MAD_TO_DEVIATION * median(abs(rate / usual - 1) for rate in rates)
    by_chance = SENTENCE_DEVIATION * sqrt(SENTENCE_SECONDS / max(sound_seconds, SENTENCE_SECONDS))
    # The median of few varies, too.
    deviation = sqrt(by_chance**2 + max(RECORDING_DEVIATION, spread if len(rates) > MIN_OTHERS else 0.0) ** 2)
    deviation *= sqrt(1 + 1 / len(rates))
    own_floor = likely * max(0.0, 1 - DOUBTFUL_DEVIATIONS * deviation)
    # Where all is slow, as in a song, the recording's own pace counts; half of the absolute floor always holds.
    return Bounds(max(own_floor, floor / 2), likely, likely * TOO_FAST, likely * REPEATED_TOO_FAST)


@dataclass
class RecordingPace:
    """The chunks that are transcribed already; threads add to it."""

    _done: dict[Span, Paced] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def add(self, paced: Paced) -> None:
        """Count a chunk whose text is not in doubt."""
        with self._lock:
            self._done[paced.span] = paced

    def add_results(self, results: Iterable[ChunkResult]) -> None:
        """Count the results of an earlier run that are not in doubt."""
        for result in results:
            if result.sound_seconds is not None and not result.is_doubtful:
                with self._lock:
                    self._done.setdefault(result.span, Paced(result.span, result.text, result.sound_seconds))

    def others(self, span: Span) -> tuple[Paced, ...]:
        """The chunks outside `span`."""
        with self._lock:
            return tuple(
                paced
                for paced in self._done.values()
                if paced.span.end_seconds <= span.start_seconds or paced.span.start_seconds >= span.end_seconds
            )


def repeats_itself(text: str) -> bool:
    """Whether the second half of `text` is the first one again."""
    units = units_of(text)
    half = len(units) // 2
    return half >= MIN_REPEATED_UNITS and units[:half] == units[len(units) - half :]


def repeats_another(text: str, others: Iterable[str]) -> bool:
    """Whether `text` begins like one of the `others`, or with its end, for longer than by chance."""
    units = units_of(text)
    start = units[:MIN_REPEATED_UNITS]
    if len(start) < MIN_REPEATED_UNITS:
        return False
    for other in map(units_of, others):
        if other[:MIN_REPEATED_UNITS] == start:
            return True
        places = (place for place, unit in enumerate(other) if unit == start[0])
        if any(other[place : place + MIN_REPEATED_UNITS] == start for place in places):
            return True
    return False


def is_copy(paced: Paced, others: Iterable[Paced]) -> bool:
    """Whether the text has many words in a row of another chunk, although the sound is not the same again."""
    units = units_of(paced.text)
    starts = range(0, len(units) - MIN_COPIED_UNITS + 1, COPIED_STEP)
    runs = [_words(units[start : start + MIN_COPIED_UNITS]) for start in starts]
    for other in others if runs else ():
        if paced.phrases and other.phrases:
            words = _words(units_of(other.text))
            if any(run in words for run in runs) and _sounds_different(paced.phrases, other.phrases):
                return True
        elif _differs(paced, other) and units_of(other.text) == units:
            return True
    return False


def _differs(paced: Paced, other: Paced) -> bool:
    """Whether they have more or less sound than the same words have."""
    return abs(other.sound_seconds - paced.sound_seconds) > SAME_SOUND_SHARE * paced.sound_seconds


def _words(units: Sequence[str]) -> str:
    """The units as a text in which those of a run can be found."""
    return f" {' '.join(units)} "


def _sounds_different(phrases: Sequence[Span], others: Sequence[Span]) -> bool:
    """Whether the rhythms of both have nothing in common; too few phrases say nothing.

    Phrases are compared as they are, and joined over pauses so short that they may be seen the one time and not the
    other, since the windows of loudness fall differently.
    """
    ours, theirs = _rhythm(_joined(phrases)), _rhythm(_joined(others))
    if min(len(ours), len(theirs)) < SAME_PHRASES or _have_a_run_in_common(ours, theirs):
        return False
    return not _have_a_run_in_common(_rhythm(phrases), _rhythm(others))


def _joined(phrases: Sequence[Span]) -> list[Span]:
    """The phrases, joined where the pause between them is short."""
    joined: list[Span] = []
    for phrase in phrases:
        if joined and phrase.start_seconds - joined[-1].end_seconds < SHORTEST_PAUSE_SECONDS:
            joined[-1] = Span(joined[-1].start_seconds, phrase.end_seconds)
        else:
            joined.append(phrase)
    return joined


def _have_a_run_in_common(ours: Sequence[tuple[float, float]], theirs: Sequence[tuple[float, float]]) -> bool:
    """Whether several phrases in a row, with the pauses between them, are as long as others in a row."""
    runs = [0] * (len(theirs) + 1)
    for sound, pause in ours:
        # Each entry is the length of the run that ends here and there; from the last to the first, since it is the one
        # before that grows.
        for place in range(len(theirs), 0, -1):
            other_sound, other_pause = theirs[place - 1]
            is_same = (
                abs(sound - other_sound) <= SAME_PHRASE_SECONDS and abs(pause - other_pause) <= SAME_PHRASE_SECONDS
            )
            runs[place] = runs[place - 1] + 1 if is_same else 0
            if runs[place] >= SAME_PHRASES:
                return True
    return False


def _rhythm(phrases: Sequence[Span]) -> list[tuple[float, float]]:
    """How long each phrase is, and the pause after it."""
    return [
        (phrase.duration_seconds, following.start_seconds - phrase.end_seconds)
        for phrase, following in pairwise(phrases)
    ]
