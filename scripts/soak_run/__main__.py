"""`scripts/soak`: runs a backlog with faults, and prints the figures."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from emulator.generative.received import MAX_REMEMBERED
from emulator.processes import ServerFailedError
from soak_run.soak import soak

# Paid calls are counted from those that the emulated API remembers, to which retries and kills add more.
MAX_OBJECTS = MAX_REMEMBERED // 2


def main(command_line: Sequence[str] | None = None) -> int:
    """Run and print; the exit status is 1 when a recording did not end well, or too much was paid."""
    arguments = _parse(command_line)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stopping this process also stops its servers
    try:
        with arguments.log.open("wb") as log:
            figures = soak(arguments.objects, instances=arguments.instances, seed=arguments.seed, output=log)
    except ServerFailedError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 1
    print(figures)
    for complaint in figures.complaints:
        print(complaint, file=sys.stderr)
    return 1 if figures.complaints else 0


def _parse(command_line: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/soak",
        description="Have a backlog of recordings transcribed by the local platform, while its instances are killed, "
        "messages doubled, answers lost, and a fifth of the API's answers fail; then check each result, and what was "
        "paid.",
    )
    parser.add_argument("--objects", type=int, default=1000, metavar="N", help="default: %(default)s, a few minutes")
    parser.add_argument("--instances", type=int, default=8, metavar="N", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the words and of all random faults")
    parser.add_argument(
        "--log", type=Path, default=Path("/dev/null"), metavar="FILE", help="where the function's log goes"
    )
    arguments = parser.parse_args(command_line)
    if not 1 <= arguments.objects <= MAX_OBJECTS:
        parser.error(f"--objects is 1 to {MAX_OBJECTS}")
    if arguments.instances < 1:
        parser.error("--instances is at least 1")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
