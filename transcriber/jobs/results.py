"""The stored results of objects: claimed before the work, written after it, read by later requests.

An object that has its transcript costs nothing more; one whose failure is recorded is answered with the record. Results
of options that change the words have keys of their own. A marker whose name holds the audio's version is written last,
so that a sweep sees from listings alone which recordings are done.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from transcriber.cloud.object_storage import ObjectStorage, StoredObject
from transcriber.delivery.answer import Answer
from transcriber.delivery.error_answers import error_answer
from transcriber.errors import SourceNotFoundError, TranscriberError
from transcriber.jobs.layout import FAILURE, TRANSCRIPT, WORK, ResultKeys, Version
from transcriber.jobs.lease_record import ETAG, OPTIONS, Lease
from transcriber.jobs.leases import InProgress, Leases, Waiting
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
_MODEL: Final = "transcript-model"


@dataclass(frozen=True)
class ClaimedObject:
    """An object that is to be transcribed now: the version that was there, and the lease for it.

    `outdated` are results of other versions, which were there when the lease was acquired.
    """

    reference: ObjectReference
    audio: StoredObject
    lease: Lease
    outdated: tuple[StoredObject, ...] = ()


@dataclass(frozen=True)
class Completed:
    """The version has its result: a transcript, or the record of a failure."""

    bucket: str
    result: StoredObject

    @property
    def is_failure(self) -> bool:
        """Whether it is the record of a failure."""
        return self.result.key.endswith(FAILURE)


class ResultStore:
    """The results in a storage."""

    def __init__(self, storage: ObjectStorage, leases: Leases, settings: Settings) -> None:
        self._storage = storage
        self._leases = leases
        self._settings = settings

    def find_audio(self, reference: ObjectReference) -> StoredObject:
        """The object's facts; `SourceNotFoundError` without one."""
        audio = self._storage.head(reference.bucket, reference.key)
        if audio is None:
            message = f"There is no object {reference.key} in {reference.bucket}, or no such bucket."
            raise SourceNotFoundError(message, param="key")
        return audio

    def keys(self, reference: ObjectReference, version: Version) -> ResultKeys:
        """Where the results of an object are, with these options."""
        return ResultKeys.of(reference, self._settings, version.options)

    def completed(
        self, reference: ObjectReference, version: Version, options: TranscriptionOptions
    ) -> Completed | None:
        """The result of `version`; None where there is none."""
        found = self._find(reference, version, options)
        return found if isinstance(found, Completed) else None

    def claim(
        self,
        reference: ObjectReference,
        audio: StoredObject,
        options: TranscriptionOptions,
        request: Mapping[str, Any],
        *,
        count_parts: Callable[[], int],
        ignores_waits: bool = False,
    ) -> ClaimedObject | InProgress | Waiting | Completed:
        """The object with its lease, unless it is being transcribed, or waits, or has been."""
        version = Version.of(audio.etag, options)
        acquired = self._leases.acquire(
            self.keys(reference, version), version, request, count_parts=count_parts, ignores_waits=ignores_waits
        )
        if not isinstance(acquired, Lease):
            return acquired
        # Another one may have finished between a look at the results and this lease.
        found = self._find(reference, version, options)
        if isinstance(found, Completed):
            # By an earlier version, which wrote no markers, or by an instance that was ended before it.
            self._mark_done(acquired)
            self._leases.release(acquired)
            return found
        return ClaimedObject(reference, audio, acquired, found)

    def store(self, claimed: ClaimedObject, transcript: Transcript) -> bool:
        """Write all files of the transcript; false where the lease was lost to a newer version, or another instance."""
        lease = claimed.lease
        self._remove_markers(claimed)
        for response_format in self._settings.output_formats:
            output = FORMATS[response_format]
            body = output.render(transcript).encode("utf-8", "replace")
            if not self._write(lease, FILE_SUFFIXES[response_format], body, output.content_type):
                return False
        document = json.dumps(to_document(transcript), ensure_ascii=False).encode("utf-8", "replace")
        if not self._write(lease, TRANSCRIPT, document, JSON_TYPE, {_MODEL: transcript.model}):
            return False
        self._remove_outdated(claimed, FAILURE)
        return self._finish(claimed)

    def store_failure(self, claimed: ClaimedObject, error: TranscriberError) -> Answer:
        """Record a failure that no retry can cure; the record."""
        failure = error_answer(error)
        lease = claimed.lease
        self._remove_markers(claimed)
        if self._write(lease, FAILURE, failure.encoded, JSON_TYPE, {"status": str(failure.status)}):
            # Another version's transcript must not stand beside this version's record.
            self._remove_outdated(claimed, TRANSCRIPT, *(FILE_SUFFIXES[each] for each in self._settings.output_formats))
            self._finish(claimed)
        return failure

    def read(self, completed: Completed) -> Transcript | Answer:
        """The stored transcript, or the recorded failure."""
        result = completed.result
        body = self._storage.get(completed.bucket, result.key)
        if completed.is_failure:
            status = int(result.metadata.get("status", DEFAULT_FAILURE_STATUS))
            return Answer(status, body.decode(), {"Content-Type": JSON_TYPE})
        return from_document(json.loads(body))

    def _find(
        self, reference: ObjectReference, version: Version, options: TranscriptionOptions
    ) -> Completed | tuple[StoredObject, ...]:
        """The result that serves `version`, or else what is there of other versions."""
        found = self._look(self.keys(reference, version), version)
        if isinstance(found, Completed) or not version.options:
            return found
        return self._plain_result(reference, version, options) or found

    def _plain_result(
        self, reference: ObjectReference, version: Version, options: TranscriptionOptions
    ) -> Completed | None:
        """The plain transcript, where the model of the request made it, and the model is all that is requested."""
        model = options.model
        if model is None or Version.of(version.etag, replace(options, model=None)).options:
            return None
        completed = self.completed(reference, Version(version.etag), TranscriptionOptions())
        if completed is None or completed.is_failure:
            return None
        made_by = completed.result.metadata.get(_MODEL)
        if made_by is None:  # stored by an earlier version
            transcript = self.read(completed)
            made_by = transcript.model if isinstance(transcript, Transcript) else None
        return completed if made_by == model else None

    def _finish(self, claimed: ClaimedObject) -> bool:
        """Write the marker of the version, if the audio is still that one; whether it is."""
        lease = claimed.lease
        audio = self._storage.head(claimed.reference.bucket, claimed.reference.key)
        is_current = audio is not None and audio.etag == lease.version.etag
        if is_current:
            self._mark_done(lease)
        return is_current

    def _mark_done(self, lease: Lease) -> None:
        keys = lease.keys
        if lease.version.options or keys.name.startswith(WORK):
            return  # no sweep looks for the results of options, nor of uploads
        self._storage.create(keys.bucket, keys.done(lease.version.etag), b"", {"Content-Type": "text/plain"})

    def _write(
        self, lease: Lease, suffix: str, body: bytes, content_type: str, metadata: Mapping[str, str] | None = None
    ) -> bool:
        return self._leases.write(lease, suffix, body, {"Content-Type": content_type, **(metadata or {})})

    def _look(self, keys: ResultKeys, version: Version) -> Completed | tuple[StoredObject, ...]:
        """The result of `version`, or else those of other versions."""
        outdated: list[StoredObject] = []
        for suffix in (TRANSCRIPT, FAILURE):
            result = self._storage.head(keys.bucket, keys.with_suffix(suffix))
            if result is None:
                continue
            if (result.metadata.get(ETAG), result.metadata.get(OPTIONS, "")) == (version.etag, version.options):
                return Completed(keys.bucket, result)
            outdated.append(result)
        return tuple(outdated)

    def _remove_markers(self, claimed: ClaimedObject) -> None:
        """Remove the markers of the versions whose results are about to be replaced: these are no longer done."""
        keys = claimed.lease.keys
        for etag in {result.metadata.get(ETAG, "") for result in claimed.outdated}:
            if etag:
                self._storage.delete(keys.bucket, keys.done(etag))

    def _remove_outdated(self, claimed: ClaimedObject, *suffixes: str) -> None:
        """Remove other versions' results, as long as the lease is held."""
        keys = claimed.lease.keys
        there = {result.key for result in claimed.outdated}
        if there and self._leases.holds(claimed.lease):
            first, *further = (keys.with_suffix(suffix) for suffix in suffixes)
            if first in there:
                for key in (first, *further):
                    self._storage.delete(keys.bucket, key)
