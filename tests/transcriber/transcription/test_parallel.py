"""Work in parallel: in order, bounded in number and memory, and over with the first failure."""

from collections.abc import Callable, Iterable, Iterator
from threading import Barrier, Event, Lock
from typing import TypeVar

import pytest

from transcriber.audio.containers import Container
from transcriber.cancellation import Cancellation
from transcriber.chunks.chunk import BytesPayload, Chunk, Payload
from transcriber.errors import ApiFailedError, ApiTimeoutError, SettingsError, UnsupportedAudioError
from transcriber.sources.base import Reader
from transcriber.spans import Span
from transcriber.transcription.parallel import map_parallel, memory_for_chunks

T = TypeVar("T")

# Longer than anything here takes, so that a wait for it is a failure.
LONG_SECONDS = 30.0


def chunks(count: int, *, size_bytes: int = 1) -> Iterator[Chunk]:
    """Chunks of a minute each."""
    for minute in range(count):
        yield Chunk(Span(60.0 * minute, 60.0 * minute + 60), Container.MP3, BytesPayload([bytes(size_bytes)]))


def start(chunk: Chunk) -> float:
    return chunk.span.start_seconds


def mapped(
    chunks: Iterable[Chunk],
    work: Callable[[Chunk], T],
    *,
    parallel: int,
    max_memory_bytes: int = 10**9,
    cancellation: Cancellation | None = None,
) -> list[T]:
    """`map_parallel` with memory for everything, and a cancellation that no test looks at, unless it says otherwise."""
    return map_parallel(
        chunks,
        work,
        parallel=parallel,
        cancellation=cancellation or Cancellation(),
        max_memory_bytes=max_memory_bytes,
    )


class InFlight:
    """Work that takes until as many others as there may be are under way; counts them, and the bytes that they hold."""

    def __init__(self, parallel: int) -> None:
        self.together = Barrier(parallel, timeout=LONG_SECONDS)
        self.lock = Lock()
        self.count = self.memory_bytes = self.most = self.most_bytes = 0

    def __call__(self, chunk: Chunk) -> float:
        with self.lock:
            self.count += 1
            self.memory_bytes += chunk.payload.memory_bytes
            self.most, self.most_bytes = max(self.most, self.count), max(self.most_bytes, self.memory_bytes)
        self.together.wait()
        with self.lock:
            self.count -= 1
            self.memory_bytes -= chunk.payload.memory_bytes
        return start(chunk)


def test_results_are_in_order() -> None:
    """Whichever chunk is done first, the results are in the order of the chunks."""
    last_is_done = Event()

    def work(chunk: Chunk) -> float:
        if start(chunk) == 0:
            assert last_is_done.wait(LONG_SECONDS)
        elif start(chunk) == 180:
            last_is_done.set()
        return start(chunk)

    assert mapped(chunks(4), work, parallel=4) == [0, 60, 120, 180]


@pytest.mark.parametrize("parallel", [1, 3])
def test_at_most_so_many_at_a_time(parallel: int) -> None:
    """As many chunks as may be are worked on at the same time, and never more."""
    work = InFlight(parallel)
    assert len(mapped(chunks(4 * parallel), work, parallel=parallel)) == 4 * parallel
    assert work.most == parallel


def test_memory_bytes_are_bounded() -> None:
    """Chunks in flight hold no more bytes than may be held, though more of them might be worked on."""
    work = InFlight(2)
    mapped(chunks(6, size_bytes=40), work, parallel=8, max_memory_bytes=100)
    assert (work.most, work.most_bytes) == (2, 80)


@pytest.mark.parametrize(("memory_mb", "most_mib"), [(128, 0), (256, 80), (512, 336), (4096, 3920)])
def test_what_may_be_held_follows_the_memory(memory_mb: int, most_mib: int) -> None:
    """All that the rest of the function leaves is for chunks."""
    assert memory_for_chunks(memory_mb) == most_mib * 1024 * 1024


def test_in_the_smallest_function_chunks_go_one_at_a_time() -> None:
    """Where nothing is left for chunks in flight, each is worked on all the same."""
    work = InFlight(1)
    mapped(chunks(3), work, parallel=8, max_memory_bytes=memory_for_chunks(128))
    assert work.most == 1


