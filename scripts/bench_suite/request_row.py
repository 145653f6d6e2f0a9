"""Rows for one request at a time: wall time, CPU time and memory."""

import base64
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from bench_suite import api_server, ours, source_server
from bench_suite.lines import CPU, MEMORY, MEMORY_SHARE, WALL, Line, Target
from bench_suite.links import UNLIMITED, Links
from bench_suite.recording import expected_transcript, recording
from bench_suite.rounds import alternate
from bench_suite.servers import ServerProcess
from bench_suite.work import Backend, Contender, Outcome, Work
from bench_suite.worker import Worker

# Loads what is loaded at the first request, and opens the connections that are kept.
WARM_UP_BYTES = 200_000
BYTES_PER_MIB = 1024 * 1024


class Origin(StrEnum):
    """Where the recording comes from."""

    VERSIONED = "an address that names its version, and so can be read again"
    ONCE = "an address that can be read once"
    BODY = "base64 in the request"


@dataclass(frozen=True)
class _Case:
    """A piece of work and its expected transcript."""

    work: Work
    expected: str


@dataclass(frozen=True, kw_only=True)
class RequestRow:
    """Wall time, CPU time of the contender's process, and peak memory, of requests for one recording.

    Contenders are warm; where `is_fresh`, each request is the second of its process, because freed memory is not always
    returned to the system. Without a link that limits, the floor of plain sockets is one more contender.
    """

    name: str
    backend: Backend
    size_bytes: int
    origin: Origin = Origin.VERSIONED
    links: Links = UNLIMITED
    is_fresh: bool = False
    rounds: int = 5
    quick_rounds: int = 0
    wall_target: Target | None = None
    cpu_target: Target | None = None
    memory_target: Target | None = None
    only_by_name: bool = False

    def measure(self, rounds: int) -> tuple[Line, ...]:
        """The lines of this row."""
        contenders = [Contender.SEED, Contender.OURS]
        if self.backend is Backend.TRANSCRIPTIONS:
            contenders.append(Contender.SDK)
        if self.links.bytes_per_second is None and not self.is_fresh:
            contenders.append(Contender.FLOOR)
        with ExitStack() as stack:
            source = stack.enter_context(ServerProcess(source_server.make_answer, self.links))
            api = stack.enter_context(ServerProcess(api_server.make_answer, self.links))
            api_url = api.url + api_server.PATH
            cases = {c: self._case(c, self.size_bytes, source.url) for c in contenders}
            warm_ups = {c: self._case(c, WARM_UP_BYTES, source.url) for c in contenders}
            settings = ours.environment(api_url)

            def sample_fresh(contender: Contender) -> Outcome:
                with Worker(contender, api_url, settings) as worker:
                    worker.do(warm_ups[contender].work, expected=warm_ups[contender].expected)
                    return worker.do(cases[contender].work, expected=cases[contender].expected)

            def sample(contender: Contender) -> Outcome:
                return workers[contender].do(cases[contender].work, expected=cases[contender].expected)

            if self.is_fresh:
                return self._memory_lines(alternate({c: partial(sample_fresh, c) for c in contenders}, rounds))
            workers = {c: stack.enter_context(Worker(c, api_url, settings)) for c in contenders}
            for contender, worker in workers.items():
                worker.do(warm_ups[contender].work, expected=warm_ups[contender].expected)
            return self._time_lines(alternate({c: partial(sample, c) for c in contenders}, rounds))

    def _case(self, contender: Contender, size_bytes: int, source_url: str) -> _Case:
        audio = recording(size_bytes)
        backend = Backend.CHAT if contender is Contender.SEED else self.backend  # the scripts have no other
        expected = expected_transcript(audio, in_base64=backend is Backend.CHAT)
        if self.origin is Origin.BODY:
            return _Case(Work(backend, body=base64.b64encode(audio).decode()), expected)
        once = source_server.ONCE if self.origin is Origin.ONCE else ""
        return _Case(Work(backend, url=f"{source_url}/{size_bytes}{once}"), expected)

    def _time_lines(self, outcomes: Mapping[Contender, tuple[Outcome, ...]]) -> tuple[Line, ...]:
        upload_bytes = -(-self.size_bytes // 3) * 4 if self.backend is Backend.CHAT else self.size_bytes
        download_bytes = 0 if self.origin is Origin.BODY else self.size_bytes
        wall = {c: tuple(outcome.wall_seconds for outcome in taken) for c, taken in outcomes.items()}
        cpu = {c: tuple(outcome.cpu_seconds for outcome in taken) for c, taken in outcomes.items()}
        limit = self.links.limit_seconds(download_bytes, upload_bytes)
        return (
            Line(self.name, WALL, wall, computed_limit=limit, target=self.wall_target),
            Line(self.name, CPU, cpu, target=self.cpu_target),
        )

    def _memory_lines(self, outcomes: Mapping[Contender, tuple[Outcome, ...]]) -> tuple[Line, ...]:
        peaks = {c: tuple(outcome.peak_bytes for outcome in taken) for c, taken in outcomes.items()}
        mib = {c: tuple(peak / BYTES_PER_MIB for peak in taken) for c, taken in peaks.items()}
        shares = {c: tuple(peak / self.size_bytes for peak in taken) for c, taken in peaks.items()}
        by_share = self.origin is Origin.ONCE
        return (
            Line(self.name, MEMORY, mib, target=None if by_share else self.memory_target),
            Line(self.name, MEMORY_SHARE, shares, target=self.memory_target if by_share else None),
        )
