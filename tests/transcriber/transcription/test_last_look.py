"""The last look: each chunk against all others, when the whole recording is transcribed."""

from transcriber.spans import Span
from transcriber.transcription.chunk_result import ChunkResult
from transcriber.transcription.issues import COPY, FEW_WORDS, TOO_MANY_WORDS
from transcriber.transcription.last_look import last_look

WORDS = (
    "and mister john dashwood had then leisure to consider how much there might be prudently in his power to do for "
    "them he was not an ill disposed young man unless to be rather cold hearted and rather selfish is to be"
)


def result(number: int, text: str, *, sound_seconds: float = 200.0, is_doubtful: bool = False) -> ChunkResult:
    return ChunkResult(
        Span(300.0 * number, 300.0 * number + 300), text, "m", sound_seconds=sound_seconds, is_doubtful=is_doubtful
    )


def words(number: int, times: int = 15) -> str:
    """A text of 3,000 letters or so, which no other number has."""
    return " ".join(f"{part} {chr(97 + number)} {chr(97 + place)}" for place, part in enumerate([WORDS] * times))


def test_chunks_of_a_pace_have_no_warning() -> None:
    """Where all chunks have about as many words a second, there is nothing to warn of."""
    assert last_look([result(number, words(number)) for number in range(6)]) == ()


def test_chunk_with_far_fewer_words_than_the_others() -> None:
    """A chunk that was done before the others is checked against them now; one that has a warning gets no second."""
    others = [result(number, words(number)) for number in range(1, 6)]
    (warning,) = last_look([result(0, words(0, 9)), *others])
    assert warning.startswith(f"From 0:00 to 5:00 {FEW_WORDS}")
    assert last_look([result(0, words(0, 9), is_doubtful=True), *others]) == ()


def test_chunk_with_twice_the_words() -> None:
    """A chunk with the text of the one before and its own has more words than its time holds."""
    results = [result(number, words(number)) for number in range(6)]
    (warning,) = last_look([*results[:3], result(3, words(2) + words(3)), *results[4:]])
    assert warning.startswith(f"From 15:00 to 20:00 {TOO_MANY_WORDS}")


def test_copy_of_another_chunk_counts_where_the_sound_differs() -> None:
    """The same words are doubtful where their sound lasts longer, and not in a recording that repeats itself."""
    results = [result(number, words(number)) for number in range(6)]
    assert last_look([*results, result(6, words(5))]) == ()
    assert COPY in last_look([*results, result(6, words(5), sound_seconds=208)])[0]