def test_one_chunk_may_be_larger_than_all_that_may_be_held() -> None:
    """A chunk that is too large to be held with others is worked on alone."""
    work = InFlight(1)
    mapped(chunks(3, size_bytes=200), work, parallel=8, max_memory_bytes=100)
    assert work.most == 1


def test_chunks_are_made_as_they_are_needed() -> None:
    """No chunk is cut long before its turn: one beside those in flight."""
    made, done = 0, list[Chunk]()

    def counted() -> Iterator[Chunk]:
        nonlocal made
        for chunk in chunks(10):
            made += 1
            assert made - len(done) <= 2 + 1
            yield chunk

    mapped(counted(), done.append, parallel=2)
    assert (made, len(done)) == (10, 10)


class Streamed(Payload):
    """Bytes that are read from the recording's source."""

    @property
    def size_bytes(self) -> int:
        return 1

    @property
    def memory_bytes(self) -> int:
        return 0

    @property
    def reads_source(self) -> bool:
        return True

    def open(self) -> Reader:
        raise AssertionError


def test_what_is_not_held_is_worked_on_in_this_thread() -> None:
    """A chunk that comes straight from its source, which keeps to one thread, never gets to another one."""
    cancellation = Cancellation()

    def work(_chunk: Chunk) -> None:
        raise ApiFailedError("The API failed.")

    with pytest.raises(ApiFailedError) as caught:
        mapped([Chunk(Span(0, 60), Container.MP3, Streamed())], work, parallel=2, cancellation=cancellation)
    assert caught.value.message == "The API failed."
    assert cancellation.is_cancelled


def test_first_failure_ends_the_rest() -> None:
    """A failure names its minutes, ends what is under way by its deadline, and nothing more is begun or cut."""
    cancellation = Cancellation()
    first_is_at_work, first_ended = Event(), Event()
    begun = []

    def work(chunk: Chunk) -> None:
        begun.append(start(chunk))
        if start(chunk) == 0:
            first_is_at_work.set()
            while not cancellation.is_cancelled:
                first_ended.wait(0.01)
            first_ended.set()
        else:
            assert first_is_at_work.wait(LONG_SECONDS)
            raise ApiFailedError("The API failed.")

    with pytest.raises(ApiFailedError) as caught:
        mapped(chunks(20), work, parallel=2, cancellation=cancellation)
    assert caught.value.message == "The API failed. It happened from 1:00 to 2:00."
    assert first_ended.wait(LONG_SECONDS)
    assert begun == [0, 60]


def test_failure_of_a_whole_recording_names_no_minutes() -> None:
    """What fails for a recording in one chunk is not about a part of it."""

    def work(_chunk: Chunk) -> None:
        raise ApiTimeoutError("The API did not answer.")

    with pytest.raises(ApiTimeoutError) as caught:
        mapped(chunks(1), work, parallel=2)
    assert caught.value.message == "The API did not answer."


def test_setting_that_is_wrong_is_wrong_everywhere() -> None:
    """An error that has nothing to do with a chunk is raised as it is."""

    def work(_chunk: Chunk) -> None:
        raise SettingsError("GENERATIVE_API_KEY", "the API refuses it")

    with pytest.raises(SettingsError) as caught:
        mapped(chunks(3), work, parallel=2)
    assert "It happened" not in caught.value.message


def test_recording_that_cannot_be_cut_ends_what_is_under_way() -> None:
    """An error while the next chunk is cut is raised, and ends those that are being worked on."""
    cancellation = Cancellation()
    ended = Event()

    def broken() -> Iterator[Chunk]:
        yield from chunks(1)
        raise UnsupportedAudioError("It is damaged.")

    def work(_chunk: Chunk) -> None:
        while not cancellation.is_cancelled:
            ended.wait(0.01)
        ended.set()

    with pytest.raises(UnsupportedAudioError):
        mapped(broken(), work, parallel=2, cancellation=cancellation)
    assert ended.wait(LONG_SECONDS)
