"""A contender in its own process, like an instance of the function, that does one piece of work after another."""

import multiprocessing
import os
import time
import traceback
from collections.abc import Mapping
from importlib import import_module
from multiprocessing.connection import Connection
from typing import TypeAlias

from bench_suite import memory
from bench_suite.work import Contender, Outcome, Transcribe, Work
from emulator.closing import Closing

# The size and the digest; what follows them in a transcript is made of them.
SHOWN_CHARACTERS = 100

_Ours: TypeAlias = "Connection[Work | None, Outcome | str]"
_Theirs: TypeAlias = "Connection[Outcome | str, Work | None]"


class WorkFailedError(Exception):
    """A contender did not do its work; the message says why."""


class Worker(Closing):
    """A contender with nothing but `environment`, calling an API at `api_url`, until closed."""

    def __init__(self, contender: Contender, api_url: str, environment: Mapping[str, str]) -> None:
        self._contender = contender
        context = multiprocessing.get_context("spawn")
        self._connection: _Ours
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, contender, api_url, dict(environment)), daemon=True
        )
        self._process.start()
        theirs.close()

    def do(self, work: Work, *, expected: str) -> Outcome:
        """Do `work` and return its outcome; `WorkFailedError` unless its transcript is the `expected` one."""
        self._connection.send(work)
        try:
            outcome = self._connection.recv()
        except EOFError:
            raise WorkFailedError(f"{self._contender}: its process ended") from None
        if isinstance(outcome, str):
            raise WorkFailedError(f"{self._contender}: {outcome}")
        if outcome.transcript != expected:
            got, wanted = (text[:SHOWN_CHARACTERS] for text in (outcome.transcript, expected))
            raise WorkFailedError(f"{self._contender}: the API got {got!r}, and not {wanted!r}")
        return outcome

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.terminate()
        self._process.join()
        self._process.close()


def _serve(connection: _Theirs, contender: Contender, api_url: str, environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 # shorter than a Path of it
        os.dup2(nowhere.fileno(), 2)  # the function's log
    transcribe: Transcribe | None = None
    while (work := connection.recv()) is not None:
        outcome: Outcome | str
        try:
            if transcribe is None:
                transcribe = import_module(f"bench_suite.{contender}").make_transcribe(api_url)
            outcome = _measured(transcribe, work)
        except Exception:  # noqa: BLE001 # any error ends the benchmark, which reports it
            outcome = traceback.format_exc()
        connection.send(outcome)


def _measured(transcribe: Transcribe, work: Work) -> Outcome:
    resident_bytes = memory.reset_peak()
    cpu_seconds, wall_seconds = time.process_time(), time.perf_counter()
    transcript = transcribe(work)
    wall_seconds, cpu_seconds = time.perf_counter() - wall_seconds, time.process_time() - cpu_seconds
    return Outcome(transcript, wall_seconds, cpu_seconds, max(0, memory.peak() - resident_bytes))
