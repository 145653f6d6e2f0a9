"""The command `scripts/transcribe`: transcribes recordings with a function, deployed or local."""

import os
import signal
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from threading import Event
from types import FrameType

from transcribe_client.arguments import parse
from transcribe_client.errors import FunctionUnavailableError
from transcribe_client.function import Function, connect
from transcribe_client.outputs import OutputFile, output_files, write
from transcribe_client.progress import Progress
from transcribe_client.recordings import Recording, find
from transcribe_client.run import Result, run
from transcribe_client.unfinished import UnfinishedJobs, default_folder
from transcribe_client.work import RecordingWork

# The statuses that a shell gives a command that is ended by these signals.
INTERRUPTED = 128 + signal.SIGINT
BROKEN_PIPE = 128 + signal.SIGPIPE


@dataclass(frozen=True)
class Access:
    """The function's address, and the headers with its tokens."""

    url: str
    headers: Mapping[str, str]
    is_local: bool


def main() -> int:
    """Print or write the transcripts in order; the status is 1 if any recording has none."""
    arguments = parse()
    signal.signal(signal.SIGTERM, _interrupt)  # so that SIGTERM stops the local platform, too
    try:
        return _main(arguments)
    except FunctionUnavailableError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader has enough. Python would complain at its end, when it writes what is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        print(_advice(arguments), file=sys.stderr)
        return INTERRUPTED


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _advice(arguments: Namespace) -> str:
    if arguments.function is not None:
        return (
            "Stopped. The function goes on with what it has. Run the same command again: it collects that, and sends "
            "the rest."
        )
    kept = "what is written already is skipped" if arguments.output or arguments.beside else "it begins anew"
    return f"Stopped, and nothing is left running. Run the same command again: {kept}."


def _main(arguments: Namespace) -> int:
    recordings = find(arguments.audio)
    if not recordings:
        print("there is no recording in what was named", file=sys.stderr)
        return 1
    files = {each.name: _files(each, arguments) for each in recordings}
    if not arguments.again:
        recordings = [each for each in recordings if not _is_done(files[each.name])]
    if skipped := len(files) - len(recordings):
        print(f"skipped {skipped} of {len(files)} recordings, whose files are there (--again)", file=sys.stderr)
    if not recordings:
        return 0
    with ExitStack() as stack:
        is_local = arguments.function is None
        at_once = min(arguments.parallel, len(recordings))
        url = stack.enter_context(_local_function(arguments, at_once)) if is_local else arguments.function
        headers = {} if is_local else connect(url, arguments.token, arguments.auth_token)
        return _transcribe(recordings, files, arguments, Access(url, headers, is_local))


def _local_function(arguments: Namespace, at_once: int) -> AbstractContextManager[str]:
    # Imported here: the servers' modules take half a second, and with a deployed function none of them runs.
    from transcribe_client.local import local_function  # noqa: PLC0415 # as above

    return local_function(arguments, at_once=at_once)


def _is_done(files: Sequence[OutputFile]) -> bool:
    return bool(files) and all(each.path.exists() for each in files)


def _files(recording: Recording, arguments: Namespace) -> tuple[OutputFile, ...]:
    """The files of a recording; none when its transcript is printed."""
    if arguments.output is not None:
        return output_files(arguments.output / recording.stem, arguments.formats)
    if arguments.beside:
        return output_files(recording.folder / recording.stem.name, arguments.formats)
    return ()


def _transcribe(
    recordings: Sequence[Recording], files: Mapping[str, Sequence[OutputFile]], arguments: Namespace, access: Access
) -> int:
    fields = {name: value for name in ("language", "prompt") if (value := getattr(arguments, name)) is not None}
    # The jobs of a local function end with it.
    unfinished = UnfinishedJobs(None if access.is_local else default_folder(), access.url, fields)
    stop = Event()
    failed = 0

    def new_work() -> RecordingWork:
        function = Function(access.url, access.headers, is_local=access.is_local)
        return RecordingWork(function, fields, arguments.formats, unfinished, stop)

    with Progress(len(recordings)) as progress:

        def deliver(result: Result) -> None:
            nonlocal failed
            if _deliver(result, files[result.recording.name], progress, is_titled=len(recordings) > 1):
                unfinished.remove(result.recording)
            else:
                failed += 1

        try:
            run(recordings, new_work, deliver, parallel=arguments.parallel, stop=stop, progress=progress)
        finally:
            stop.set()
    return 1 if failed else 0


def _deliver(result: Result, files: Sequence[OutputFile], progress: Progress, *, is_titled: bool) -> bool:
    """Write or print a result; whether there was a transcript."""
    recording, collected = result.recording, result.collected
    if collected is None:
        progress.say(f"{recording.name}: {result.reason}")
        return False
    for warning in collected.warnings:
        progress.say(f"{recording.name}: warning: {warning}")
    for file in files:
        try:
            write(file.path, collected.contents[file.response_format])
        except OSError as error:
            progress.say(f"{recording.name}: {file.path} cannot be written: {error.strerror}")
            return False
    if files:
        progress.say(f"{recording.name} -> {', '.join(str(file.path) for file in files)}")
        return True
    (content,) = collected.contents.values()
    title = f"==> {recording.name} <==\n" if is_titled else ""
    progress.say(title + content.decode().rstrip("\n"), to_stdout=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
