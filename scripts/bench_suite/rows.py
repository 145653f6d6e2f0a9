"""The rows of the benchmark: to add one, add an object with a name, its rounds, and a way to measure it."""

from collections.abc import Sequence
from typing import Final, Protocol

from bench_suite.cold_start_row import ColdStartRow
from bench_suite.job_row import JobRow
from bench_suite.lines import Line, Target
from bench_suite.links import LIMITED, UNLIMITED, Links
from bench_suite.long_recording import Kind
from bench_suite.long_row import CutRow, LongRow
from bench_suite.request_row import Origin, RequestRow
from bench_suite.speech_row import GrowthRow, SpeechRow, Step
from bench_suite.sweep_row import SweepRow
from bench_suite.text_row import SHAPES, TextRow
from bench_suite.throughput_row import ThroughputRow
from bench_suite.work import Backend

BYTES_PER_MB: Final = 1_000_000
SMALL_MB: Final = 5
# What one call of the API takes.
LARGE_MB: Final = 25
SIZES_MB: Final = (SMALL_MB, LARGE_MB)
# 4.5 MiB of base64, which is what fits into a request to the platform with room to spare.
BODY_AUDIO_BYTES: Final = 4_718_592 // 4 * 3

NEAR_THE_LIMIT: Final = Target(1.05, "limit")
CPU_TARGETS: Final = {Backend.CHAT: Target(0.5, "seed"), Backend.TRANSCRIPTIONS: Target(0.3, "seed")}
# A streamed recording needs the same few blocks, whatever its size.
STREAMED: Final = Target(4.0, "unit")
# A start is bound by the CPU, of which a small function has little.
COLD_START: Final = Target(0.25, "seed")
# A recording that can be read only once is held once, for repeated calls.
HELD_ONCE: Final = Target(1.1, "unit")

# All chunks run at once: reading, cutting and sending may add a seventh to the time of the longest chunk.
NEAR_THE_LONGEST_CHUNK: Final = Target(1.15, "limit")
HOUR: Final = 60
# Enough for each chunk of an hour.
PARALLEL_CALLS: Final = 16
CUT_CPU: Final = Target(0.5, "unit")
# A CPU second for the times of an hour of text, and at most five times the time for four times the text.
HOUR_OF_TIMES: Final = Target(1.0, "unit")
IN_PROPORTION: Final = Target(5.0, "unit")
# What a function of 256 MB has, beside the platform's own process.
SMALL_FUNCTION: Final = Target(256e6 / 2**20 - 24.0, "unit")


class Row(Protocol):
    """One thing that is measured for every contender; `quick_rounds` 0 leaves it out of a quick run."""

    @property
    def name(self) -> str:
        """Its name on the command line and in the table."""
        ...

    @property
    def rounds(self) -> int:
        """How many samples each contender gives."""
        ...

    @property
    def quick_rounds(self) -> int:
        """The same, in a quick run."""
        ...

    @property
    def only_by_name(self) -> bool:
        """Whether a run for which nothing is named leaves it out."""
        ...

    def measure(self, rounds: int) -> tuple[Line, ...]:
        """The lines of this row."""
        ...


def _url_rows(speed: str, links: Links, *, rounds: int, quick_mb: int, wall_target: Target | None) -> list[Row]:
    return [
        RequestRow(
            name=f"{speed}-{backend}-{megabytes}mb",
            backend=backend,
            size_bytes=megabytes * BYTES_PER_MB,
            links=links,
            rounds=rounds,
            quick_rounds=3 if megabytes == quick_mb else 0,
            wall_target=wall_target,
            cpu_target=CPU_TARGETS[backend],
        )
        for backend in Backend
        for megabytes in SIZES_MB
    ]


def _body_rows() -> list[Row]:
    return [
        RequestRow(
            name=f"body-{backend}-4.5mib",
            backend=backend,
            size_bytes=BODY_AUDIO_BYTES,
            origin=Origin.BODY,
            rounds=15,
            quick_rounds=5,
        )
        for backend in Backend
    ]


def _memory_rows() -> list[Row]:
    return [
        RequestRow(
            name=f"memory-{backend}-{megabytes}mb{suffix}",
            backend=backend,
            size_bytes=megabytes * BYTES_PER_MB,
            origin=origin,
            is_fresh=True,
            rounds=3,
            quick_rounds=1 if megabytes == LARGE_MB and origin is Origin.VERSIONED else 0,
            memory_target=target,
        )
        for origin, suffix, target in ((Origin.VERSIONED, "", STREAMED), (Origin.ONCE, "-once", HELD_ONCE))
        for backend in Backend
        for megabytes in SIZES_MB
    ]


