"""What an instance of the function keeps between requests: settings, connections, and which models there are."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from transcriber.api.chat import ChatBackend
from transcriber.api.models import ModelCatalog
from transcriber.api.transcriptions import TranscriptionsBackend
from transcriber.cloud.object_storage import ObjectStorage, StoredObject
from transcriber.cloud.queue_limits import MAX_MESSAGE_BYTES
from transcriber.deadline import Deadline
from transcriber.jobs.results import ClaimedObject
from transcriber.request.base64_text import Base64Text
from transcriber.request.event import HttpRequest
from transcriber.request.job_message import Job, write_job
from transcriber.request.object_names import ends_like_audio
from transcriber.request.transcription_request import UrlReference
from transcriber.request.upload_request import UploadRequest
from transcriber.request_log import JsonLogger
from transcriber.settings import ApiKind, Settings
from transcriber.sources.base import Source
from transcriber.sources.inline import InlineSource
from transcriber.sources.object import ObjectSource
from transcriber.startup.openai_import import garbage_collector_off, load_openai
from transcriber.transcription.parallel import DEFAULT_MEMORY_MB, memory_for_chunks
from transcriber.transcription.recording import Transcriber

if TYPE_CHECKING:
    from scaleway_functions_python.framework.v1.hints import Context

    from transcriber.cloud.queue import Queue
    from transcriber.delivery.webhook import WebhookSender
    from transcriber.jobs.stores import Stores
    from transcriber.jobs.uploads import UploadSlot
    from transcriber.net.ssrf_guard import SsrfGuard
    from transcriber.sources.url import Downloader, UrlSource


class Services:
    """Made when the handler is imported; each part is made by the first request that needs it.

    `environment` is read once, and a fault in it (`SettingsError`) is an answer, not a function that fails to import.
    Imports in methods keep modules that not every request needs out of a cold start: `requests` alone takes 0.1 s of
    CPU.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._memory_mb = DEFAULT_MEMORY_MB
        self._has_begun = False

    def set_memory(self, context: "Context | None") -> None:
        """Take over the function's memory, if the platform states it."""
        stated = (context or {}).get("memoryLimitInMb")
        self._memory_mb = stated if isinstance(stated, int) and stated > 0 else DEFAULT_MEMORY_MB

    def take_cold_start(self) -> bool:
        """Whether this is the instance's first request."""
        is_first, self._has_begun = not self._has_begun, True
        return is_first

    def log(self, http_request: HttpRequest) -> JsonLogger:
        """The log of one request, its id and its trace in each line.

        At the default level as long as the settings cannot be read.
        """
        settings = self.__dict__.get("settings")
        level = settings.log_level if isinstance(settings, Settings) else "info"
        return JsonLogger(level, request_id=http_request.request_id, traceparent=http_request.traceparent)

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
            case UrlReference():
                return self.open_url(reference, deadline)
            case Base64Text():
                return InlineSource(reference, max_bytes=self.settings.max_audio_bytes)

    def open_url(self, reference: UrlReference, deadline: Deadline, *, version: str | None = None) -> "UrlSource":
        """The recording at an address; with `version`, that one alone."""
        from transcriber.sources.url import UrlSource

        max_bytes = self.settings.max_audio_bytes
        return UrlSource(
            reference.url, downloader=self.downloader, max_bytes=max_bytes, deadline=deadline, version=version
        )

    def open_object(self, claimed: ClaimedObject, deadline: Deadline) -> ObjectSource:
        """The audio of an object, in the version that was claimed."""
        return self.open_version(claimed.reference.bucket, claimed.audio, deadline)

    def open_version(self, bucket: str, audio: StoredObject, deadline: Deadline) -> ObjectSource:
        """The audio of an object, in the version that `audio` describes."""
        storage = self.storage.within(deadline)
        return ObjectSource(
            storage,
            bucket,
            audio,
            max_bytes=self.settings.max_audio_bytes,
            deadline=deadline,
            is_doubtful=not ends_like_audio(audio.key),
        )

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
        from transcriber.delivery.webhook import WebhookSender
        from transcriber.delivery.webhook_signature import read_secret

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

    def open_upload(self, request: UploadRequest) -> "UploadSlot":
        """A place in the storage for a client's file; `RequestError` where a setting for it is missing."""
        from transcriber.jobs.layout import kept_bucket
        from transcriber.jobs.uploads import open_upload

        kept_bucket(self.settings, what="Uploads")
        return open_upload(request, self.storage, self.settings)

    def stores(self, deadline: Deadline) -> "Stores":
        """What jobs keep in the storage; all calls end by `deadline`."""
        from transcriber.jobs.stores import Stores

        return Stores(self.storage.within(deadline), self.settings)

    def send_jobs(self, jobs: Sequence[tuple[Job, Mapping[str, Any]]], deadline: Deadline) -> None:
        """Queue requests for this function itself, signed."""
        self.queue.send([self._message(job, fields) for job, fields in jobs], deadline=deadline)

    def fits_message(self, job: Job, fields: Mapping[str, Any]) -> bool:
        """Whether a message holds the request."""
        return len(self._message(job, fields).encode()) <= MAX_MESSAGE_BYTES

    def _message(self, job: Job, fields: Mapping[str, Any]) -> str:
        return write_job(job, fields, "" if self.settings.queue is None else self.settings.queue.secret_key)
