"""Works on chunks in parallel, in bounded memory, and returns the results in order."""

import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from transcriber.cancellation import Cancellation
from transcriber.chunks.chunk import Chunk
from transcriber.errors import ApiError, SourceError
from transcriber.spans import clock_time

T = TypeVar("T")

BYTES_PER_MIB = 1024 * 1024
# The memory of a function where the platform does not state it.
DEFAULT_MEMORY_MB = 256
# Of it, interpreter, libraries and decoder take 90 MiB, the runtime's own process 24, and the next chunk, while it is
# being cut, up to 50; the rest is for the chunks in flight.
OTHER_MEMORY_MIB = 176
# A thread ends within milliseconds of a cancellation, unless the system is looking up a name for it, which cannot be
# interrupted; the answer does not wait for that.
CANCELLED_THREAD_SECONDS = 2.0


def memory_for_chunks(memory_mb: int) -> int:
    """The bytes that chunks in flight may occupy in a function with this memory; 0 means one chunk at a time."""
    return max(0, memory_mb - OTHER_MEMORY_MIB) * BYTES_PER_MIB


def map_parallel(
    chunks: Iterable[Chunk],
    work: Callable[[Chunk], T],
    *,
    parallel: int,
    cancellation: Cancellation,
    max_memory_bytes: int,
) -> list[T]:
    """The results of `work` for each chunk, at most `parallel` at a time; the first error ends all of it.

    A chunk that is read from its source is worked on in this thread, because a source belongs to one thread. After an
    error, no thread works on and no chunk is kept, even where the error is; `work` has to end when `cancellation` says
    so.
    """
    results: list[Future[T]] = []
    in_flight: dict[Future[T], Chunk] = {}
    chunk: Chunk | None = None
    pool = ThreadPoolExecutor(parallel, thread_name_prefix="chunk")
    try:
        for chunk in chunks:
            if chunk.payload.reads_source:
                results.append(_done(work(chunk)))
                continue
            _collect(in_flight, timeout_seconds=0)
            while in_flight and (
                len(in_flight) >= parallel or _memory_bytes(in_flight) + chunk.payload.memory_bytes > max_memory_bytes
            ):
                _collect(in_flight)
            results.append(pool.submit(work, chunk))
            in_flight[results[-1]] = chunk
        is_only = len(results) == 1
        while in_flight:
            _collect(in_flight, is_only=is_only)
        return [future.result() for future in results]
    except BaseException as error:
        cancellation.cancel()
        done, _ = wait(in_flight, CANCELLED_THREAD_SECONDS)
        for each in (error, *(future.exception() for future in done if not future.cancelled())):
            _clear_frames(each)
        chunk = None
        raise
    finally:
        pool.shutdown(wait=all(future.done() for future in in_flight), cancel_futures=True)
        in_flight.clear()
        results = []


def _clear_frames(error: BaseException | None) -> None:
    """Forget the variables of all frames that an error and its causes passed: they hold chunks, of 5 MB and more."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def _memory_bytes(in_flight: dict[Future[T], Chunk]) -> int:
    return sum(chunk.payload.memory_bytes for chunk in in_flight.values())


def _collect(in_flight: dict[Future[T], Chunk], *, timeout_seconds: float | None = None, is_only: bool = False) -> None:
    """Wait for a chunk to be done, and raise its error if it has one, with its times if there are other chunks."""
    done, _ = wait(in_flight, timeout_seconds, FIRST_COMPLETED)
    for future in done:
        span = in_flight.pop(future).span
        try:
            future.result()
        except (ApiError, SourceError) as error:
            if not is_only:
                error.add(f"It happened from {clock_time(span.start_seconds)} to {clock_time(span.end_seconds)}.")
            raise


def _done(result: T) -> Future[T]:
    future: Future[T] = Future()
    future.set_result(result)
    return future
