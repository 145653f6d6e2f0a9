"""What an instance of the function keeps between requests: settings, connections, and which models there are."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from transcriber.api.chat import ChatBackend
from transcriber.api.models import ModelCatalog
from transcriber.api.transcriptions import TranscriptionsBackend
from transcriber.audio.decoding import decoder_version
from transcriber.chunks.cutting import CUTS_VERSION
from transcriber.cloud.object_storage import ObjectStorage, StoredObject
from transcriber.cloud.queue_limits import MAX_MESSAGE_BYTES
from transcriber.deadline import Deadline
from transcriber.jobs.layout import ResultKeys, Version
from transcriber.jobs.leases import Leases
from transcriber.jobs.parts import Parts, parts_prefix
from transcriber.jobs.results import ClaimedObject, ResultStore
from transcriber.request.base64_text import Base64Text
from transcriber.request.job_message import Job, write_job
from transcriber.request.s3_events import ObjectReference
from transcriber.request.sweep_request import SweepRequest
from transcriber.request.transcription_request import UrlReference
from transcriber.request_log import JsonLogger
from transcriber.request_scope import RequestScope
from transcriber.settings import ApiKind, Settings
from transcriber.sources.base import Source
from transcriber.sources.inline import InlineSource
from transcriber.sources.object import ObjectSource
from transcriber.startup.openai_import import garbage_collector_off, load_openai
from transcriber.transcription.parallel import DEFAULT_MEMORY_MB, memory_for_chunks
from transcriber.transcription.recording import Transcriber

if TYPE_CHECKING:
    from scaleway_functions_python.framework.v1.hints import Context

    from transcriber.cloud.listing import Listing
    from transcriber.cloud.queue import Queue
    from transcriber.delivery.webhook import WebhookSender
    from transcriber.jobs.callbacks import CallbackStore
    from transcriber.jobs.due import DueWork
    from transcriber.jobs.sweep import Sweep
    from transcriber.jobs.sweep_place import SweepPlace
    from transcriber.net.ssrf_guard import SsrfGuard
    from transcriber.sources.url import Downloader


class Services:
    """Made when the handler is imported; each part is made by the first request that needs it.

    `environment` is read once, and a fault in it (`SettingsError`) is an answer, not a function that fails to import.
    Imports in methods keep modules that not every request needs out of a cold start: `requests` alone takes 0.1 s of
    CPU.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._memory_mb = DEFAULT_MEMORY_MB

    def set_memory(self, context: "Context | None") -> None:
        """Take over the function's memory, if the platform states it."""
        stated = (context or {}).get("memoryLimitInMb")
        self._memory_mb = stated if isinstance(stated, int) and stated > 0 else DEFAULT_MEMORY_MB

    def log(self, request_id: str) -> JsonLogger:
        """The log of one request; at the default level as long as the settings cannot be read."""
        settings = self.__dict__.get("settings")
        level = settings.log_level if isinstance(settings, Settings) else "info"
        return JsonLogger(level, request_id=request_id)

    @cached_property
    def settings(self) -> Settings:
        """The operator's settings; `SettingsError` names the variable that is missing or wrong."""
        return Settings.from_environment(self._environment)

    @cached_property
    def transcriber(self) -> Transcriber:
        """What transcribes recordings, with the connection to the API."""
        with garbage_collector_off():
            load_openai()
            from transcriber.api.client import GenerativeApi

        return Transcriber(
            settings=self.settings,
            api=GenerativeApi(self.settings),
            catalog=ModelCatalog(self.settings),
            backends={ApiKind.CHAT: ChatBackend(), ApiKind.TRANSCRIPTIONS: TranscriptionsBackend()},
            max_memory_bytes=memory_for_chunks(self._memory_mb),
        )

    def open_source(self, reference: UrlReference | Base64Text, deadline: Deadline) -> Source:
        """The source of a request; nothing is read before its first `peek` or `open`."""
        match reference:
            case UrlReference(url):
                from transcriber.sources.url import UrlSource

                max_bytes = self.settings.max_audio_bytes
                return UrlSource(url, downloader=self.downloader, max_bytes=max_bytes, deadline=deadline)
            case Base64Text():
                return InlineSource(reference, max_bytes=self.settings.max_audio_bytes)

    def open_object(self, claimed: ClaimedObject, deadline: Deadline) -> ObjectSource:
        """The audio of an object, in the version that was claimed."""
        max_bytes = self.settings.max_audio_bytes
        bucket = claimed.reference.bucket
        storage = self.storage.within(deadline)
        return ObjectSource(storage, bucket, claimed.audio, max_bytes=max_bytes, deadline=deadline)

    @cached_property
    def guard(self) -> "SsrfGuard":
        """What decides which addresses a URL and a callback may reach."""
        from transcriber.net.ssrf_guard import SsrfGuard

        return SsrfGuard(self.settings.allowed_private_hosts)

    @cached_property
    def downloader(self) -> "Downloader":
        """The connections to the servers of URLs."""
        from transcriber.sources.url import Downloader

        return Downloader(self.guard)

    @cached_property
    def webhooks(self) -> "WebhookSender":
        """The sender of callbacks; `SettingsError` without a secret to sign with."""
        from transcriber.delivery.webhook import WebhookSender, read_secret

        return WebhookSender(self.guard, self.downloader, read_secret(self.settings.callback_secret))

    @cached_property
    def queue(self) -> "Queue":
        """The queue of the settings."""
        from transcriber.cloud.queue import Queue

        return Queue(self.settings)

    @cached_property
    def storage(self) -> ObjectStorage:
        """Object Storage; `SettingsError` without its keys."""
        return ObjectStorage.from_settings(self.settings)

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

    def parts(self, reference: ObjectReference, version: Version, scope: RequestScope) -> Parts:
        """The parts of one version of an object."""
        keys = ResultKeys.of(reference, self.settings, version.options)
        cuts = (CUTS_VERSION, decoder_version(), self.settings.chunk_seconds)

        def list_keys(bucket: str, prefix: str) -> list[StoredObject]:
            pages = self.listing.pages(bucket, prefix, deadline=scope.deadline)
            return [stored for page in pages for stored in page]

        return Parts(self.storage, keys.bucket, parts_prefix(keys, reference, version, cuts), list_keys, scope.log)

    @cached_property
    def callbacks(self) -> "CallbackStore":
        """The callbacks that are still owed."""
        from transcriber.jobs.callbacks import CallbackStore

        prefix = self.settings.output_prefix
        return CallbackStore(self.storage, prefix=prefix, minute_seconds=self.settings.minute_seconds)

    def send_jobs(self, jobs: Sequence[tuple[Job, Mapping[str, Any]]], deadline: Deadline) -> None:
        """Queue requests for this function itself, signed."""
        self.queue.send([self._message(job, fields) for job, fields in jobs], deadline=deadline)

    def fits_message(self, job: Job, fields: Mapping[str, Any]) -> bool:
        """Whether a message holds the request."""
        return len(self._message(job, fields).encode()) <= MAX_MESSAGE_BYTES

    def _message(self, job: Job, fields: Mapping[str, Any]) -> str:
        return write_job(job, fields, "" if self.settings.queue is None else self.settings.queue.secret_key)

    @cached_property
    def listing(self) -> "Listing":
        """The listings of buckets."""
        from transcriber.cloud.listing import Listing

        _ = self.storage  # first, since it reports missing keys
        return Listing(self.settings)

    def sweep(self, request: SweepRequest, *, after: str) -> "Sweep":
        """A walk through a bucket, from the key `after`."""
        from transcriber.jobs.sweep import Sweep

        return Sweep(request, self.listing, self.settings, after=after)

    def sweep_place(self, request: SweepRequest) -> "SweepPlace":
        """Where the last such sweep ended."""
        from transcriber.jobs.sweep_place import SweepPlace

        bucket = self.settings.output_bucket or request.bucket
        return SweepPlace(self.storage, bucket, self.settings.output_prefix, request)

    def due(self, request: SweepRequest) -> "DueWork":
        """The work that waited, and is due."""
        from transcriber.jobs.due import DueWork

        return DueWork(
            self.settings.output_bucket or request.bucket,
            self.settings.output_prefix,
            storage=self.storage,
            listing=self.listing,
            leases=self.leases,
            callbacks=self.callbacks,
            has_queue=bool(self.settings.queue_url),
        )
