"""What jobs keep in the storage, as one request sees it: all of its calls end with the request's time."""

from functools import cached_property

from transcriber.audio.decoding import decoder_version
from transcriber.chunks.cutting import CUTS_VERSION
from transcriber.cloud.object_storage import ObjectStorage
from transcriber.jobs.callbacks import CallbackStore
from transcriber.jobs.due import DueWork
from transcriber.jobs.layout import ResultKeys, Version, results_bucket
from transcriber.jobs.leases import Leases
from transcriber.jobs.partials import Partials
from transcriber.jobs.parts import Parts, parts_prefix
from transcriber.jobs.results import ResultStore
from transcriber.jobs.sweep import Sweep
from transcriber.jobs.sweep_state import SweepState
from transcriber.request.options import TranscriptionOptions
from transcriber.request.s3_events import ObjectReference
from transcriber.request.sweep_request import SweepRequest
from transcriber.request_log import JsonLogger
from transcriber.settings import Settings


class Stores:
    """Leases, results, parts, callbacks and sweeps in `storage`."""

    def __init__(self, storage: ObjectStorage, settings: Settings) -> None:
        self._storage = storage
        self._settings = settings

    @cached_property
    def leases(self) -> Leases:
        """The leases of recordings."""
        settings = self._settings
        return Leases(
            self._storage, time_limit_seconds=settings.time_limit_seconds, minute_seconds=settings.minute_seconds
        )

    @cached_property
    def results(self) -> ResultStore:
        """The stored results of recordings."""
        return ResultStore(self._storage, self.leases, self._settings)

    @cached_property
    def callbacks(self) -> CallbackStore:
        """The callbacks that are still owed."""
        prefix, minute_seconds = self._settings.output_prefix, self._settings.minute_seconds
        return CallbackStore(self._storage, prefix=prefix, minute_seconds=minute_seconds)

    def parts(self, reference: ObjectReference, version: Version, log: JsonLogger) -> Parts:
        """The parts of one version of an object."""
        keys = ResultKeys.of(reference, self._settings, version.options)
        cuts = (CUTS_VERSION, decoder_version(), self._settings.chunk_seconds)
        return Parts(self._storage, keys.bucket, parts_prefix(keys, reference, version, cuts), log)

    def partials(
        self, reference: ObjectReference, *, parts: Parts, etag: str, options: TranscriptionOptions, log: JsonLogger
    ) -> Partials:
        """The partial transcript of one version of an object."""
        return Partials(self._storage, self._settings, reference, parts=parts, etag=etag, options=options, log=log)

    def sweep(self, request: SweepRequest, *, after: str) -> Sweep:
        """A walk through a bucket, from the key `after`."""
        return Sweep(request, self._storage, self._settings, after=after)

    def sweep_state(self, request: SweepRequest) -> SweepState:
        """What the last such sweep has left."""
        return SweepState(
            self._storage,
            results_bucket(request.bucket, self._settings),
            self._settings.output_prefix,
            request,
            minute_seconds=self._settings.minute_seconds,
        )

    def due(self, request: SweepRequest) -> DueWork:
        """The work that waited, and is due."""
        return DueWork(
            results_bucket(request.bucket, self._settings),
            self._settings.output_prefix,
            storage=self._storage,
            leases=self.leases,
            callbacks=self.callbacks,
            has_queue=bool(self._settings.queue_url),
        )
