"""Transcribes many recordings at the same time, and hands out their results in order."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Thread

from transcribe_client.errors import NoTranscriptError, StoppedError
from transcribe_client.progress import Progress
from transcribe_client.recordings import Recording
from transcribe_client.work import Collected, RecordingWork


@dataclass(frozen=True)
class Result:
    """What became of a recording: its transcripts, or the reason why there are none."""

    recording: Recording
    collected: Collected | None = None
    reason: str | None = None
    unexpected: BaseException | None = None


def run(
    recordings: Sequence[Recording],
    new_work: Callable[[], RecordingWork],
    on_result: Callable[[Result], None],
    *,
    parallel: int,
    stop: Event,
    progress: Progress,
) -> None:
    """Call `on_result` in this thread for each recording, in order; an interruption ends it at once.

    The threads are daemons: one that waits for an answer must not keep an interrupted command alive.
    """
    waiting = deque(recordings)
    results: SimpleQueue[Result] = SimpleQueue()

    def work() -> None:
        own = new_work()
        while not stop.is_set():
            try:
                recording = waiting.popleft()
            except IndexError:
                return
            results.put(_result(own, recording, progress))
            progress.end(recording)

    for number in range(min(parallel, len(recordings))):
        Thread(target=work, daemon=True, name=f"recording-{number}").start()
    arrived: dict[str, Result] = {}
    for recording in recordings:
        while recording.name not in arrived:
            result = results.get()
            if result.unexpected is not None:
                raise result.unexpected
            arrived[result.recording.name] = result
        on_result(arrived.pop(recording.name))


def _result(own: RecordingWork, recording: Recording, progress: Progress) -> Result:
    try:
        return Result(recording, own.transcribe(recording, lambda share, state: progress.move(recording, share, state)))
    except NoTranscriptError as error:
        return Result(recording, reason=str(error))
    except StoppedError:
        return Result(recording, reason="stopped")
    except BaseException as error:  # noqa: BLE001 # raised again in the main thread, which would wait for ever
        return Result(recording, unexpected=error)
