"""Finds the recordings of a bucket that have no result, page by page and in bounded memory; transcribes none.

For each page of recordings, the parts of three listings that can hold theirs are read beside it: the results, the
markers that name the version of each, and the leases. No request is made for a single object. A recording is done when
it has a result, and a marker of its present version; so a result that was removed is made again, and one of another
version is, too. A recording with a lease is in work, or waits (`transcriber.jobs.due`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from transcriber.cloud.object_storage import ObjectStorage, StoredObject
from transcriber.deadline import Deadline
from transcriber.jobs.layout import FAILURE, TRANSCRIPT, WORK, ResultKeys, is_result, own_prefix
from transcriber.request.object_names import may_be_audio
from transcriber.request.s3_events import ObjectReference
from transcriber.request.sweep_request import SweepRequest
from transcriber.settings import Settings

# A key with any of the suffixes comes before the key with this, in the order of a listing.
_BEYOND_SUFFIXES = "/"
# Any key that begins with a prefix comes before the prefix with this.
_BEYOND_KEYS = "\U0010ffff"


@dataclass(frozen=True)
class SweptObject:
    """A recording that the sweep found; it is missing if its version has neither a result nor a lease.

    `done_at` is when its version was last done, although the result may have been removed since; `uploaded_at` is when
    it was written.
    """

    reference: ObjectReference
    is_missing: bool
    done_at: datetime | None = None
    uploaded_at: datetime | None = None


class Sweep:
    """One walk through a bucket, from the key `after` to the end, and then from the start to there."""

    def __init__(self, request: SweepRequest, storage: ObjectStorage, settings: Settings, *, after: str = "") -> None:
        self._request = request
        self._storage = storage
        self._settings = settings
        self._after = after

    def objects(self, deadline: Deadline) -> Iterator[SweptObject]:
        """The recordings, in the order of their keys; they end early when the time does."""
        yield from self._walk(self._after, None, deadline)
        if self._after:
            yield from self._walk("", self._after, deadline)

    def _walk(self, after: str, last: str | None, deadline: Deadline) -> Iterator[SweptObject]:
        bucket = self._request.bucket
        own = own_prefix(bucket, self._settings)
        for page in self._pages(bucket, self._request.prefix, after, deadline, passed_over=own):
            if deadline.has_passed():
                return  # the next sweep finds the rest
            recordings = [audio for audio in page if self._is_recording(audio) and (last is None or audio.key <= last)]
            if recordings:
                yield from self._compare(recordings, deadline)
            if last is not None and page and page[-1].key > last:
                return

    def _compare(self, recordings: Sequence[StoredObject], deadline: Deadline) -> Iterator[SweptObject]:
        keys = [ResultKeys.of(self._reference(audio), self._settings) for audio in recordings]
        names = sorted(each.name for each in keys)
        prefix, bucket = self._settings.output_prefix, keys[0].bucket
        results = self._keys_between(bucket, prefix, names, deadline)
        done = self._keys_between(bucket, f"{prefix}{WORK}done/", names, deadline)
        leases = self._keys_between(bucket, f"{prefix}{WORK}leases/", names, deadline)
        for audio, each in zip(recordings, keys, strict=True):
            has_result = each.with_suffix(TRANSCRIPT) in results or each.with_suffix(FAILURE) in results
            is_done = has_result and each.done(audio.etag) in done
            yield SweptObject(
                self._reference(audio),
                is_missing=not is_done and each.lease not in leases,
                done_at=done.get(each.done(audio.etag)),
                uploaded_at=audio.modified_at,
            )

    def _keys_between(self, bucket: str, prefix: str, names: Sequence[str], deadline: Deadline) -> dict[str, datetime]:
        """The times of the keys under `prefix` that can belong to the first of `names`, the last, or one between."""
        first, last, work = prefix + names[0], prefix + names[-1] + _BEYOND_SUFFIXES, prefix + WORK
        found: dict[str, datetime] = {}
        for page in self._pages(bucket, prefix, first, deadline, passed_over=work):
            found.update((stored.key, stored.modified_at) for stored in page)
            if page and page[-1].key > last:
                break
        return found

    def _pages(
        self, bucket: str, prefix: str, after: str, deadline: Deadline, *, passed_over: str
    ) -> Iterator[Sequence[StoredObject]]:
        """The pages of a listing; of what begins with `passed_over` no more than one is read, and "" is nothing."""
        begin: str | None = after
        while begin is not None:
            begun_after, begin = begin, None
            for page in self._storage.pages(bucket, prefix, after=begun_after, deadline=deadline):
                yield page
                if passed_over and page and page[-1].key.startswith(passed_over):
                    begin = passed_over + _BEYOND_KEYS
                    break

    def _reference(self, stored: StoredObject) -> ObjectReference:
        return ObjectReference(self._request.bucket, stored.key)

    def _is_recording(self, stored: StoredObject) -> bool:
        return may_be_audio(stored.key) and not is_result(self._reference(stored), self._settings)
