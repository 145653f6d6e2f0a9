"""What an instance of the function keeps between requests: settings, connections, and which models there are."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from transcriber.api.chat import ChatBackend
from transcriber.api.models import ModelCatalog
from transcriber.api.transcriptions import TranscriptionsBackend
from transcriber.cloud.object_storage import ObjectStorage
from transcriber.cloud.queue_limits import MAX_MESSAGE_BYTES
from transcriber.deadline import Deadline
from transcriber.errors import RequestError
from transcriber.jobs.results import ClaimedObject
from transcriber.request.base64_text import Base64Text
from transcriber.request.job_message import Job, write_job
from transcriber.request.transcription_request import UrlReference
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

    @property
    def keeps_jobs(self) -> bool:
        """Whether there is a place for records of jobs."""
        return self.settings.storage is not None and self.settings.output_bucket is not None

    def check_keeps_jobs(self, *, param: str) -> None:
        """Raise `RequestError` for `param` where there is no place for records of jobs; it names what to set."""
        settings = self.settings
        places = (("S3_ACCESS_KEY and S3_SECRET_KEY", settings.storage), ("OUTPUT_BUCKET", settings.output_bucket))
        if missing := [names for names, place in places if place is None]:
            message = f"{param} needs Object Storage, to keep jobs and answers: set {' and '.join(missing)}."
            raise RequestError(message, param=param)

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
