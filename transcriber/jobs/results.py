"""Transcribes objects of the storage, each version once, and puts the results beside them or where the settings say.

A request for an object that has its transcript is answered with that one, and costs nothing; one for an object whose
failure is on record is answered with the record. Only what trying again cannot cure is put on record.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from transcriber.cloud.object_storage import ObjectStorage, StoredObject
from transcriber.delivery.answers import Answer, error_answer, stored_answer, transcript_answer
from transcriber.errors import SourceChangedError, SourceNotFoundError, TranscriberError
from transcriber.jobs.leases import FAILURE, TRANSCRIPT, Completed, InProgress, Lease, Leases, ResultKey, Version
from transcriber.request.options import ResponseFormat, TranscriptionOptions
from transcriber.request.s3_events import ObjectReference
from transcriber.settings import Settings
from transcriber.sources.base import Source
from transcriber.sources.object import ObjectSource
from transcriber.transcription.transcript import Transcript

# The endings of OUTPUT_FORMATS, by the API's names of the formats.
FILE_SUFFIXES: Final = {"text": ".txt", "srt": ".srt", "vtt": ".vtt"}

Transcribe = Callable[[Source, TranscriptionOptions], Transcript]


class ObjectStatus(StrEnum):
    """What became of an object."""

    DONE = "done"  # transcribed now
    SKIPPED = "skipped"  # transcribed before, or by somebody else just now
    FAILED = "failed"  # and on record


@dataclass(frozen=True)
class ObjectResult:
    """What became of an object, and what whoever asked for it is told; no answer while somebody else is at work."""

    outcome: ObjectStatus
    answer: Answer | None


def result_key(reference: ObjectReference, settings: Settings) -> ResultKey:
    """Where the results of an object are."""
    return ResultKey(settings.output_bucket or reference.bucket, settings.output_prefix + reference.key)


def is_result(reference: ObjectReference, settings: Settings) -> bool:
    """Whether an object lies where this function writes: whatever it is, it is not taken for a new recording."""
    bucket = settings.output_bucket or reference.bucket
    prefix = settings.output_prefix
    return bool(prefix) and reference.bucket == bucket and reference.key.startswith(prefix)


class StoredTranscripts:
    """The transcripts of a storage's objects; `transcribe` makes one of a source."""

    def __init__(self, storage: ObjectStorage, claims: Leases, settings: Settings) -> None:
        self._storage = storage
        self._claims = claims
        self._settings = settings

    def answer(
        self,
        reference: ObjectReference,
        options: TranscriptionOptions,
        transcribe: Transcribe,
        open_object: Callable[[StoredObject], ObjectSource],
    ) -> ObjectResult:
        """See to it that `reference` has its transcript, and answer with it.

        Raises what went wrong where that may be cured; the rest is put on record, and answered.
        """
        audio = self._storage.head(reference.bucket, reference.key)
        if audio is None:
            message = f"There is no object {reference.key} in {reference.bucket}, or no such bucket."
            raise SourceNotFoundError(message, param="key")
        place = result_key(reference, self._settings)
        match self._claims.claim(place, Version.of(audio.etag, options)):
            case InProgress():
                return ObjectResult(ObjectStatus.SKIPPED, None)
            case Completed() as finished:
                return ObjectResult(ObjectStatus.SKIPPED, self._stored_answer(place, finished, options))
            case Lease() as claim:
                try:
                    with open_object(audio) as source:
                        return self._transcribe(claim, reference, options, lambda: transcribe(source, options))
                finally:
                    # A claim that cannot be given up is over after its lease; the transcript is there all the same.
                    with suppress(TranscriberError):
                        self._claims.release(claim)

    def _transcribe(
        self,
        claim: Lease,
        reference: ObjectReference,
        options: TranscriptionOptions,
        transcribe: Callable[[], Transcript],
    ) -> ObjectResult:
        try:
            transcript = transcribe()
        except TranscriberError as error:
            if error.is_retryable or isinstance(error, SourceNotFoundError):
                raise  # nothing is to be on record of a recording that was removed meanwhile
            failure = error_answer(error)
            self._write(claim, FAILURE, failure, {"status": str(failure.status)})
            return ObjectResult(ObjectStatus.FAILED, failure)
        files = [(FILE_SUFFIXES[name], ResponseFormat(name)) for name in self._settings.output_formats]
        for suffix, response_format in (*files, (TRANSCRIPT, ResponseFormat.VERBOSE_JSON)):
            if not self._write(claim, suffix, transcript_answer(transcript, response_format)):
                return ObjectResult(ObjectStatus.SKIPPED, None)  # a newer version is being transcribed
        self._forget_failure(claim)
        self._check_version(claim, reference)
        return ObjectResult(ObjectStatus.DONE, transcript_answer(transcript, options.response_format))

    def _write(self, claim: Lease, suffix: str, answer: Answer, metadata: Mapping[str, str] | None = None) -> bool:
        headers = {"Content-Type": answer.headers["Content-Type"]}
        return self._claims.write(claim, suffix, answer.encoded, {**headers, **(metadata or {})})

    def _forget_failure(self, claim: Lease) -> None:
        """Remove the record of an earlier version's failure, which the transcript has made untrue."""
        place = claim.place
        if self._storage.head(place.bucket, place.key(FAILURE)):
            self._storage.delete(place.bucket, place.key(FAILURE))

    def _check_version(self, claim: Lease, reference: ObjectReference) -> None:
        """Raise `SourceChangedError` where new audio came while the old was transcribed.

        So a transcript that is younger than its audio is that audio's, which is how `transcriber.jobs.sweep` tells.
        """
        audio = self._storage.head(reference.bucket, reference.key)
        if audio and audio.etag != claim.version.etag:
            raise SourceChangedError("The object was replaced while it was transcribed.", param="key")

    def _stored_answer(self, place: ResultKey, finished: Completed, options: TranscriptionOptions) -> Answer:
        body = self._storage.get(place.bucket, finished.result.key)
        if finished.is_failure:
            status = int(finished.result.metadata.get("status", "415"))
            return Answer(status, body.decode(), {"Content-Type": "application/json"})
        stored: dict[str, Any] = json.loads(body)
        return stored_answer(stored, options.response_format)
