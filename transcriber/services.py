"""What an instance of the function keeps between requests: settings, connections, and what it has learnt."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from transcriber.api.backends import backends
from transcriber.api.models import ModelCatalog
from transcriber.cloud.object_storage import ObjectStorage, StoredObject
from transcriber.deadline import Deadline
from transcriber.errors import TranscriberError
from transcriber.jobs.leases import Leases
from transcriber.jobs.results import StoredTranscripts
from transcriber.log import JsonLogger
from transcriber.request.s3_events import ObjectReference
from transcriber.request.sweep_request import SweepRequest
from transcriber.retry import RetryPolicy
from transcriber.settings import Settings
from transcriber.sources.object import ObjectSource
from transcriber.startup.openai_import import garbage_collector_off, load_openai
from transcriber.transcription.parallel import DEFAULT_MEMORY_MB, most_held_bytes
from transcriber.transcription.transcript import Transcriber

if TYPE_CHECKING:
    from scaleway_functions_python.framework.v1.hints import Context

    from transcriber.cloud.listing import Listing
    from transcriber.cloud.queue import Queue
    from transcriber.delivery.webhook import WebhookSender
    from transcriber.jobs.sweep import Sweep
    from transcriber.net.ssrf_guard import SsrfGuard
    from transcriber.sources.url import Downloader


class Services:
    """Made when the handler is imported; each part is made by the first request that needs it.

    `environment` is read once, and a fault in it (`SettingsError`) is an answer, not a function that fails to import.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.log = JsonLogger()
        self._memory_mb = DEFAULT_MEMORY_MB

    def learn(self, context: "Context | None") -> None:
        """Take note of how much memory the platform says that there is, if it does."""
        stated = (context or {}).get("memoryLimitInMb")
        self._memory_mb = stated if isinstance(stated, int) and stated > 0 else DEFAULT_MEMORY_MB

    @cached_property
    def settings(self) -> Settings:
        """The operator's settings; `SettingsError` names the variable that is missing or wrong."""
        settings = Settings.from_environment(self._environment)
        self.log.level = settings.log_level
        return settings

    @cached_property
    def guard(self) -> "SsrfGuard":
        """What decides which addresses a URL and a callback may reach."""
        from transcriber.net.ssrf_guard import SsrfGuard  # noqa: PLC0415 # requests takes 0.1 s of CPU, which only a URL needs

        return SsrfGuard(self.settings.allowed_private_hosts)

    @cached_property
    def downloads(self) -> "Downloader":
        """The connections to the servers of URLs."""
        from transcriber.sources.url import Downloader  # noqa: PLC0415 # the same

        return Downloader(self.guard)

    @cached_property
    def callbacks(self) -> "WebhookSender":
        """What sends results to the addresses that requests name; `SettingsError` without a secret to sign with."""
        from transcriber.delivery.webhook import WebhookSender, read_secret  # noqa: PLC0415 # the same

        key = read_secret(self.settings.callback_secret)
        return WebhookSender(self.guard, lambda: self.downloads.connections, key)

    @cached_property
    def queue(self) -> "Queue":
        """The queue of the settings."""
        from transcriber.cloud.queue import Queue  # noqa: PLC0415 # the same

        return Queue(self.settings)

    @cached_property
    def storage(self) -> ObjectStorage:
        """Object Storage; `SettingsError` without its keys."""
        return ObjectStorage.from_settings(self.settings)

    @cached_property
    def claims(self) -> Leases:
        """Who works on which recording."""
        return Leases(self.storage, time_limit_seconds=self.settings.time_limit_seconds)

    @cached_property
    def stored(self) -> StoredTranscripts:
        """The transcripts of stored recordings."""
        return StoredTranscripts(self.storage, self.claims, self.settings)

    @cached_property
    def listing(self) -> "Listing":
        """The listings of buckets."""
        from transcriber.cloud.listing import Listing  # noqa: PLC0415 # requests takes 0.1 s of CPU, which only a sweep needs

        return Listing(self.settings)

    def sweep(self, request: SweepRequest) -> "Sweep":
        """A walk through a bucket."""
        from transcriber.jobs.sweep import Sweep  # noqa: PLC0415 # the same

        claims = self.claims  # first, since without keys it says so
        return Sweep(request, self.listing, claims, self.settings)

    def object_source(self, reference: ObjectReference, audio: StoredObject, deadline: Deadline) -> ObjectSource:
        """The audio of an object, of the version that `audio` is."""
        max_bytes = self.settings.max_audio_bytes
        return ObjectSource(self.storage, reference.bucket, audio, max_bytes=max_bytes, deadline=deadline)

    @cached_property
    def transcriber(self) -> Transcriber:
        """The connection to the API, with the models that it has."""
        with garbage_collector_off():
            load_openai()
            from transcriber.api.client import GenerativeApi  # noqa: PLC0415 # half of a cold start, which only a call of the API needs

        api = GenerativeApi(self.settings, retry=RetryPolicy(tell=self._tell_of_retry))
        return Transcriber(
            self.settings,
            api,
            ModelCatalog(self.settings, log=self.log),
            backends(),
            max_held_bytes=most_held_bytes(self._memory_mb),
        )

    def _tell_of_retry(self, error: TranscriberError, wait_seconds: float) -> None:
        self.log("warning", "trying again", code=error.code, error=error.message, wait_seconds=round(wait_seconds, 3))
