"""Decides whether a text seems incomplete, or more than its sound holds: letters against seconds of sound.

Never calls the API; `completeness` decides what follows.
"""

from contextlib import suppress
from dataclasses import dataclass, replace

from transcriber.api.backend import ChunkTranscript
from transcriber.chunks.chunk import Chunk
from transcriber.errors import SourceError
from transcriber.text.letters import count_letters
from transcriber.text.repetition import is_repetitive
from transcriber.transcription.pace import (
    MIN_LETTERS_PER_SECOND,
    Paced,
    RecordingPace,
    bounds,
    is_copy,
    repeats_another,
    repeats_itself,
)
from transcriber.transcription.wordless import find_wordless

# Less sound than this may be a cough, or a door.
MIN_SPEECH_SECONDS = 0.5
# In this little sound the edges of noises count more than the words: one long word is not too many.
MIN_FAST_SECONDS = 5.0

# In less, there are too few sentences to match with the sound.
MIN_MATCHED_SECONDS = 60.0

# The words that were lost, or that were too many, are a seventh of the text at least; half of them are no cure.
HEALED_SHARE = 1.1

NO_WORDS = "there is sound, and no words were found."
FEW_WORDS = "there is sound, and few words were found."
REPETITION = "the same words come over and over."
TOO_MANY_WORDS = "there are more words than the sound has time for: some may be there twice, or invented."
COPY = "the words are those of another part, although the sound is not."
NO_FITTING_WORDS = "or about there, there is sound that none of the words fits."
LISTEN = "Listen to it: words may be missing."


@dataclass(frozen=True)
class CompletenessIssue:
    """Why a text is in doubt, with how many seconds of sound its words are off, and the warning.

    `is_too_few` where words seem to be missing, and `is_too_many` where some seem to be there twice, or invented.
    """

    missing_seconds: float
    warning: str
    is_too_few: bool = False
    is_too_many: bool = False


def is_dispelled(issue: CompletenessIssue, doubtful: str, again: str) -> bool:
    """Whether a text without an issue differs from the `doubtful` one as it has to: a fault may just hide better."""
    before, after = count_letters(doubtful), count_letters(again)
    if issue.is_too_many:
        return after * HEALED_SHARE <= before
    return not issue.is_too_few or after >= before * HEALED_SHARE


def find_issue(
    chunk: Chunk, transcript: ChunkTranscript, pace: RecordingPace, *, is_verbatim: bool
) -> CompletenessIssue | None:
    """The issue of the text, if it has one; an answer that is not the words alone can only be empty."""
    where = chunk.span.clock_times
    text = transcript.text
    if not text.strip() and _may_hold_words(chunk):
        seconds = chunk.loudness.speech_seconds or chunk.duration_seconds
        return CompletenessIssue(seconds, f"{where} {NO_WORDS} {LISTEN}", is_too_few=True)
    if not is_verbatim:
        return None
    if is_repetitive(text):
        # Worse than no text at all for as long.
        return CompletenessIssue(2 * chunk.duration_seconds, f"{where} {REPETITION} {LISTEN}")
    if not chunk.has_loudness and _is_ample(count_letters(text), text, chunk.duration_seconds):
        # A recording that was sent while it arrived has no other chunks, and reading it again takes time; the words are
        # there, and are not given up because their check fails.
        found = None
        with suppress(SourceError):
            found = _wordless_issue(chunk, transcript)
        return found
    return _issue_by_pace(chunk, text, pace) or _wordless_issue(chunk, transcript)


def _may_hold_words(chunk: Chunk) -> bool:
    """Whether there is enough sound for a word, however quiet: speech under the usual levels is no silence, either."""
    speech_seconds = chunk.loudness.speech_seconds
    return speech_seconds >= MIN_SPEECH_SECONDS or (not speech_seconds and not chunk.loudness.is_steady)


def _issue_by_pace(chunk: Chunk, text: str, pace: RecordingPace) -> CompletenessIssue | None:
    paced = Paced(chunk.span, text, chunk.loudness.speech_seconds, chunk.loudness.phrases)
    found = None if paced.sound_seconds < MIN_SPEECH_SECONDS else issue_of(paced, pace.others(chunk.span))
    return found and replace(found, warning=f"{chunk.span.clock_times} {found.warning} {LISTEN}")


def issue_of(paced: Paced, others: tuple[Paced, ...]) -> CompletenessIssue | None:
    """The issue of a text beside the `others` of its recording; its warning has no times yet."""
    letters = count_letters(paced.text)
    seconds = paced.sound_seconds
    limits = bounds(seconds, others)
    likely_pace = max(limits.likely / seconds, MIN_LETTERS_PER_SECOND)
    if letters < max(1.0, limits.least):
        missing_seconds = max(0.0, limits.likely - letters) / likely_pace
        return CompletenessIssue(missing_seconds, FEW_WORDS if letters else NO_WORDS, is_too_few=True)
    if seconds < MIN_FAST_SECONDS:
        return None
    if letters > limits.most or (
        letters > limits.most_repeated
        and (repeats_itself(paced.text) or repeats_another(paced.text, (other.text for other in others)))
    ):
        return CompletenessIssue((letters - limits.most_repeated) / likely_pace, TOO_MANY_WORDS, is_too_many=True)
    if is_copy(paced, others):
        return CompletenessIssue(seconds, COPY)
    return None


def _wordless_issue(chunk: Chunk, transcript: ChunkTranscript) -> CompletenessIssue | None:
    """The issue of a text without times whose sentences fit only a part of the sound."""
    if transcript.segments is not None or chunk.duration_seconds < MIN_MATCHED_SECONDS:
        return None
    gap = find_wordless(transcript.text, chunk.loudness.phrases)
    if gap is None:
        return None
    warning = f"{gap.moved(chunk.origin_seconds).clock_times} {NO_FITTING_WORDS} {LISTEN}"
    return CompletenessIssue(gap.duration_seconds, warning, is_too_few=True)


def _is_ample(letters: float, text: str, duration_seconds: float) -> bool:
    """Whether the text is long enough, and not too long, whatever part of its time is sound."""
    limits = bounds(duration_seconds)
    return limits.least <= letters <= limits.most_repeated / 2 or (
        limits.least <= letters <= limits.most_repeated and not repeats_itself(text)
    )
