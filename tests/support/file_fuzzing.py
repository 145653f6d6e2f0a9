"""Files of every kind, mutated, through identifying and cutting, in a process with the memory of a small function.

`python tests/support/file_fuzzing.py --count 200000` runs that many, and prints each that ends in anything but chunks
or an error of ours: its number makes it again (`--first NUMBER --count 1`).
"""

import argparse
import base64
import faulthandler
import random
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts"), str(ROOT / "tests")]

from support.file_kinds import more_kinds  # noqa: E402 # the paths above, where this is run by itself
from support.kinds import kinds  # noqa: E402

from emulator.recognisers.markers import Samples, sentence_samples, vocabulary  # noqa: E402
from transcriber.audio.identify import identify  # noqa: E402
from transcriber.chunks.cut_points import ChunkLimits  # noqa: E402
from transcriber.chunks.cutting import CutOptions, cut  # noqa: E402
from transcriber.deadline import Deadline  # noqa: E402
from transcriber.errors import TranscriberError  # noqa: E402
from transcriber.request.base64_text import read_base64  # noqa: E402
from transcriber.sources.inline import InlineSource  # noqa: E402

# What a function of 256 MB has beside its interpreter and libraries, as address space.
MEMORY_BYTES: Final = 192 * 1024 * 1024
# A file of a few seconds is cut in a fraction of one, on a busy machine in seconds; what takes longer hangs.
HANG_SECONDS: Final = 120
MAX_SECONDS: Final = 600
# Numbers that fields of size and count may hold.
_NUMBERS: Final = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x100_0000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)


@dataclass(frozen=True)
class Failure:
    """A file that ended in a crash, a hang, or an error that is not ours."""

    number: int
    reason: str


def mutated(number: int, seed: int) -> bytes:
    """The file with this number, the same each time."""
    chance = random.Random(f"{seed}-{number}")  # noqa: S311 # the same each time, and nothing secret
    data = bytearray(_original(chance))
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        _MUTATIONS[chance.randrange(len(_MUTATIONS))](data, chance)
    return bytes(data)


def _original(chance: random.Random) -> bytes:
    makers = _makers()
    return _made(chance.randrange(len(makers)))


@cache
def _makers() -> tuple[Callable[[Samples], bytes], ...]:
    return (*(kind.make for kind in kinds()), *(kind.make for kind in more_kinds()))


@cache
def _samples() -> Samples:
    return sentence_samples(vocabulary()[7::80])


@cache
def _made(number: int) -> bytes:
    return _makers()[number](_samples())


def _place(data: bytearray, chance: random.Random) -> int:
    """A place in `data`: within its first or last kilobytes, where the fields are, more often than elsewhere."""
    size = max(1, len(data))
    return chance.choice(
        (chance.randrange(min(size, 600)), chance.randrange(size), max(0, size - chance.randrange(1, 3000)))
    )


def _flip(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 4, 40))):
        if data:
            data[_place(data, chance)] = chance.randrange(256)


def _number(data: bytearray, chance: random.Random) -> None:
    start, value = _place(data, chance), chance.choice(_NUMBERS)
    data[start : start + 4] = value.to_bytes(4, chance.choice(("big", "little")))


def _cut_out(data: bytearray, chance: random.Random) -> None:
    start = _place(data, chance)
    del data[start : start + chance.choice((1, 4, 100, 5_000))]


def _insert(data: bytearray, chance: random.Random) -> None:
    start = _place(data, chance)
    data[start:start] = chance.choice((chance.randbytes(chance.choice((1, 4, 300))), bytes(2_000)))


def _truncate(data: bytearray, chance: random.Random) -> None:
    del data[_place(data, chance) :]


def _repeat(data: bytearray, chance: random.Random) -> None:
    start = _place(data, chance)
    part = data[start : start + chance.choice((16, 200, 4_000))]
    data[start:start] = part * chance.choice((1, 2, 30))


def _join(data: bytearray, chance: random.Random) -> None:
    start = _place(data, chance) if chance.random() < 0.5 else len(data)
    data[start:start] = _original(chance)


_MUTATIONS: Final = (_flip, _flip, _number, _number, _cut_out, _insert, _truncate, _repeat, _join)


def run_file(data: bytes) -> str | None:
    """What is wrong about the way that `data` ends; None where nothing is."""
    source = InlineSource(read_base64(base64.b64encode(data).decode(), param=None), max_bytes=10**9)
    options = CutOptions(ChunkLimits(300), MAX_SECONDS, Deadline(HANG_SECONDS / 2))
    try:
        chunks = sum(1 for _ in cut(identify(source, max_seconds=MAX_SECONDS), options))
    except TranscriberError:
        return None
    except Exception as error:  # noqa: BLE001 # what is searched for
        return f"{type(error).__name__}: {error}"
    finally:
        source.close()
    return None if chunks else "no chunk"


def _work(first: int, count: int, seed: int) -> None:
    """Run files in this process, under the limits; a line for each that begins, and for each that is wrong."""
    for number in range(len(_makers())):
        _made(number)
    run_file(_made(0))
    run_file(_made(20))
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES,) * 2)
    for number in range(first, first + count):
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        reason = run_file(mutated(number, seed))
        if reason is not None:
            sys.stdout.write(f"{number} {' '.join(reason.split())}\n")
    faulthandler.cancel_dump_traceback_later()


def failures(first: int, count: int, seed: int) -> Iterator[Failure]:
    """The files that fail; a process that a file ends is started again behind it."""
    end = first + count
    while first < end:
        command = [sys.executable, __file__, "--work", "--first", str(first), "--count", str(end - first)]
        process = subprocess.run(  # noqa: S603 # this file
            [*command, "--seed", str(seed)], capture_output=True, text=True, check=False
        )
        last = first
        for line in process.stdout.splitlines():
            number, _, reason = line.partition(" ")
            last = int(number)
            if reason:
                yield Failure(last, reason)
        if process.returncode:
            yield Failure(last, f"the process ended with {process.returncode}: {process.stderr[-2000:]}")
        first = last + 1 if process.returncode else end


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", action="store_true", help="run the files in this process")
    given = parser.parse_args()
    if given.work:
        _work(given.first, given.count, given.seed)
        return
    found = 0
    for failure in failures(given.first, given.count, given.seed):
        found += 1
        sys.stdout.write(f"file {failure.number}: {failure.reason}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{given.count} files, {found} failures\n")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
