"""What jobs keep in the storage, as one request sees it: all of its calls end with the request's time."""

from functools import cached_property

from transcriber.audio.decoding import decoder_version
from transcriber.chunks.cutting import CUTS_VERSION
from transcriber.cloud.object_storage import ObjectStorage
from transcriber.jobs.callbacks import CallbackStore
from transcriber.jobs.due import DueWork
from transcriber.jobs.job_progress import JobProgress, WatchedParts
from transcriber.jobs.layout import ResultKeys, Version, results_bucket
from transcriber.jobs.leases import Leases
from transcriber.jobs.partials import Partials
from transcriber.jobs.parts import Parts, parts_prefix
from transcriber.jobs.records import JobStore
from transcriber.jobs.replays import ReplayStore
from transcriber.jobs.results import ResultStore
from transcriber.jobs.sweep import Sweep
from transcriber.jobs.sweep_state import SweepMark, SweepState
from transcriber.request.options import TranscriptionOptions
from transcriber.request.s3_events import ObjectReference
from transcriber.request.sweep_request import SweepRequest
from transcriber.request_log import JsonLogger
from transcriber.settings import Settings


class Stores:
    """Leases, results, parts, callbacks and sweeps in `storage`."""

    def __init__(self, storage: ObjectStorage, settings: Settings) -> None:
        self.storage = storage
        self.settings = settings

    @cached_property
    def leases(self) -> Leases:
        """The leases of recordings."""
        settings = self.settings
        return Leases(
            self.storage, time_limit_seconds=settings.time_limit_seconds, minute_seconds=settings.minute_seconds
        )

    @cached_property
    def results(self) -> ResultStore:
        """The stored results of recordings."""
        return ResultStore(self.storage, self.leases, self.settings)

    @cached_property
    def callbacks(self) -> CallbackStore:
        """The callbacks that are still owed."""
        prefix, minute_seconds = self.settings.output_prefix, self.settings.minute_seconds
        return CallbackStore(self.storage, prefix=prefix, minute_seconds=minute_seconds)

    @cached_property
    def jobs(self) -> JobStore:
        """The records of jobs; there are none without OUTPUT_BUCKET."""
        settings = self.settings
        bucket = results_bucket("", settings)
        return JobStore(self.storage, bucket, prefix=settings.output_prefix, days=settings.job_days)

    @cached_property
    def replays(self) -> ReplayStore:
        """What was answered under an Idempotency-Key."""
        settings = self.settings
        return ReplayStore(
            self.storage,
            results_bucket("", settings),
            prefix=settings.output_prefix,
            days=settings.job_days,
            time_limit_seconds=settings.time_limit_seconds,
        )

    @cached_property
    def sweep_mark(self) -> SweepMark:
        """When the last sweep ran."""
        return SweepMark(self.storage, results_bucket("", self.settings), self.settings.output_prefix)

    def parts(
        self, reference: ObjectReference, version: Version, log: JsonLogger, progress: JobProgress | None = None
    ) -> Parts:
        """The parts of one version of an object; with `progress`, they are reported there."""
        keys = ResultKeys.of(reference, self.settings, version.options)
        cuts = (CUTS_VERSION, decoder_version(), self.settings.chunk_seconds)
        prefix = parts_prefix(keys, reference, version, cuts)
        if progress is None:
            return Parts(self.storage, keys.bucket, prefix, log)
        return WatchedParts(self.storage, keys.bucket, prefix, log, progress=progress)

    def partials(
        self, reference: ObjectReference, *, parts: Parts, etag: str, options: TranscriptionOptions, log: JsonLogger
    ) -> Partials:
        """The partial transcript of one version of an object."""
        return Partials(self.storage, self.settings, reference, parts=parts, etag=etag, options=options, log=log)

    def sweep(self, request: SweepRequest, *, after: str) -> Sweep:
        """A walk through a bucket, from the key `after`."""
        return Sweep(request, self.storage, self.settings, after=after)

    def sweep_state(self, request: SweepRequest) -> SweepState:
        """What the last such sweep has left."""
        return SweepState(
            self.storage,
            results_bucket(request.bucket, self.settings),
            self.settings.output_prefix,
            request,
            minute_seconds=self.settings.minute_seconds,
        )

    def due(self, request: SweepRequest) -> DueWork:
        """The work that waited, and is due."""
        return DueWork(
            results_bucket(request.bucket, self.settings),
            self.settings.output_prefix,
            storage=self.storage,
            leases=self.leases,
            callbacks=self.callbacks,
            has_queue=bool(self.settings.queue_url),
        )
