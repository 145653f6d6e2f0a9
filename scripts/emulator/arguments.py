"""The arguments of the command `scripts/emulate`."""

import argparse
from pathlib import Path
from typing import get_args

from emulator.function_server import (
    BUSY_TEXT,
    DEFAULT_QUEUE_LIMIT,
    DEFAULT_QUEUE_TIMEOUT_SECONDS,
    FORBIDDEN_TEXT,
)
from emulator.generative.minute import MinuteForm
from emulator.generative.quota import QuotaOptions, RateLimitHeaders
from emulator.local_platform import REPOSITORY
from emulator.storage.server import DEFAULT_BUCKET


def parse() -> argparse.Namespace:
    """The arguments; wrong ones end the process with an explanation."""
    parser = argparse.ArgumentParser(
        prog="scripts/emulate",
        description="Run the local platform: the function with its triggers, object storage, a queue, and the "
        "Generative APIs with a recogniser on this machine.",
    )
    parser.add_argument("--port", type=int, default=8080, help="port of the function (default: %(default)s)")
    parser.add_argument("--api-port", type=int, default=8081, help="port of the Generative APIs (default: %(default)s)")
    parser.add_argument(
        "--storage-port", type=int, default=8082, help="port of storage and queue (default: %(default)s)"
    )
    parser.add_argument(
        "--control-port", type=int, default=8083, help="port of the page and its API (default: %(default)s)"
    )
    parser.add_argument(
        "--instances",
        type=int,
        default=1,
        metavar="N",
        help="number of requests that run at the same time (default: %(default)s)",
    )
    served = parser.add_mutually_exclusive_group()
    served.add_argument(
        "--handler", type=Path, default=REPOSITORY, metavar="DIR", help="serve the function of another folder"
    )
    served.add_argument(
        "--archive",
        type=Path,
        metavar="FILE",
        help="serve an archive made by scripts/build --local, as if it were deployed",
    )
    parser.add_argument(
        "--entry-point",
        metavar="NAME",
        help="name of the handler, such as src/main.handle (default: that of serverless.yml, or handler.handle)",
    )
    parser.add_argument("--reload", action="store_true", help="restart the instances when a source file changes")
    parser.add_argument(
        "--private", action="store_true", help="make the function private, and print the token for X-Auth-Token"
    )
    parser.add_argument(
        "--timeout",
        type=int,
        default=300,
        metavar="SECONDS",
        help="longest duration of a request (default: %(default)s)",
    )
    parser.add_argument(
        "--memory",
        type=int,
        default=256,
        metavar="MB",
        help="memory limit that the handler is given, not enforced (default: %(default)s)",
    )
    parser.add_argument(
        "--recogniser",
        choices=["whisper", "stand-in", "markers"],
        default="whisper",
        help="whisper: a real recogniser; stand-in: no recognition, a fixed text with the audio's length and hash; "
        "markers: the exact words of recordings made by python -m emulator.recognisers.markers (default: %(default)s)",
    )
    parser.add_argument(
        "--rtf", type=float, metavar="FACTOR", help="an answer takes the audio's length times FACTOR (not with whisper)"
    )
    parser.add_argument("--model", type=Path, metavar="DIR", help="folder of another Whisper model (CTranslate2)")
    parser.add_argument(
        "--bucket",
        default=DEFAULT_BUCKET,
        metavar="NAME",
        help="bucket whose uploads are announced in the queue (default: %(default)s)",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder to keep the objects in for the next start")
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="file with the schedules (default: serverless.yml of the served folder)",
    )
    _add_quota_arguments(parser)
    _add_unknown_arguments(parser)
    arguments = parser.parse_args()
    if arguments.archive is not None and not arguments.archive.is_file():
        parser.error(f"the archive {arguments.archive} does not exist")
    if arguments.archive is not None and arguments.reload:
        parser.error("--reload is for a folder: an archive does not change")
    if arguments.rtf is not None and (arguments.recogniser == "whisper" or not arguments.rtf >= 0):
        parser.error(
            "--rtf has to be at least 0, and needs --recogniser stand-in or markers: whisper has its own speed"
        )
    if arguments.minute <= 0:
        parser.error("--minute has to be more than 0")
    if arguments.instances < 1:
        parser.error("--instances has to be at least 1")
    return arguments


def quota_of(arguments: argparse.Namespace) -> QuotaOptions:
    """The quota of the arguments, in which 0 is no limit."""
    return QuotaOptions(
        audio_seconds_per_minute=arguments.audio_seconds_per_minute or None,
        requests_per_minute=arguments.requests_per_minute or None,
        tokens_per_minute=arguments.tokens_per_minute or None,
        calls_at_once=arguments.calls_at_once or None,
        minute_form=arguments.minute_form,
        minute_seconds=arguments.minute,
        rate_limit_headers=arguments.rate_limit_headers,
    )


def _add_quota_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the quota of the emulated APIs; their defaults are Scaleway's documented limits."""
    quota = parser.add_argument_group("quota of the emulated Generative APIs (0: no limit)")
    documented = QuotaOptions()
    limits = {
        "audio-seconds-per-minute": "audio seconds a minute, for each model",
        "requests-per-minute": "requests a minute, for each model",
        "tokens-per-minute": "tokens a minute, for each chat model",
        "calls-at-once": "calls at the same time, of all models together",
    }
    for name, what in limits.items():
        default = getattr(documented, name.replace("-", "_"))
        quota.add_argument(
            f"--{name}", type=_not_negative, default=default, metavar="N", help=f"{what} (default: {default:g})"
        )
    quota.add_argument(
        "--minute-form",
        choices=get_args(MinuteForm),
        default=documented.minute_form,
        help="when the use of a minute comes back: at each whole minute, a minute after each call, or evenly "
        "(default: %(default)s; the platform's is not documented)",
    )
    quota.add_argument(
        "--minute",
        type=float,
        default=documented.minute_seconds,
        metavar="SECONDS",
        help="length of the quota's minute, to try a long backlog in a short time; the function gets it as "
        "MINUTE_SECONDS (default: %(default)g)",
    )
    quota.add_argument(
        "--rate-limit-headers",
        choices=get_args(RateLimitHeaders),
        default=documented.rate_limit_headers,
        help="headers of a 429: none, the documented x-ratelimit-*, or these and Retry-After (default: %(default)s)",
    )


def _add_unknown_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of what the platform does in a way that is not documented, or may have changed."""
    unknown = parser.add_argument_group("what is not known of the platform")
    unknown.add_argument(
        "--queue-limit",
        type=_not_negative,
        default=DEFAULT_QUEUE_LIMIT,
        metavar="N",
        help="requests that may wait for an instance; there is a limit, its number is not documented "
        "(default: %(default)s)",
    )
    unknown.add_argument(
        "--queue-timeout",
        type=float,
        default=DEFAULT_QUEUE_TIMEOUT_SECONDS,
        metavar="SECONDS",
        help="longest wait for an instance, not documented (default: %(default)g)",
    )
    unknown.add_argument(
        "--forbidden-text",
        default=FORBIDDEN_TEXT,
        metavar="TEXT",
        help="what the 403 of a private function says; the default is the error of the open-sourced runtime",
    )
    unknown.add_argument(
        "--busy-text", default=BUSY_TEXT, metavar="TEXT", help="what the 503 says when no instance is free; a guess"
    )
    unknown.add_argument(
        "--wedge-on-long-lines",
        action="store_true",
        help="a line of 64 KiB in the log makes its instance hang, as in the open-sourced runtime",
    )


def _not_negative(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{number} is negative")
    return number
