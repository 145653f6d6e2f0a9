"""Finds the recordings of a bucket that have no transcript, page by page and in bounded memory; transcribes none.

For each page of recordings, the part of the results' listing that can hold theirs is read beside it: no request for a
single object, and at most a page of each in memory. A listing says when an object was written, not which version a
result is of; but the writer of a result looks afterwards whether the audio is still the one that it read
(`transcriber.jobs.results`), so a result that is younger than the audio is the audio's. Where it is not (new audio, the
same uploaded again, or both in one second), the result's own metadata decide.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from transcriber.cloud.listing import Listing
from transcriber.cloud.object_storage import StoredObject
from transcriber.deadline import Deadline
from transcriber.jobs.leases import FAILURE, LEASE, TRANSCRIPT, Leases, ResultKey, Version
from transcriber.jobs.results import is_result, result_key
from transcriber.request.s3_events import ObjectReference, may_be_audio
from transcriber.request.sweep_request import SweepRequest
from transcriber.settings import Settings

# A key with any of the suffixes comes before the key with this, in the order of a listing.
_BEYOND_SUFFIXES = "/"


@dataclass(frozen=True)
class SweptObject:
    """A recording that the sweep found; it is missing if it has no result for its version and no live lease."""

    reference: ObjectReference
    is_missing: bool


@dataclass
class _Results:
    """The results of one recording."""

    newest: StoredObject | None = None
    lease: StoredObject | None = None


class Sweep:
    """One walk through a bucket."""

    def __init__(self, request: SweepRequest, listing: Listing, leases: Leases, settings: Settings) -> None:
        self._request = request
        self._listing = listing
        self._leases = leases
        self._settings = settings

    def objects(self, deadline: Deadline) -> Iterator[SweptObject]:
        """The recordings, in the order of their keys; they end early when the time does."""
        for page in self._listing.pages(self._request.bucket, self._request.prefix, deadline=deadline):
            if deadline.has_passed():
                return  # the next sweep finds the rest
            recordings = [audio for audio in page if self._is_recording(audio)]
            if not recordings:
                continue
            results = self._results(recordings, deadline)
            for audio in recordings:
                key = self._result_key(audio)
                yield SweptObject(self._reference(audio), is_missing=self._is_missing(audio, key, results[key.stem]))

    def _reference(self, stored: StoredObject) -> ObjectReference:
        return ObjectReference(self._request.bucket, stored.key)

    def _result_key(self, audio: StoredObject) -> ResultKey:
        return result_key(self._reference(audio), self._settings)

    def _is_recording(self, stored: StoredObject) -> bool:
        return may_be_audio(stored.key) and not is_result(self._reference(stored), self._settings)

    def _is_missing(self, audio: StoredObject, key: ResultKey, results: _Results) -> bool:
        if results.lease and self._leases.is_live(results.lease):
            return False
        if results.newest is None:
            return True
        if results.newest.modified_at > audio.modified_at:
            return False
        return self._leases.completed(key, Version(audio.etag)) is None

    def _results(self, recordings: Sequence[StoredObject], deadline: Deadline) -> dict[str, _Results]:
        """The results of `recordings`, by the beginning of their keys."""
        keys = [self._result_key(audio) for audio in recordings]
        found = {key.stem: _Results() for key in keys}
        last = max(stem + _BEYOND_SUFFIXES for stem in found)
        pages = self._listing.pages(keys[0].bucket, self._settings.output_prefix, after=min(found), deadline=deadline)
        for page in pages:
            for result in page:
                _note(found, result)
            if page and page[-1].key > last:
                break
        return found


def _note(found: dict[str, _Results], result: StoredObject) -> None:
    if result.key.endswith(LEASE):
        if results := found.get(result.key.removesuffix(LEASE)):
            results.lease = result
        return
    for suffix in (FAILURE, TRANSCRIPT):
        results = found.get(result.key.removesuffix(suffix)) if result.key.endswith(suffix) else None
        if results and (results.newest is None or results.newest.modified_at < result.modified_at):
            results.newest = result
