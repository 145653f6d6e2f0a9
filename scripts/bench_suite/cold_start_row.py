"""Rows that measure a cold start: from a fresh interpreter to its first answer, on a tree as it is deployed."""

import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from shutil import copytree, ignore_patterns
from tempfile import TemporaryDirectory
from typing import Final
from zipfile import ZipFile

from bench_suite import api_server, ours
from bench_suite.lines import CPU, WALL, Line, Target
from bench_suite.links import UNLIMITED
from bench_suite.recording import recording
from bench_suite.rounds import alternate
from bench_suite.servers import ServerProcess
from bench_suite.work import KEY, Contender
from bench_suite.worker import WorkFailedError
from build_archive.build import build
from build_archive.job import THIS_MACHINE

# Two seconds of speech: the recording itself takes no time.
AUDIO_BYTES: Final = 32_000
TIMEOUT_SECONDS: Final = 120

# Each ends with status 0 when its work is done, and prints nothing.
PROGRAMS: Final[Mapping[Contender, str]] = {
    Contender.BARE: "pass",
    Contender.REQUESTS: "import requests",
    Contender.SEED: """
import base64, requests
from openai import OpenAI
client = OpenAI(base_url=os.environ["GENERATIVE_API_URL"], api_key=os.environ["GENERATIVE_API_KEY"])
encoded = base64.b64encode(open(audio, "rb").read()).decode("utf-8")
content = [
    {"type": "text", "text": "Transcribe this audio"},
    {"type": "input_audio", "input_audio": {"data": encoded, "format": "mp3"}},
]
messages = [{"role": "user", "content": content}]
model = "voxtral-small-24b-2507"
done = client.chat.completions.create(model=model, messages=messages, temperature=0.2, max_tokens=2048, top_p=0.95)
assert done.choices[0].message.content
""",
    Contender.OURS: """
import handler
from binascii import b2a_base64
body = b2a_base64(open(audio, "rb").read(), newline=False).decode()
answer = handler.handle({"httpMethod": "POST", "path": "/", "headers": {}, "body": body}, {})
assert answer["statusCode"] == 200, answer
""",
}


@dataclass(frozen=True, kw_only=True)
class ColdStartRow:
    """CPU and wall time of a fresh interpreter's first request, which writes no bytecode, as on the platform.

    Ours runs from the archive; the others run from the same dependencies as they are installed without a build, which
    have no bytecode. `has_library_bytecode` is whether the image has bytecode for the standard library: the official
    Python images have none.
    """

    name: str
    has_library_bytecode: bool
    rounds: int
    quick_rounds: int
    cpu_target: Target | None = None
    only_by_name: bool = True  # two minutes, of an archive's build and interpreters that start slowly on purpose

    def measure(self, rounds: int) -> tuple[Line, ...]:
        """The lines of this row: against the scripts, and against the least that is possible."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="cold-start-")))
            api = stack.enter_context(ServerProcess(api_server.make_answer, UNLIMITED))
            audio = folder / "audio.mp3"
            audio.write_bytes(recording(AUDIO_BYTES))
            settings = ours.environment(api.url + api_server.PATH) | {"GENERATIVE_API_KEY": KEY}
            stack.enter_context(_library(folder, settings, has_bytecode=self.has_library_bytecode))
            trees = _trees(folder)
            samplers = {
                contender: partial(_run, trees[contender], program, audio, settings)
                for contender, program in PROGRAMS.items()
            }
            samples = alternate(samplers, rounds)
        cpu = {contender: tuple(taken[0] for taken in each) for contender, each in samples.items()}
        wall = {contender: tuple(taken[1] for taken in each) for contender, each in samples.items()}
        return (
            Line(self.name, CPU, cpu, target=self.cpu_target),
            Line(self.name, WALL, wall),
            Line(f"{self.name}: requests alone", CPU, {Contender.OURS: cpu[Contender.REQUESTS]}),
            Line(f"{self.name}: bare interpreter", CPU, {Contender.OURS: cpu[Contender.BARE]}),
        )


@cache
def _archive() -> bytes:
    """The archive, built once for all rows."""
    with TemporaryDirectory(prefix="cold-start-") as folder:
        build(Path(folder) / "function.zip", THIS_MACHINE)
        return (Path(folder) / "function.zip").read_bytes()


def _trees(folder: Path) -> dict[Contender, Path]:
    """The archive unpacked, and the same dependencies without any bytecode."""
    built, plain = folder / "built", folder / "plain"
    with ZipFile(BytesIO(_archive())) as file:
        file.extractall(built)
    copytree(built / "package", plain / "package", ignore=ignore_patterns("__pycache__"))
    return {contender: built if contender is Contender.OURS else plain for contender in PROGRAMS}


@contextmanager
def _library(folder: Path, settings: dict[str, str], *, has_bytecode: bool) -> Iterator[None]:
    """Have interpreters use this machine's standard library, or a copy of it that has no bytecode."""
    if not has_bytecode:
        library = Path(sysconfig.get_path("stdlib"))
        home = folder / "python"
        left_out = ignore_patterns("__pycache__", "site-packages", "test", "idlelib", "tkinter", "config-*")
        copytree(library, home / "lib" / library.name, ignore=left_out, symlinks=True)
        settings["PYTHONHOME"] = str(home)
    yield


def _run(tree: Path, program: str, audio: Path, settings: Mapping[str, str]) -> tuple[float, float]:
    """CPU and wall seconds of one interpreter, from its start to its end."""
    paths = [str(tree), str(tree / "package")]
    code = f"import sys; sys.path[:0] = {paths!r}; audio = {str(audio)!r}; import os\n{program}"
    # The very interpreter and not the virtual environment's, which would look into that environment first.
    command = [os.path.realpath(sys.executable), "-S", "-B", "-P", "-c", code]
    before, started = os.times(), time.perf_counter()
    done = subprocess.run(
        command, env=dict(settings), capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
    )
    wall_seconds, after = time.perf_counter() - started, os.times()
    if done.returncode != 0:
        raise WorkFailedError(done.stderr[-2000:])
    cpu_seconds = after.children_user + after.children_system - before.children_user - before.children_system
    return cpu_seconds, wall_seconds
