"""An object that is written in parts, by several requests or instances; it is there once it is completed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from transcriber.cloud.object_list import bare, error_code, metadata_headers
from transcriber.cloud.object_storage import ObjectStorage
from transcriber.errors import SourceFailedError

# The least size of a part that is not the last one is 5 MiB, by the protocol; there may be 10,000.
PART_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True)
class UploadedPart:
    """One part, by its number, from 1."""

    number: int
    etag: str
    size_bytes: int


class MultipartUpload:
    """An open upload of the object `key`; a lifecycle rule ends what is never completed."""

    def __init__(self, storage: ObjectStorage, bucket: str, key: str, upload_id: str) -> None:
        self._storage = storage
        self._bucket = bucket
        self._key = key
        self.id = upload_id

    @classmethod
    def begin(cls, storage: ObjectStorage, bucket: str, key: str, metadata: Mapping[str, str]) -> "MultipartUpload":
        """Open an upload."""
        answer = storage.exchange(bucket, key, "POST", metadata_headers(metadata), query={"uploads": ""})
        upload_id = _field(answer.body, "UploadId")
        if not upload_id:
            raise SourceFailedError(f"Object Storage did not open an upload at {bucket}/{key}.", param="key")
        return cls(storage, bucket, key, upload_id)

    def parts(self) -> Sequence[UploadedPart] | None:
        """The parts that are there without a gap, in order; None where the upload is gone."""
        answer = self._storage.exchange(
            self._bucket, self._key, "GET", query={"uploadId": self.id}, allowed=(HTTPStatus.NOT_FOUND,)
        )
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        found = sorted(_parts(answer.body), key=lambda part: part.number)
        return [part for number, part in enumerate(found, 1) if part.number == number]

    def put(self, number: int, body: bytes) -> UploadedPart:
        """Write a part."""
        query = {"uploadId": self.id, "partNumber": str(number)}
        answer = self._storage.exchange(self._bucket, self._key, "PUT", body=body, query=query)
        return UploadedPart(number, bare(answer.headers.get("ETag")), len(body))

    def complete(self, parts: Sequence[UploadedPart]) -> str:
        """Make the object of all parts, and return its ETag."""
        items = "".join(
            f'<Part><PartNumber>{part.number}</PartNumber><ETag>"{part.etag}"</ETag></Part>' for part in parts
        )
        body = f"<CompleteMultipartUpload>{items}</CompleteMultipartUpload>".encode()
        answer = self._storage.exchange(self._bucket, self._key, "POST", body=body, query={"uploadId": self.id})
        etag = bare(_field(answer.body, "ETag").replace("&quot;", '"'))
        if error_code(answer.body) or not etag:  # an error may come after the status
            raise SourceFailedError(f"Object Storage did not complete {self._bucket}/{self._key}.", param="key")
        return etag

    def abort(self) -> None:
        """Remove the parts, and the upload."""
        query, allowed = {"uploadId": self.id}, (HTTPStatus.NOT_FOUND,)
        self._storage.exchange(self._bucket, self._key, "DELETE", query=query, allowed=allowed)


def _field(body: bytes, name: str) -> str:
    from xml.etree import ElementTree as ET  # noqa: PLC0415 # 0.01 s of CPU, which only copies need

    try:
        return (ET.fromstring(body).findtext(f"{{*}}{name}") or "").strip()  # noqa: S314 # of the storage
    except ET.ParseError:
        return ""


def _parts(body: bytes) -> list[UploadedPart]:
    from xml.etree import ElementTree as ET  # noqa: PLC0415 # the same

    try:
        root = ET.fromstring(body)  # noqa: S314 # the same
        return [
            UploadedPart(
                int(part.findtext("{*}PartNumber") or 0),
                bare(part.findtext("{*}ETag")),
                int(part.findtext("{*}Size") or 0),
            )
            for part in root.iterfind("{*}Part")
        ]
    except (ET.ParseError, ValueError):
        return []
