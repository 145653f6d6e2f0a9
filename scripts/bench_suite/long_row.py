"""Rows for long recordings: the cost of a whole request, and of cutting alone."""

import json
import multiprocessing
import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any, Final, TypeVar

from bench_suite import api_server, long_server, memory, ours
from bench_suite.lines import CPU, RESIDENT, WALL, Line, Target
from bench_suite.links import UNLIMITED
from bench_suite.long_recording import Kind, long_recording
from bench_suite.servers import ServerProcess
from bench_suite.work import Contender
from bench_suite.worker import WorkFailedError

BYTES_PER_MIB: Final = 1024 * 1024
# Far above the limit of a deployment, so that a busy machine does not make a row fail.
TIME_LIMIT: Final = "1800"
# Chunks overlap a little, and each WAV chunk has a header.
MOST_SENT_TWICE: Final = 1.01
# The size of a second of audio as it is sent.
SENT_BYTES_PER_SECOND: Final[Mapping[Kind, int]] = {
    Kind.MP3: 16_000,
    Kind.SPEECH_WAV: 32_000,
    Kind.STUDIO_WAV: 32_000,
    Kind.M4A: 32_000,
}

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class LongRow:
    """A request with the URL of a recording, which a new instance cuts into chunks of five minutes.

    The API takes `real_time_factor` times the duration of a chunk. The limit of the wall time is the time for the
    longest chunk, where `parallel_calls` covers all chunks; memory is that of the whole process. The event's context
    says that the function has `memory_mb`.
    """

    name: str
    kind: Kind
    minutes: int
    real_time_factor: float
    parallel_calls: int
    rounds: int
    quick_rounds: int
    memory_mb: int = 256
    wall_target: Target | None = None
    memory_target: Target | None = None
    only_by_name: bool = False

    def measure(self, rounds: int) -> tuple[Line, ...]:
        """The lines of this row."""
        seconds_per_byte = self.real_time_factor / SENT_BYTES_PER_SECOND[self.kind]
        with ExitStack() as stack:
            make_source = partial(long_server.make_answer, kind=self.kind, minutes=self.minutes)
            source = stack.enter_context(ServerProcess(make_source, UNLIMITED))
            make_api = partial(api_server.make_answer, seconds_per_byte=seconds_per_byte)
            api = stack.enter_context(ServerProcess(make_api, UNLIMITED))
            settings = ours.environment(api.url + api_server.PATH) | {
                "CHUNK_MINUTES": "5",
                "PARALLEL_CALLS": str(self.parallel_calls),
                "TIME_LIMIT": TIME_LIMIT,
            }
            request = partial(_transcribe, memory_mb=self.memory_mb)
            samples = [_in_new_process(request, settings, f"{source.url}/recording") for _ in range(rounds)]
        for sample in samples:
            self._check(sample.chunk_bytes)
        slowest_seconds = max(max(sample.chunk_bytes) for sample in samples) * seconds_per_byte
        return (
            Line(
                self.name,
                WALL,
                {Contender.OURS: tuple(sample.wall_seconds for sample in samples)},
                computed_limit=slowest_seconds,
                target=self.wall_target,
            ),
            Line(self.name, CPU, {Contender.OURS: tuple(sample.cpu_seconds for sample in samples)}),
            Line(
                self.name,
                RESIDENT,
                {Contender.OURS: tuple(sample.peak_mib for sample in samples)},
                target=self.memory_target,
            ),
        )

    def _check(self, chunk_bytes: tuple[int, ...]) -> None:
        """Raise unless the whole recording was sent, and at most its overlaps twice."""
        sent_seconds = sum(chunk_bytes) / SENT_BYTES_PER_SECOND[self.kind]
        # A block of MP3 or AAC is a few frames shorter than its minute.
        if not 1 / MOST_SENT_TWICE < sent_seconds / (60 * self.minutes) < MOST_SENT_TWICE:
            raise WorkFailedError(f"{self.name}: of {self.minutes} minutes, {sent_seconds / 60:.2f} were sent")


