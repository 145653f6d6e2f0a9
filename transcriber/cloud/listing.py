"""Lists the objects of a bucket, page by page, in the order of their keys; the storage's own client does it."""

from collections.abc import Iterator, Sequence

from transcriber.cloud.object_storage import ObjectStorage, StoredObject
from transcriber.deadline import Deadline
from transcriber.settings import Settings


class Listing:
    """Listings of the buckets that the settings' key pair opens."""

    def __init__(self, settings: Settings) -> None:
        self._storage = ObjectStorage.from_settings(settings)

    def pages(
        self, bucket: str, prefix: str = "", *, after: str = "", deadline: Deadline
    ) -> Iterator[Sequence[StoredObject]]:
        """The same as `ObjectStorage.pages`."""
        return self._storage.pages(bucket, prefix, after=after, deadline=deadline)
