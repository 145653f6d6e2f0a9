"""One recording's way through a function: sent as it fits best, waited for, and collected in each format."""

import base64
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic
from typing import IO, Any, TypeVar

from transcribe_client.errors import NoTranscriptError, StoppedError
from transcribe_client.function import Function, Job, JobGoneError, JobsUnavailableError, PassingError
from transcribe_client.recordings import Recording
from transcribe_client.unfinished import UnfinishedJobs
from transcriber.outputs.document import from_document
from transcriber.outputs.formats import FORMATS
from transcriber.response_format import ResponseFormat

# The platform takes bodies up to 6 MiB; base64 turns 3 bytes into 4, and the rest of the JSON is short.
MAX_BYTES_IN_REQUEST = 4 * 1024 * 1024
# Between two looks at a job: soon at first, for short recordings, and then rarely, as each look costs a request.
FIRST_POLL_SECONDS = 1.0
LONGEST_POLL_SECONDS = 15.0
POLL_FACTOR = 1.3
# A function that does not answer for this long is given up; what it has begun goes on, and is collected next time.
PATIENCE_SECONDS = 600.0
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
# The part of a recording's progress that its upload makes up.
UPLOAD_SHARE = 0.2

Result = TypeVar("Result")
# How far a recording is (0 to 1), and what is being done with it.
OnProgress = Callable[[float, str], None]


@dataclass(frozen=True)
class Collected:
    """A recording's transcript in each format, and its warnings."""

    contents: Mapping[str, bytes]
    warnings: tuple[str, ...] = ()


class RecordingWork:
    """Transcribes recordings, one after the other, with a connection of its own; for one thread."""

    def __init__(
        self,
        function: Function,
        fields: Mapping[str, Any],
        formats: Sequence[str],
        unfinished: UnfinishedJobs,
        stop: Event,
    ) -> None:
        self._function = function
        self._fields = fields
        self._formats = formats
        self._unfinished = unfinished
        self._stop = stop

    def transcribe(self, recording: Recording, on_progress: OnProgress) -> Collected:
        """The transcripts of a recording; raises `NoTranscriptError` and `StoppedError`."""
        try:
            if (job_id := self._unfinished.get(recording)) is not None:
                try:
                    return self._collect(recording, self._until(lambda: self._function.job(job_id)), 0.0, on_progress)
                except JobGoneError:
                    self._unfinished.remove(recording)
            return self._begin(recording, on_progress)
        except JobGoneError as error:
            self._unfinished.remove(recording)
            raise NoTranscriptError("the job was deleted, or its time is over: run the command again") from error
        except OSError as error:
            raise NoTranscriptError(f"the file cannot be read: {error.strerror}") from error

    def _begin(self, recording: Recording, on_progress: OnProgress) -> Collected:
        on_progress(0.0, "sending")
        source, sent_share = self._source(recording, on_progress)
        fields = {**self._fields, **source}
        key = secrets.token_urlsafe()
        try:
            job = self._until(lambda: self._function.create_job(fields, key))
        except JobsUnavailableError:
            on_progress(sent_share, "transcribing")
            return self._without_job(fields)
        self._unfinished.put(recording, job.job_id)
        return self._collect(recording, job, sent_share, on_progress)

    def _source(self, recording: Recording, on_progress: OnProgress) -> tuple[dict[str, str], float]:
        """The fields that name the recording, and the share of its progress that was made with that."""
        if recording.path is None:
            return {"url": str(recording.url)}, 0.0
        size_bytes = recording.path.stat().st_size
        if size_bytes == 0:
            raise NoTranscriptError("the file is empty")
        if size_bytes <= MAX_BYTES_IN_REQUEST:
            return {"audio": base64.b64encode(recording.path.read_bytes()).decode()}, 0.0
        return self._upload(recording.path, size_bytes, on_progress), UPLOAD_SHARE

    def _upload(self, path: Path, size_bytes: int, on_progress: OnProgress) -> dict[str, str]:
        try:
            upload = self._until(lambda: self._function.create_upload(path.name, size_bytes))
        except JobsUnavailableError as error:
            raise NoTranscriptError(
                f"the file is over {MAX_BYTES_IN_REQUEST >> 20} MiB, which a request can hold, and the function takes "
                f"no uploads: {error} Or send an address instead of the file."
            ) from error

        def put() -> None:
            with path.open("rb") as file:
                self._function.put(upload, _CountedFile(file, size_bytes, self._stop, on_progress))

        self._until(put)
        return {"bucket": upload.bucket, "key": upload.key}

    def _collect(self, recording: Recording, job: Job, done_share: float, on_progress: OnProgress) -> Collected:
        """Wait for the end of the job, and get its transcript in each format."""
        pause_seconds = FIRST_POLL_SECONDS
        while job.status not in {"completed", "failed"}:
            share = done_share + (1 - done_share) * (job.progress or 0.0) / 100
            on_progress(share, "waiting" if job.status == "queued" else "transcribing")
            self._wait(pause_seconds)
            pause_seconds = min(LONGEST_POLL_SECONDS, pause_seconds * POLL_FACTOR)
            job_id = job.job_id
            job = self._until(lambda: self._function.job(job_id))  # noqa: B023 # called at once
        if job.status == "failed":
            self._unfinished.remove(recording)
            raise NoTranscriptError(job.error or "the job failed")
        contents = {}
        for each in self._formats:
            contents[each] = self._until(lambda: self._function.content(job.job_id, each))  # noqa: B023 # called at once
        return Collected(contents, job.warnings)

    def _without_job(self, fields: Mapping[str, Any]) -> Collected:
        """The transcript in the answer itself; it is paid for once, so several formats are made here from one."""
        several = len(self._formats) > 1
        response_format = "verbose_json" if several else self._formats[0]
        try:
            content = self._function.transcribe({**fields, "response_format": response_format})
        except PassingError as error:
            raise NoTranscriptError(str(error)) from error
        if not several:
            return Collected({response_format: content})
        document = json.loads(content)
        transcript = from_document(document)
        contents = {each: FORMATS[ResponseFormat(each)].render(transcript).encode() for each in self._formats}
        return Collected(contents, transcript.warnings)

    def _until(self, call: Callable[[], Result]) -> Result:
        """The result of `call`, which is repeated while its failures may pass."""
        pause_seconds, begun = FIRST_PAUSE_SECONDS, monotonic()
        while True:
            try:
                return call()
            except PassingError as error:
                if monotonic() - begun > PATIENCE_SECONDS:
                    raise NoTranscriptError(f"{error}; run the command again later") from error
                self._wait(max(pause_seconds, min(error.retry_after_seconds or 0.0, LONGEST_PAUSE_SECONDS)))
                pause_seconds = min(LONGEST_PAUSE_SECONDS, pause_seconds * 2)

    def _wait(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise StoppedError


class _CountedFile:
    """A file that is sent in blocks, and counts them."""

    def __init__(self, file: IO[bytes], size_bytes: int, stop: Event, on_progress: OnProgress) -> None:
        self._file = file
        self._size_bytes = size_bytes
        self._stop = stop
        self._on_progress = on_progress

    def __len__(self) -> int:
        return self._size_bytes

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.read, b"")

    def read(self, size: int = -1) -> bytes:
        if self._stop.is_set():
            raise StoppedError
        block = self._file.read(size)
        share = self._file.tell() / self._size_bytes
        self._on_progress(UPLOAD_SHARE * share, f"uploading {share:.0%}")
        return block
