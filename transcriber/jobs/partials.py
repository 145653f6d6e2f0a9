"""Partial transcripts of objects: what is there of a recording whose failure is on record.

One is kept under `.work/` whenever a failure is recorded, and is given to requests with `allow_partial` alone. Of a
request with that option its files are written, too, under a key of their own, as for every option that changes the
words: what stands at the recording's own key is whole. When a later attempt completes the recording, they are removed.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Final

from transcriber.cloud.object_storage import ObjectStorage
from transcriber.errors import SourceNotFoundError, TranscriberError
from transcriber.jobs.layout import TRANSCRIPT, ResultKeys, Version, options_digest
from transcriber.jobs.lease_record import ETAG, OPTIONS
from transcriber.jobs.parts import Parts
from transcriber.outputs.document import from_document, to_document
from transcriber.outputs.formats import FORMATS
from transcriber.outputs.plain_json import JSON_TYPE
from transcriber.request.options import TranscriptionOptions
from transcriber.request.s3_events import ObjectReference
from transcriber.request_log import JsonLogger, error_log_fields
from transcriber.response_format import FILE_SUFFIXES
from transcriber.settings import Settings
from transcriber.spans import Span
from transcriber.transcription.chunk_result import ChunkResult
from transcriber.transcription.partial import join_partial
from transcriber.transcription.transcript import Transcript

_CHARSET: Final = "utf-8"


class Partials:
    """The partial transcript of one version of one object, with one set of options."""

    def __init__(
        self,
        storage: ObjectStorage,
        settings: Settings,
        reference: ObjectReference,
        *,
        parts: Parts,
        etag: str,
        options: TranscriptionOptions,
        log: JsonLogger,
    ) -> None:
        self._storage = storage
        self._settings = settings
        self._parts = parts
        self._options = options
        self._log = log
        digest = options_digest(options, has_gaps=True)
        self._keys = ResultKeys.of(reference, settings, digest)
        self._version = Version(etag, digest)
        plain = ResultKeys.of(reference, settings, Version.of(etag, options).options)
        self._kept_key = plain.partial(etag)

    def joined(
        self, results: Sequence[ChunkResult] | None, missing: Sequence[Span] | None, error: TranscriberError
    ) -> Transcript | None:
        """The transcript of `results`, or else of all parts, with gaps; None where nothing is transcribed."""
        return join_partial(
            self._parts.results() if results is None else results,
            self._parts.missing() if missing is None else missing,
            error.message,
            model=self._options.model or self._settings.models[0],
            language=self._options.language,
        )

    def keep(self, transcript: Transcript) -> None:
        """Keep what is there beside the record of a failure; a storage that fails costs no record."""
        try:
            self._storage.put(self._keys.bucket, self._kept_key, _document(transcript), {"Content-Type": JSON_TYPE})
            if self._options.allow_partial:
                self._write_files(transcript)
        except TranscriberError as failure:
            self._log("error", "a partial transcript could not be kept", **error_log_fields(failure))

    def find(self) -> Transcript | None:
        """What is kept; its files are written where they are missing, since the request allows it."""
        try:
            transcript = from_document(json.loads(self._storage.get(self._keys.bucket, self._kept_key)))
        except SourceNotFoundError:
            return None
        written = self._storage.head(self._keys.bucket, self._keys.with_suffix(TRANSCRIPT))
        if written is None or written.metadata.get(ETAG) != self._version.etag:
            self._write_files(transcript)
        return transcript

    def remove(self) -> None:
        """Remove the files of a partial transcript, now that there is a whole one; parts were left with it."""
        if self._parts.count() and self._storage.head(self._keys.bucket, self._kept_key):
            for key in (self._kept_key, *self._files()):
                self._storage.delete(self._keys.bucket, key)

    def _write_files(self, transcript: Transcript) -> None:
        for response_format in self._settings.output_formats:
            output = FORMATS[response_format]
            body = output.render(transcript).encode(_CHARSET, "replace")
            self._write(FILE_SUFFIXES[response_format], body, output.content_type)
        self._write(TRANSCRIPT, _document(transcript), JSON_TYPE)

    def _write(self, suffix: str, body: bytes, content_type: str) -> None:
        metadata = {"Content-Type": content_type, ETAG: self._version.etag, OPTIONS: self._version.options}
        self._storage.put(self._keys.bucket, self._keys.with_suffix(suffix), body, metadata)

    def _files(self) -> Iterator[str]:
        yield self._keys.with_suffix(TRANSCRIPT)
        yield from (self._keys.with_suffix(FILE_SUFFIXES[each]) for each in self._settings.output_formats)


def _document(transcript: Transcript) -> bytes:
    return json.dumps(to_document(transcript), ensure_ascii=False).encode(_CHARSET, "replace")
