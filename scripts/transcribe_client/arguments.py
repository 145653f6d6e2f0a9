"""The arguments of the command `scripts/transcribe`."""

import argparse
import os
from pathlib import Path

from transcribe_client.outputs import SUFFIXES

SAMPLE = Path(__file__).parents[2] / "tests" / "audio" / "jfk.wav"
DEFAULT_FORMAT = "text"
# Recordings in work at the same time: enough that uploads and transcription overlap.
DEFAULT_PARALLEL = 4
# The tokens may also stand in the environment, where other users of the machine cannot read them.
TOKEN_VARIABLE = "ACCESS_TOKEN"  # noqa: S105 # the variable's name, not a token
AUTH_TOKEN_VARIABLE = "AUTH_TOKEN"  # noqa: S105 # as above


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The arguments; wrong ones end the process with an explanation and the status 2."""
    parser = argparse.ArgumentParser(
        prog="scripts/transcribe",
        description="Transcribe recordings with a deployed function (--function), or with the same function run on "
        "this machine: with the recogniser installed here or, if GENERATIVE_API_KEY is set, with Scaleway's Generative "
        "APIs.",
        epilog="Exit status: 0 if each recording has its transcript, 1 if any has none, 2 for wrong arguments, 130 "
        "after Ctrl-C.",
    )
    parser.add_argument(
        "audio",
        nargs="*",
        metavar="AUDIO",
        help="a file, a folder whose recordings are all taken, or an http(s) URL (default: a sample)",
    )
    parser.add_argument(
        "--format",
        dest="formats",
        action="append",
        choices=SUFFIXES,
        help=f"format of the output; with --output, it may be given several times (default: {DEFAULT_FORMAT})",
    )
    parser.add_argument("--language", help="language of the recordings, such as en (default: detected)")
    parser.add_argument("--prompt", help="names and terms to expect")
    _add_outputs(parser)
    _add_function(parser)
    parser.add_argument("--model", type=Path, metavar="DIR", help="folder of another local Whisper model (CTranslate2)")
    parser.add_argument("--verbose", action="store_true", help="show the log of the local function and its servers")
    read = parser.parse_args(arguments)
    read.formats = list(dict.fromkeys(read.formats or [DEFAULT_FORMAT]))
    if len(read.formats) > 1 and read.output is None and not read.beside:
        parser.error("several formats need --output DIR or --beside: each becomes a file")
    if read.function is None and (read.token or read.auth_token):
        parser.error("--token and --auth-token are for a deployed function: name it with --function URL")
    if read.function is not None and not read.function.startswith(("https://", "http://")):
        parser.error("--function is an address, such as https://….functions.fnc.fr-par.scw.cloud")
    if read.function is not None and (read.model or read.verbose):
        parser.error("--model and --verbose are for the local platform: leave them out with --function")
    if read.parallel < 1:
        parser.error("--parallel has to be at least 1")
    if read.function is not None:
        read.token = read.token or os.environ.get(TOKEN_VARIABLE)
        read.auth_token = read.auth_token or os.environ.get(AUTH_TOKEN_VARIABLE)
    read.audio = read.audio or [str(SAMPLE)]
    return read


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("files instead of standard output")
    where = group.add_mutually_exclusive_group()
    where.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="write talk.srt, talk.json … into this folder; folders keep their tree",
    )
    where.add_argument("--beside", action="store_true", help="write them beside each recording")
    group.add_argument("--again", action="store_true", help="also transcribe recordings whose files are there already")


def _add_function(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("a deployed function")
    group.add_argument("--function", metavar="URL", help="address of the function, instead of the local platform")
    group.add_argument(
        "--token",
        help="its ACCESS_TOKEN or, for a private function without one, the secret key for X-Auth-Token "
        f"(default: {TOKEN_VARIABLE})",
    )
    group.add_argument(
        "--auth-token",
        metavar="KEY",
        help=f"the secret key for X-Auth-Token, where it needs both (default: {AUTH_TOKEN_VARIABLE})",
    )
    group.add_argument(
        "--parallel",
        type=int,
        default=DEFAULT_PARALLEL,
        metavar="N",
        help="recordings in work at the same time (default: %(default)s)",
    )
