"""The command `scripts/transcribe`: transcribes recordings with the real function on the local platform."""

import argparse
import base64
import json
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import requests
from tqdm import tqdm

from emulator.file_server import FileServer
from emulator.local_platform import REPOSITORY, LocalPlatform, PlatformOptions
from emulator.processes import ServerFailedError
from emulator.recognisers.model_files import RecogniserUnavailableError

SAMPLE = REPOSITORY / "tests" / "audio" / "jfk.wav"

FORMATS = ("text", "json", "verbose_json", "srt", "vtt")

# The platform takes bodies up to 6 MiB; base64 turns 3 bytes into 4, and the rest of the JSON is short. A larger
# recording is served by this command, and the function downloads it.
MAX_BYTES_IN_REQUEST = 4 * 1024 * 1024

# The longest timeout of a function on the platform.
TIMEOUT_SECONDS = 3600
# The part of the servers' output that is shown if they do not start.
SHOWN_OUTPUT_BYTES = 2_000


def main() -> int:
    """Print the transcripts in order; the exit status is 1 if any recording has none."""
    arguments = _parse()
    with ExitStack() as stack:
        output: IO[bytes] | None = None if arguments.verbose else stack.enter_context(TemporaryFile())
        files = stack.enter_context(FileServer())
        allowed = ",".join(filter(None, [os.environ.get("ALLOWED_PRIVATE_HOSTS"), files.host]))
        environment = {**os.environ, "ALLOWED_PRIVATE_HOSTS": allowed}
        try:
            options = PlatformOptions(timeout_seconds=TIMEOUT_SECONDS, model_folder=arguments.model)
            platform = stack.enter_context(LocalPlatform(options, environment, output=output))
        except (ServerFailedError, RecogniserUnavailableError) as error:
            print(error, file=sys.stderr)
            _show_output_end(output)
            return 1
        choices = {"response_format": arguments.format, "language": arguments.language}
        return _transcribe_all(arguments.audio, choices, platform.function.url, files)


def _transcribe_all(
    recordings: Sequence[str], choices: dict[str, str | None], function_url: str, files: FileServer
) -> int:
    failed = 0
    # The progress bar is for people: on stderr, and only if that is a terminal.
    with tqdm(recordings, unit="recording", leave=False, disable=None if sys.stderr.isatty() else True) as bar:
        for recording in bar:
            bar.set_postfix_str(Path(recording).name)
            try:
                transcript = _transcribe(recording, choices, function_url, files)
            except _NoTranscriptError as error:
                bar.write(f"{recording}: {error}", file=sys.stderr)
                failed += 1
            else:
                bar.write(transcript.rstrip("\n"), file=sys.stdout)
                sys.stdout.flush()
    return 1 if failed else 0


class _NoTranscriptError(Exception):
    """A recording has no transcript; the message gives the reason."""


def _transcribe(recording: str, choices: dict[str, str | None], function_url: str, files: FileServer) -> str:
    """The function's answer for a recording, which is a file's path or a URL."""
    request = {name: value for name, value in choices.items() if value is not None}
    try:
        answer = requests.post(
            function_url,
            json=request | _source(recording, files),
            timeout=TIMEOUT_SECONDS,
            proxies={"http": ""},  # a proxy is for other hosts
        )
    except requests.RequestException as error:
        raise _NoTranscriptError(f"the function did not answer: {type(error).__name__}") from error
    if not answer.ok:
        raise _NoTranscriptError(_reason(answer))
    answer.encoding = "utf-8"
    return answer.text


def _source(recording: str, files: FileServer) -> dict[str, str]:
    if recording.startswith(("http://", "https://")):
        return {"url": recording}
    path = Path(recording)
    try:
        if path.stat().st_size > MAX_BYTES_IN_REQUEST:
            return {"url": files.add(path.resolve())}
        return {"audio": base64.b64encode(path.read_bytes()).decode()}
    except OSError as error:
        raise _NoTranscriptError(f"the file cannot be read: {error.strerror}") from error


def _reason(answer: requests.Response) -> str:
    try:
        error: dict[str, Any] = json.loads(answer.content)["error"]
        return f"{error['message']} ({answer.status_code} {error['code']})"
    except (ValueError, KeyError, TypeError):
        return f"{answer.text.strip()[:500]} ({answer.status_code})"


def _show_output_end(output: IO[bytes] | None) -> None:
    if output is not None:
        output.seek(max(0, output.seek(0, os.SEEK_END) - SHOWN_OUTPUT_BYTES))
        sys.stderr.write(output.read().decode(errors="replace"))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/transcribe",
        description="Transcribe recordings with the function, run on this machine: with the recogniser installed here, "
        "or, if GENERATIVE_API_KEY is set, with Scaleway's Generative APIs.",
    )
    parser.add_argument(
        "audio", nargs="*", default=[str(SAMPLE)], metavar="AUDIO", help="a file, or an http(s) URL (default: a sample)"
    )
    parser.add_argument("--format", choices=FORMATS, default="text", help="format of the output (default: %(default)s)")
    parser.add_argument("--language", help="language of the recordings, such as en (default: detected)")
    parser.add_argument("--model", type=Path, metavar="DIR", help="folder of another Whisper model (CTranslate2)")
    parser.add_argument("--verbose", action="store_true", help="show the log of the function and of the servers")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