def _long_rows() -> list[Row]:
    # Slow enough that reading and cutting are small beside it, as they are beside a real API: 20 s for five minutes.
    hours: list[Row] = [
        LongRow(
            name=f"long-{kind}-1h",
            kind=kind,
            minutes=HOUR,
            real_time_factor=1 / 15,
            parallel_calls=PARALLEL_CALLS,
            rounds=3,
            quick_rounds=1 if kind is Kind.MP3 else 0,
            memory_mb=memory_mb,
            wall_target=NEAR_THE_LONGEST_CHUNK,
        )
        # What is held of a recording follows the memory: with 256 MB, an hour of WAV, which is 115 MB, takes two waves.
        for kind, memory_mb in ((Kind.MP3, 256), (Kind.SPEECH_WAV, 512))
    ]
    memory: list[Row] = [
        LongRow(
            name=f"memory-long-{name}",
            kind=kind,
            minutes=minutes,
            real_time_factor=1 / 150,
            parallel_calls=8,
            rounds=3,
            quick_rounds=0,
            memory_target=target,
        )
        for name, kind, minutes, target in (
            # 47 minutes as recorders make them, which have to be decoded; 260 of speech, which have not.
            ("wav-500mb", Kind.STUDIO_WAV, 47, SMALL_FUNCTION),
            ("speech-wav-500mb", Kind.SPEECH_WAV, 260, SMALL_FUNCTION),
            ("mp3-3h", Kind.MP3, 3 * HOUR, SMALL_FUNCTION),
            ("m4a-1h", Kind.M4A, HOUR, None),
        )
    ]
    cuts: list[Row] = [
        CutRow(name=f"cut-{kind}-1h", kind=kind, minutes=HOUR, rounds=5, quick_rounds=1, cpu_target=target)
        for kind, target in ((Kind.MP3, CUT_CPU), (Kind.SPEECH_WAV, CUT_CPU), (Kind.M4A, None))
    ]
    return [*hours, *memory, *cuts]


def _speech_rows() -> list[Row]:
    hours: list[Row] = [
        SpeechRow(
            name=f"{step}-{backend}-1h",
            step=step,
            has_times=backend is Backend.TRANSCRIPTIONS,
            rounds=5,
            quick_rounds=1,
            target=HOUR_OF_TIMES if step is Step.TIMES else None,
        )
        for step in Step
        for backend in Backend
    ]
    growth: list[Row] = [
        GrowthRow(name="times-growth", step=Step.TIMES, rounds=5, quick_rounds=1, minutes=7.5, target=IN_PROPORTION),
        # Within a chunk the search for speech without words takes more than in proportion, up to a bound for a chunk.
        GrowthRow(name="completeness-growth", step=Step.COMPLETENESS, rounds=5, quick_rounds=1, minutes=1.25),
    ]
    return [*hours, *growth]


ROWS: Final[tuple[Row, ...]] = (
    *_url_rows("unlimited", UNLIMITED, rounds=9, quick_mb=LARGE_MB, wall_target=None),
    # Over slow links a large recording takes long, and a small one shows as much.
    *_url_rows("limited", LIMITED, rounds=5, quick_mb=SMALL_MB, wall_target=NEAR_THE_LIMIT),
    *_body_rows(),
    *_memory_rows(),
    *_long_rows(),
    ThroughputRow(name="throughput-1-instance", instances=1, requests=10, rounds=3, quick_rounds=1),
    ThroughputRow(name="throughput-8-instances", instances=8, requests=120, rounds=3, quick_rounds=0),
    *_speech_rows(),
    *(TextRow(name=f"text-{shape}", shape=shape, rounds=5, quick_rounds=0) for shape in SHAPES),
    JobRow(name="job-10-chunks", minutes=10, rounds=5, quick_rounds=1),
    SweepRow(name="sweep-100000-objects", rounds=3, quick_rounds=1),
    ColdStartRow(
        name="cold-start",
        has_library_bytecode=False,
        rounds=9,
        quick_rounds=0,
        cpu_target=COLD_START,
    ),
    ColdStartRow(name="cold-start-library-bytecode", has_library_bytecode=True, rounds=9, quick_rounds=0),
)


def select(rows: Sequence[Row], names: Sequence[str], *, is_quick: bool) -> list[tuple[Row, int]]:
    """Rows with their rounds: those whose names begin with one of `names`, or all but the few that want to be named.

    A quick run leaves some more out, unless they are named.
    """
    found = [row for row in rows if (row.name.startswith(tuple(names)) if names else not row.only_by_name)]
    if not is_quick:
        return [(row, row.rounds) for row in found]
    return [(row, row.quick_rounds or 1) for row in found if row.quick_rounds or names]
