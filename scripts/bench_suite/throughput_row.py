"""Rows that measure how many requests a second the whole local platform answers, with one or more instances."""

import base64
import http.client
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final
from urllib.parse import urlsplit

from bench_suite import api_server, ours
from bench_suite.lines import THROUGHPUT, Line
from bench_suite.links import Links
from bench_suite.recording import expected_transcript, recording
from bench_suite.rounds import alternate
from bench_suite.servers import ServerProcess
from bench_suite.work import Contender
from bench_suite.worker import WorkFailedError
from emulator.local_platform import REPOSITORY, LocalPlatform, PlatformOptions
from emulator.processes import LOOPBACK

# Five seconds of speech.
AUDIO_BYTES: Final = 80_000
# The API's latency alone limits the throughput, so that it tells what all the rest costs.
LINKS: Final = Links(bytes_per_second=None, api_latency_seconds=0.2)
# Clients for each instance: one that is served, and one that waits, so that no instance does.
CLIENTS_PER_INSTANCE: Final = 2
# Rounds of one request for each client before the first sample, after which every instance has had one.
WARM_UP_ROUNDS: Final = 2
TIMEOUT_SECONDS: Final = 60

FOLDERS: Final = {Contender.SEED: Path(__file__).parent / "seed_function", Contender.OURS: REPOSITORY}


@dataclass(frozen=True, kw_only=True)
class ThroughputRow:
    """Requests with a short recording in their body, sent to `instances` by clients that never let one wait."""

    name: str
    instances: int
    requests: int
    rounds: int
    quick_rounds: int
    only_by_name: bool = False

    def measure(self, rounds: int) -> tuple[Line, ...]:
        """The line of this row."""
        with ExitStack() as stack:
            api = stack.enter_context(ServerProcess(api_server.make_answer, LINKS))
            settings = ours.environment(api.url + api_server.PATH)
            log = stack.enter_context(TemporaryFile())
            samplers: dict[Contender, Callable[[], float]] = {}
            for contender, folder in FOLDERS.items():
                options = PlatformOptions(folder=folder, instances=self.instances)
                platform = stack.enter_context(LocalPlatform(options, settings, output=log))
                port = urlsplit(platform.function.url).port or 0
                self._load(port, WARM_UP_ROUNDS * CLIENTS_PER_INSTANCE * self.instances)
                samplers[contender] = partial(self._load, port, self.requests)
            samples = alternate(samplers, rounds)
        limit = self.instances / LINKS.api_latency_seconds
        return (Line(self.name, THROUGHPUT, samples, computed_limit=limit),)

    def _load(self, port: int, requests: int) -> float:
        """Send this many `requests`; return how many were answered a second."""
        audio = recording(AUDIO_BYTES)
        body = base64.b64encode(audio)
        expected = expected_transcript(audio, in_base64=True)
        clients = CLIENTS_PER_INSTANCE * self.instances
        started = time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            asked = [pool.submit(_ask, port, body, expected) for _ in range(requests)]
            for answer in asked:
                answer.result()
        return requests / (time.perf_counter() - started)


def _ask(port: int, body: bytes, expected: str) -> None:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("POST", "/?response_format=text", body, {"Connection": "close"})
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    if text.strip() != expected:
        raise WorkFailedError(f"The function answered {text[:200]!r} with status {answer.status}")