@dataclass(frozen=True, kw_only=True)
class CutRow:
    """Cutting a recording that is on this machine, and converting it where that is needed; nothing is sent."""

    name: str
    kind: Kind
    minutes: int
    rounds: int
    quick_rounds: int
    cpu_target: Target | None = None
    only_by_name: bool = False

    def measure(self, rounds: int) -> tuple[Line, ...]:
        """The lines of this row."""
        with NamedTemporaryFile() as file:
            for piece in long_recording(self.kind, self.minutes).pieces(0):
                file.write(piece)
            file.flush()
            samples = [_in_new_process(_cut, {}, file.name) for _ in range(rounds)]
        return (
            Line(self.name, CPU, {Contender.OURS: tuple(cpu for cpu, _ in samples)}, target=self.cpu_target),
            Line(self.name, RESIDENT, {Contender.OURS: tuple(peak for _, peak in samples)}),
        )


@dataclass(frozen=True)
class _Request:
    """The cost of one request, and the sizes of its chunks."""

    wall_seconds: float
    cpu_seconds: float
    peak_mib: float
    chunk_bytes: tuple[int, ...]


def _in_new_process(work: Callable[[dict[str, str], str], T], settings: dict[str, str], what: str) -> T:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, (settings, what))


def _transcribe(settings: dict[str, str], url: str, *, memory_mb: int) -> _Request:
    os.environ.update(settings)
    from handler import handle  # noqa: PLC0415 # reads the environment at its import

    cpu_seconds, wall_seconds = time.process_time(), time.perf_counter()
    body = json.dumps({"url": url, "model": api_server.MODELS["transcriptions"]})
    context: Any = {"memoryLimitInMb": memory_mb, "functionName": "transcribe", "functionVersion": ""}
    answer = handle({"httpMethod": "POST", "path": "/", "headers": {}, "body": body}, context)
    wall_seconds, cpu_seconds = time.perf_counter() - wall_seconds, time.process_time() - cpu_seconds
    if answer["statusCode"] != 200:  # noqa: PLR2004 # OK
        raise WorkFailedError(answer["body"])
    sizes = tuple(map(int, re.findall(r"(\d+) bytes with the digest", json.loads(answer["body"])["text"])))
    return _Request(wall_seconds, cpu_seconds, memory.peak() / BYTES_PER_MIB, sizes)


def _cut(_settings: dict[str, str], path: str) -> tuple[float, float]:
    """CPU seconds of cutting the file at `path`, and MiB resident at the peak."""
    from transcriber.audio.identify import identify  # noqa: PLC0415 # imported only in the measured process
    from transcriber.chunks.cut_points import ChunkLimits  # noqa: PLC0415 # imported only in the measured process
    from transcriber.chunks.cutting import CutOptions, cut  # noqa: PLC0415 # imported only in the measured process
    from transcriber.deadline import Deadline  # noqa: PLC0415 # imported only in the measured process
    from transcriber.sources.base import Reader, Source  # noqa: PLC0415 # imported only in the measured process

    class OpenFile(Reader):
        def __init__(self, file: IO[bytes]) -> None:
            self._file = file

        def read(self, size: int) -> bytes:
            return self._file.read(size)

        def close(self) -> None:
            self._file.close()

    class FileSource(Source):
        kind = "file"

        def _connect(self, start: int) -> Reader:
            self.size_bytes = Path(path).stat().st_size
            file = Path(path).open("rb")  # noqa: SIM115 # closed by the reader
            file.seek(start)
            return OpenFile(file)

    seconds, warnings = 0.0, list[str]()
    cpu_seconds = time.process_time()
    with FileSource(max_bytes=10**9) as source:
        audio = identify(source, max_seconds=float("inf"))
        options = CutOptions(ChunkLimits(300.0), float("inf"), Deadline(float(TIME_LIMIT)))
        for chunk in cut(audio, options):
            seconds = chunk.span.end_seconds
            warnings += chunk.warnings
    if warnings or not seconds:
        raise WorkFailedError(f"It was not cut: {warnings}")
    return time.process_time() - cpu_seconds, memory.peak() / BYTES_PER_MIB
