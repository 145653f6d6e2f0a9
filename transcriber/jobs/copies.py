"""Copies a job's recording from an address to an object, in bounded memory, by several runs where one is not enough.

A short recording is one object; a longer one an upload in parts, whose parts say how far the copy is. The next run goes
on after the last one, with a range of the same version of the recording; where its server names no version, or has
another one by now, the copy begins anew.
"""

from typing import TYPE_CHECKING, Final

from transcriber.cloud.multipart_upload import PART_BYTES, MultipartUpload, UploadedPart
from transcriber.cloud.object_storage import ObjectStorage
from transcriber.errors import TranscriberError
from transcriber.jobs.job_progress import JobProgress
from transcriber.jobs.records import CopyState
from transcriber.request.s3_events import ObjectReference
from transcriber.sources.base import Reader

if TYPE_CHECKING:
    from transcriber.sources.url import UrlSource

# Larger reads would lose more where a connection breaks.
READ_BYTES: Final = 256 * 1024
_CONTENT: Final = {"Content-Type": "application/octet-stream"}


class JobCopy:
    """One run at the copy of a job's recording to `place`; what the next run needs is in the job's record."""

    def __init__(self, storage: ObjectStorage, place: ObjectReference, progress: JobProgress) -> None:
        self._storage = storage
        self._place = place
        self._progress = progress
        self._upload: MultipartUpload | None = None
        self._parts: list[UploadedPart] = []
        state = progress.record.copy
        if state is not None:
            upload = MultipartUpload(storage, place.bucket, place.key, state.upload_id)
            if not state.version:
                upload.abort()  # the rest may be of another recording
            elif parts := upload.parts():
                self._upload, self._parts = upload, [*parts]
        self._begun_with = len(self._parts)

    @property
    def version(self) -> str | None:
        """The version of the recording that there are parts of."""
        state = self._progress.record.copy
        return state.version if state is not None and self._parts else None

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return len(self._parts)

    @property
    def has_added(self) -> bool:
        """Whether this run has added a part."""
        return len(self._parts) > self._begun_with

    def begin_anew(self) -> None:
        """Drop the parts: the recording is another one by now."""
        if self._upload is not None:
            self._upload.abort()
        self._upload, self._parts, self._begun_with = None, [], 0

    def run(self, source: "UrlSource") -> str:
        """Copy the rest of `source`, and return the ETag of the object."""
        if not self._is_read:
            with source.open(self._size_bytes) as reader:
                block = _block(reader)
                if self._upload is None and len(block) < PART_BYTES:
                    return self._storage.put(self._place.bucket, self._place.key, block, _CONTENT)
                while block:
                    upload = self._opened(source)
                    self._parts.append(upload.put(len(self._parts) + 1, block))
                    block = _block(reader)
        return self._opened(source).complete(self._parts)

    @property
    def _is_read(self) -> bool:
        """Whether all bytes are there, and only the end of the upload is missing."""
        state = self._progress.record.copy
        return bool(self._parts) and state is not None and state.size_bytes == self._size_bytes

    @property
    def _size_bytes(self) -> int:
        return sum(part.size_bytes for part in self._parts)

    def _opened(self, source: "UrlSource") -> MultipartUpload:
        """The upload; a new one is noted in the record before it has a part."""
        if self._upload is None:
            self._upload = MultipartUpload.begin(self._storage, self._place.bucket, self._place.key, _CONTENT)
            try:
                self._progress.update(copy=CopyState(self._upload.id, source.version or "", source.size_bytes))
            except TranscriberError:
                self._upload.abort()  # the job was deleted, or no other run would find it
                raise
        return self._upload


def _block(reader: Reader) -> bytes:
    """The next part, shorter at the end alone."""
    block = bytearray()
    while len(block) < PART_BYTES and (read := reader.read(min(READ_BYTES, PART_BYTES - len(block)))):
        block += read
    return bytes(block)
