"""Finds the recordings of a bucket that have no transcript, page by page and in bounded memory; transcribes none.

For each page of recordings, the part of the results' listing that can hold theirs is read beside it: no request for a
single object, and no more than a page of each in memory. A listing tells when an object was written, not which version
a result is of; but whoever writes a result looks afterwards whether the audio is still the one that it read
(`jobs.results`), so a result that is younger than the audio is the audio's. Where it is not - new audio, the same
uploaded again, or both in one second - the result's own metadata decide.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from transcriber.cloud.listing import Listing
from transcriber.cloud.object_storage import StoredObject
from transcriber.deadline import Deadline
from transcriber.jobs.leases import CLAIM, FAILURE, TRANSCRIPT, Leases, ResultKey, Version
from transcriber.jobs.results import is_result, result_key
from transcriber.request.s3_events import ObjectReference, may_be_audio
from transcriber.request.sweep_request import SweepRequest
from transcriber.settings import Settings

# A key and one of the endings is less than the key and this, by the order of a listing.
_BEYOND_ENDINGS = "/"


@dataclass
class _Results:
    """What there is of one recording's results."""

    newest: StoredObject | None = None
    claim: StoredObject | None = None


class Sweep:
    """One walk through a bucket; `found` counts the recordings that were seen, `skipped` those that need nothing."""

    def __init__(self, request: SweepRequest, listing: Listing, claims: Leases, settings: Settings) -> None:
        self.found = 0
        self.skipped = 0
        self._request = request
        self._listing = listing
        self._claims = claims
        self._settings = settings

    def missing(self, deadline: Deadline) -> Iterator[ObjectReference]:
        """The recordings without a result for their version and without a live claim, in the order of their keys.

        They end early when the time does.
        """
        for page in self._listing.pages(self._request.bucket, self._request.prefix, deadline=deadline):
            if deadline.has_passed():
                return  # the next sweep finds the rest
            recordings = [audio for audio in page if self._is_recording(audio)]
            if not recordings:
                continue
            results = self._results(recordings, deadline)
            for audio in recordings:
                self.found += 1
                reference = ObjectReference(self._request.bucket, audio.key)
                if self._needs_nothing(audio, results[result_key(reference, self._settings).stem]):
                    self.skipped += 1
                else:
                    yield reference

    def _is_recording(self, stored: StoredObject) -> bool:
        reference = ObjectReference(self._request.bucket, stored.key)
        return may_be_audio(stored.key) and not is_result(reference, self._settings)

    def _needs_nothing(self, audio: StoredObject, results: _Results) -> bool:
        if results.claim and self._claims.is_live(results.claim):
            return True
        if results.newest is None:
            return False
        if results.newest.modified_at > audio.modified_at:
            return True
        place = result_key(ObjectReference(self._request.bucket, audio.key), self._settings)
        return self._claims.finished(place, Version(audio.etag)) is not None

    def _results(self, recordings: Sequence[StoredObject], deadline: Deadline) -> dict[str, _Results]:
        """The results of `recordings`, by the beginning of their keys."""
        places: list[ResultKey] = [
            result_key(ObjectReference(self._request.bucket, audio.key), self._settings) for audio in recordings
        ]
        found = {place.stem: _Results() for place in places}
        last = max(stem + _BEYOND_ENDINGS for stem in found)
        first = min(found)
        for page in self._listing.pages(places[0].bucket, self._settings.output_prefix, after=first, deadline=deadline):
            for result in page:
                self._note(found, result)
            if page and page[-1].key > last:
                break
        return found

    def _note(self, found: dict[str, _Results], result: StoredObject) -> None:
        if result.key.endswith(CLAIM):
            if results := found.get(result.key.removesuffix(CLAIM)):
                results.claim = result
            return
        for suffix in (FAILURE, TRANSCRIPT):
            results = found.get(result.key.removesuffix(suffix)) if result.key.endswith(suffix) else None
            if results and (results.newest is None or results.newest.modified_at < result.modified_at):
                results.newest = result
