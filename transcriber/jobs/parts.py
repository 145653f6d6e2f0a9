"""Parts: what came of each chunk of an object, written the moment it is there, and read by the next run.

A part is named by all that it depends on (the object's version, the options that change words, what decides the cuts)
and by its span; it is written once, and never changed. A chunk without a part is not done: nothing else says how far
the work is, so that nothing can be wrong about it. A chunk that the API refuses for good leaves a refusal in its place,
which is not tried again before the failure is on record.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from transcriber.cloud.object_storage import StoredObject
from transcriber.errors import (
    ApiRefusedError,
    AudioTooLargeError,
    SourceNotFoundError,
    TranscriberError,
    TruncatedTranscriptError,
    UnsupportedAudioError,
)
from transcriber.jobs.layout import WORK, ResultKeys, Version
from transcriber.request.s3_events import ObjectReference
from transcriber.request_log import JsonLogger
from transcriber.spans import Span
from transcriber.transcription.chunk_document import from_fields, to_fields
from transcriber.transcription.chunk_result import ChunkResult

# The form of a part; one that is written in another is another part.
FORM = 1
_MICROSECONDS = 1_000_000
_NAME = re.compile(r"[0-9]{12,}-[0-9]{12,}")
_REFUSED: Final = ".refused"
_REFUSALS: Final[dict[str, type[TranscriberError]]] = {
    error.code: error
    for error in (ApiRefusedError, AudioTooLargeError, TruncatedTranscriptError, UnsupportedAudioError)
}
_CONTENT: Final = {"Content-Type": "application/json"}


class PartObjects(Protocol):
    """The part of the storage that parts need; used by several threads at once."""

    def get(self, bucket: str, key: str) -> bytes:
        """All bytes of a small object."""

    def pages(self, bucket: str, prefix: str) -> Iterator[Sequence[StoredObject]]:
        """The objects whose keys begin with `prefix`."""

    def create(self, bucket: str, key: str, body: bytes, metadata: dict[str, str]) -> str | None:
        """The ETag of the object that was written where none was; None otherwise."""

    def delete(self, bucket: str, key: str) -> None:
        """Remove an object, if it is there."""


def parts_prefix(keys: ResultKeys, reference: ObjectReference, version: Version, cuts: Sequence[object]) -> str:
    """The beginning of the keys of all parts of `version` of an object, if `cuts` decide where it is cut."""
    work = json.dumps([FORM, reference.bucket, reference.key, version.etag, version.options, *cuts])
    return f"{keys.prefix}{WORK}parts/{hashlib.sha256(work.encode()).hexdigest()[:32]}/"


@dataclass(frozen=True)
class _Stored:
    """What a listing says of the parts: the span of each, and of each refusal."""

    parts: frozenset[str]
    refusals: frozenset[str]


class Parts:
    """The parts of one version of one object, under `prefix` of `bucket`."""

    def __init__(
        self,
        objects: PartObjects,
        bucket: str,
        prefix: str,
        log: JsonLogger,
    ) -> None:
        self._objects = objects
        self._bucket = bucket
        self._prefix = prefix
        self._log = log
        self._stored: _Stored | None = None
        self._created: set[str] = set()
        self._doubled = 0

    @property
    def added(self) -> int:
        """How many chunks were done by this run, and not by another one before."""
        return sum(not name.endswith(_REFUSED) for name in self._created)

    @property
    def doubled(self) -> int:
        """How many chunks of this run another one had done meanwhile: they were paid twice."""
        return self._doubled

    def count(self) -> int:
        """How many chunks are done."""
        return len(self._listed().parts)

    def missing(self) -> tuple[Span, ...]:
        """The spans that have no part, as far as parts show; the last one has no end."""
        missing, reached = [], 0.0
        for span in sorted(map(_span, self._listed().parts), key=lambda each: each.start_seconds):
            if span.start_seconds > reached:
                missing.append(Span(reached, span.start_seconds))
            reached = max(reached, span.end_seconds)
        return (*missing, Span(reached, float("inf")))

    def has(self, span: Span) -> bool:
        """Whether the chunk is done, or refused for good."""
        stored = self._listed()
        return _name(span) in stored.parts or _name(span) in stored.refusals

    def load(self, span: Span) -> tuple[ChunkResult, ...] | None:
        """What came of the chunk; None where that is not there any more. The API's error for one that was refused."""
        name = _name(span)
        if name in self._listed().refusals:
            raise self._refusal(name)
        try:
            return from_fields(json.loads(self._objects.get(self._bucket, self._prefix + name)))
        except (SourceNotFoundError, ValueError, TypeError, KeyError):
            return None

    def keep(self, span: Span, results: Sequence[ChunkResult]) -> Sequence[ChunkResult]:
        """Write what came of the chunk, and return it; or what another run has written before. Failures are logged."""
        # A lone surrogate stays one, as JSON spells it.
        created = self._create(_name(span), json.dumps(to_fields(results)).encode())
        if created is not False:
            return results
        self._doubled += 1  # of several threads at once, which may miss one: a figure of the log
        return self.load(span) or results

    def keep_refusal(self, span: Span, error: TranscriberError) -> None:
        """Write that the API refuses the chunk for good."""
        self._create(_name(span) + _REFUSED, json.dumps({"code": error.code, "message": error.message}).encode())

    def expect(self, duration_seconds: float) -> None:
        """Take note of the recording's length."""

    def results(self) -> list[ChunkResult]:
        """What came of all chunks that are done, in order."""
        return [result for name in sorted(self._listed().parts) for result in self.load(_span(name)) or ()]

    def remove(self, *, refusals_only: bool = False) -> None:
        """Remove all parts, once the transcript is there; or the refusals, once the failure is on record."""
        stored = self._listed()
        refusals = {name + _REFUSED for name in stored.refusals}
        refused = {name for name in self._created if name.endswith(_REFUSED)}
        # Others, of an instance that lost the lease, end by the rule that ends old parts.
        for name in sorted((refusals | refused) if refusals_only else (refusals | stored.parts | self._created)):
            self._objects.delete(self._bucket, self._prefix + name)

    def _create(self, name: str, body: bytes) -> bool | None:
        """Whether it was written here, and not by another run before; None where it could not be written."""
        try:
            created = self._objects.create(self._bucket, self._prefix + name, body, dict(_CONTENT)) is not None
        except TranscriberError as error:
            # What is paid for is in memory, and may be the last that was missing: the run goes on.
            self._log("error", "a part could not be kept", code=error.code, error=error.message)
            return None
        if created:
            self._created.add(name)
        return created

    def _refusal(self, name: str) -> TranscriberError:
        try:
            fields = json.loads(self._objects.get(self._bucket, self._prefix + name + _REFUSED))
            return _REFUSALS.get(fields["code"], ApiRefusedError)(fields["message"])
        except (SourceNotFoundError, ValueError, TypeError, KeyError):
            return ApiRefusedError("The API refused this part of the recording.")

    def _listed(self) -> _Stored:
        if self._stored is None:
            pages = self._objects.pages(self._bucket, self._prefix)
            names = [stored.key.removeprefix(self._prefix) for page in pages for stored in page]
            self._stored = _Stored(
                frozenset(name for name in names if _NAME.fullmatch(name)),
                frozenset(name.removesuffix(_REFUSED) for name in names if name.endswith(_REFUSED)),
            )
        return self._stored


def _name(span: Span) -> str:
    """The name of a part: whole microseconds, which no rounding of a float moves, in the order of time."""
    return f"{round(span.start_seconds * _MICROSECONDS):012}-{round(span.end_seconds * _MICROSECONDS):012}"


def _span(name: str) -> Span:
    start, _, end = name.partition("-")
    return Span(int(start) / _MICROSECONDS, int(end) / _MICROSECONDS)
