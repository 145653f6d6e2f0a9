"""`scripts/soak`: runs a backlog with faults, or hours of audio under a quota, and prints the figures."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

from emulator.generative.minute import MinuteForm
from emulator.generative.quota import AUDIO_SECONDS_PER_MINUTE, QuotaOptions, RateLimitHeaders
from emulator.generative.received import MAX_REMEMBERED
from emulator.processes import ServerFailedError
from soak_run.figures import Figures
from soak_run.long_figures import LongFigures
from soak_run.long_soak import LongSoak, long_soak
from soak_run.soak import soak

# Paid calls are counted from those that the emulated API remembers, to which retries and kills add more.
MAX_OBJECTS = MAX_REMEMBERED // 2
MINUTE_SECONDS = 6.0


def main(command_line: Sequence[str] | None = None) -> int:
    """Run and print; the exit status is 1 when a recording did not end well, or too much was paid."""
    arguments = _parse(command_line)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stopping this process also stops its servers
    try:
        figures = _long(arguments) if arguments.long else _short(arguments)
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


def _short(arguments: argparse.Namespace) -> Figures:
    with (arguments.log or Path("/dev/null")).open("wb") as log:
        return soak(arguments.objects, instances=arguments.instances, seed=arguments.seed, output=log)


def _long(arguments: argparse.Namespace) -> LongFigures:
    plan = LongSoak(
        recordings=arguments.recordings,
        seconds=arguments.minutes * 60,
        instances=arguments.instances,
        quota=QuotaOptions(
            audio_seconds_per_minute=arguments.audio_seconds_per_minute,
            minute_form=arguments.minute_form,
            minute_seconds=arguments.minute,
            rate_limit_headers=arguments.rate_limit_headers,
        ),
        kills=arguments.kills,
        time_limit_seconds=arguments.time_limit,
        real_time_factor=arguments.rtf,
        seed=arguments.seed,
    )
    with TemporaryDirectory(prefix="soak-") as folder:
        return long_soak(plan, arguments.log or Path(folder) / "log")


def _parse(command_line: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/soak",
        description="Have a backlog of recordings transcribed by the local platform, while its instances are killed, "
        "messages doubled, answers lost, and a fifth of the API's answers fail; then check each result, and what was "
        "paid. With --long: recordings of an hour, under the account's quota, with instances killed.",
    )
    parser.add_argument("--objects", type=int, default=1000, metavar="N", help="default: %(default)s, a few minutes")
    parser.add_argument("--instances", type=int, default=8, metavar="N", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the words and of all random faults")
    parser.add_argument("--log", type=Path, metavar="FILE", help="where the platform's log goes")
    _add_long_options(parser.add_argument_group("hours of audio under a quota"))
    arguments = parser.parse_args(command_line)
    if not 1 <= arguments.objects <= MAX_OBJECTS:
        parser.error(f"--objects is 1 to {MAX_OBJECTS}")
    for name in ("instances", "recordings"):
        if getattr(arguments, name) < 1:
            parser.error(f"--{name} is at least 1")
    for name in ("minutes", "audio_seconds_per_minute", "minute", "rtf"):
        if getattr(arguments, name) <= 0:
            parser.error(f"--{name.replace('_', '-')} is above 0")
    if arguments.kills < 0 or (arguments.time_limit is not None and arguments.time_limit <= 0):
        parser.error("--kills and --time-limit are not negative")
    return arguments


def _add_long_options(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--long", action="store_true", help="this one; the options above count for it, too")
    group.add_argument("--recordings", type=int, default=20, metavar="N", help="default: %(default)s")
    group.add_argument("--minutes", type=float, default=60.0, metavar="M", help="of a recording; default: %(default)g")
    group.add_argument(
        "--audio-seconds-per-minute",
        type=float,
        default=AUDIO_SECONDS_PER_MINUTE,
        metavar="N",
        help="the quota; default: %(default)g",
    )
    group.add_argument("--minute-form", choices=get_args(MinuteForm), default="fixed", help="default: %(default)s")
    group.add_argument(
        "--rate-limit-headers", choices=get_args(RateLimitHeaders), default="none", help="default: %(default)s"
    )
    group.add_argument(
        "--minute",
        type=float,
        default=MINUTE_SECONDS,
        metavar="SECONDS",
        help="how long a minute is; all times of the platform are scaled alike; default: %(default)g",
    )
    group.add_argument("--kills", type=float, default=1.0, metavar="N", help="for each recording; default: %(default)g")
    group.add_argument("--time-limit", type=float, metavar="SECONDS", help="TIME_LIMIT; default: 290, scaled")
    group.add_argument(
        "--rtf", type=float, default=0.005, metavar="FACTOR", help="of the API, in real seconds; default: %(default)g"
    )


if __name__ == "__main__":
    sys.exit(main())
