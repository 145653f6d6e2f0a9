"""The stored results of objects: claimed before the work, written after it, read by later requests.

An object that has its transcript costs nothing more; one whose failure is recorded is answered with the record. Only a
failure that no retry can cure is recorded.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from transcriber.cloud.object_storage import ObjectStorage, StoredObject
from transcriber.delivery.answer import Answer
from transcriber.delivery.error_answers import error_answer
from transcriber.errors import SourceChangedError, SourceNotFoundError, TranscriberError
from transcriber.jobs.leases import FAILURE, TRANSCRIPT, Completed, InProgress, Lease, Leases, ResultKey, Version
from transcriber.outputs.document import from_document, to_document
from transcriber.outputs.formats import FORMATS
from transcriber.outputs.plain_json import JSON_TYPE
from transcriber.request.options import TranscriptionOptions
from transcriber.request.s3_events import ObjectReference
from transcriber.response_format import FILE_SUFFIXES
from transcriber.settings import Settings
from transcriber.transcription.transcript import Transcript

# The status of a recorded failure that does not state its own: the commonest one.
DEFAULT_FAILURE_STATUS: Final = "415"


@dataclass(frozen=True)
class ClaimedObject:
    """An object that is to be transcribed now: the version that was there, and the lease for it."""

    reference: ObjectReference
    audio: StoredObject
    lease: Lease


def result_key(reference: ObjectReference, settings: Settings) -> ResultKey:
    """Where the results of an object are."""
    return ResultKey(settings.output_bucket or reference.bucket, settings.output_prefix + reference.key)


def is_result(reference: ObjectReference, settings: Settings) -> bool:
    """Whether an object lies where this function writes: whatever it is, it is not a new recording."""
    bucket = settings.output_bucket or reference.bucket
    prefix = settings.output_prefix
    return bool(prefix) and reference.bucket == bucket and reference.key.startswith(prefix)


class ResultStore:
    """The results in a storage."""

    def __init__(self, storage: ObjectStorage, leases: Leases, settings: Settings) -> None:
        self._storage = storage
        self._leases = leases
        self._settings = settings

    def claim(
        self, reference: ObjectReference, options: TranscriptionOptions
    ) -> ClaimedObject | InProgress | Completed:
        """The object with its lease, unless it is being transcribed or has been; `SourceNotFoundError` without one."""
        audio = self._storage.head(reference.bucket, reference.key)
        if audio is None:
            message = f"There is no object {reference.key} in {reference.bucket}, or no such bucket."
            raise SourceNotFoundError(message, param="key")
        acquired = self._leases.acquire(result_key(reference, self._settings), Version.of(audio.etag, options))
        return ClaimedObject(reference, audio, acquired) if isinstance(acquired, Lease) else acquired

    @contextmanager
    def releasing(self, claimed: ClaimedObject) -> Iterator[None]:
        """Release the lease at the end of the block."""
        try:
            yield
        finally:
            # A lease that cannot be released ends at its time; the transcript is there all the same.
            with suppress(TranscriberError):
                self._leases.release(claimed.lease)

    def store(self, claimed: ClaimedObject, transcript: Transcript) -> bool:
        """Write all files of the transcript; false where a newer version of the audio has taken the lease over.

        `SourceChangedError` where new audio came while the old one was transcribed.
        """
        lease = claimed.lease
        for response_format in self._settings.output_formats:
            output = FORMATS[response_format]
            body = output.render(transcript).encode("utf-8", "replace")
            if not self._write(lease, FILE_SUFFIXES[response_format], body, output.content_type):
                return False
        document = json.dumps(to_document(transcript), ensure_ascii=False).encode("utf-8", "replace")
        if not self._write(lease, TRANSCRIPT, document, JSON_TYPE):
            return False
        self._remove_failure(lease.key)
        self._check_version(claimed)
        return True

    def store_failure(self, claimed: ClaimedObject, error: TranscriberError) -> Answer:
        """Record a failure that no retry can cure; the record."""
        failure = error_answer(error)
        self._write(claimed.lease, FAILURE, failure.encoded, JSON_TYPE, {"status": str(failure.status)})
        return failure

    def read(self, completed: Completed) -> Transcript | Answer:
        """The stored transcript, or the recorded failure."""
        result = completed.result
        body = self._storage.get(completed.key.bucket, result.key)
        if completed.is_failure:
            status = int(result.metadata.get("status", DEFAULT_FAILURE_STATUS))
            return Answer(status, body.decode(), {"Content-Type": JSON_TYPE})
        return from_document(json.loads(body))

    def _write(
        self, lease: Lease, suffix: str, body: bytes, content_type: str, metadata: Mapping[str, str] | None = None
    ) -> bool:
        return self._leases.write(lease, suffix, body, {"Content-Type": content_type, **(metadata or {})})

    def _remove_failure(self, key: ResultKey) -> None:
        """Remove the record of an earlier version's failure, which is no longer true."""
        if self._storage.head(key.bucket, key.with_suffix(FAILURE)):
            self._storage.delete(key.bucket, key.with_suffix(FAILURE))

    def _check_version(self, claimed: ClaimedObject) -> None:
        """Raise `SourceChangedError` if the audio is another one now.

        So a transcript that is younger than its audio is that audio's; `transcriber.jobs.sweep` relies on it.
        """
        audio = self._storage.head(claimed.reference.bucket, claimed.reference.key)
        if audio and audio.etag != claimed.lease.version.etag:
            raise SourceChangedError("The object was replaced while it was transcribed.", param="key")
