"""Works on chunks in parallel, in bounded memory, and gives what came of them in order."""

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from transcriber.chunks.chunk import Chunk
from transcriber.deadline import Deadline
from transcriber.errors import ApiError, SourceError
from transcriber.spans import clock_time

T = TypeVar("T")

BYTES_PER_MIB = 1024 * 1024
# What a function has where the platform does not say.
DEFAULT_MEMORY_MB = 256
# Of it, interpreter, libraries and decoder take 90 MiB, the runtime's own process 24, and the next chunk, while it is
# being cut, up to 50; what is left is for the chunks in flight.
OTHER_MEMORY_MIB = 176


def most_held_bytes(memory_mb: int) -> int:
    """What the chunks in flight may hold in a function with so much memory; with nothing left, it is one at a time."""
    return max(0, memory_mb - OTHER_MEMORY_MIB) * BYTES_PER_MIB


DEFAULT_HELD_BYTES = most_held_bytes(DEFAULT_MEMORY_MB)


def map_parallel(
    chunks: Iterable[Chunk],
    work: Callable[[Chunk], T],
    *,
    parallel: int,
    deadline: Deadline,
    max_held_bytes: int = DEFAULT_HELD_BYTES,
) -> list[T]:
    """What `work` makes of each chunk, at most `parallel` at a time; the first error ends all of it.

    A chunk that comes straight from its source is worked on here, since a source keeps to one thread. After an error,
    `deadline` is over for what is still under way.
    """
    results: list[Future[T]] = []
    in_flight: dict[Future[T], Chunk] = {}
    pool = ThreadPoolExecutor(parallel, thread_name_prefix="chunk")
    try:
        for chunk in chunks:
            if not chunk.body.held_bytes:
                results.append(_done(chunk, work))
                continue
            _collect(in_flight, timeout_seconds=0)
            while in_flight and (
                len(in_flight) >= parallel or _held(in_flight) + chunk.body.held_bytes > max_held_bytes
            ):
                _collect(in_flight)
            future = pool.submit(work, chunk)
            in_flight[future] = chunk
            results.append(future)
        is_whole = len(results) == 1
        while in_flight:
            _collect(in_flight, is_whole=is_whole)
    except BaseException:
        deadline.end()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return [future.result() for future in results]


def _held(in_flight: dict[Future[T], Chunk]) -> int:
    return sum(chunk.body.held_bytes for chunk in in_flight.values())


def _collect(
    in_flight: dict[Future[T], Chunk], *, timeout_seconds: float | None = None, is_whole: bool = False
) -> None:
    """Wait for a chunk to be done, and raise its error if it has one: which part it is about, if it is a part."""
    done, _ = wait(in_flight, timeout_seconds, FIRST_COMPLETED)
    for future in done:
        span = in_flight.pop(future).span
        try:
            future.result()
        except (ApiError, SourceError) as error:
            if not is_whole:
                error.add(f"It happened from {clock_time(span.start_seconds)} to {clock_time(span.end_seconds)}.")
            raise


def _done(chunk: Chunk, work: Callable[[Chunk], T]) -> Future[T]:
    future: Future[T] = Future()
    future.set_result(work(chunk))
    return future
