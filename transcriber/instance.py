"""What an instance of the function keeps between requests: settings, connections, and what it has learnt."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from transcriber.backends import backends
from transcriber.errors import TranscriberError
from transcriber.log import JsonLog
from transcriber.models import ModelDirectory
from transcriber.retry import RetryPolicy
from transcriber.sdk import load_openai, without_collections
from transcriber.settings import Settings
from transcriber.transcript import Transcriber

if TYPE_CHECKING:
    from transcriber.sources.url import Downloads


class Instance:
    """Made when the handler is imported; each part is made by the first request that needs it.

    `environment` is read once, and a fault in it (`SettingsError`) is an answer, not a function that fails to import.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.log = JsonLog()

    @cached_property
    def settings(self) -> Settings:
        """The operator's settings; `SettingsError` names the variable that is missing or wrong."""
        settings = Settings.from_environment(self._environment)
        self.log.level = settings.log_level
        return settings

    @cached_property
    def downloads(self) -> "Downloads":
        """The connections to the servers of URLs."""
        from transcriber.sources.guard import Guard  # noqa: PLC0415 # requests takes 0.1 s of CPU, which only a URL needs
        from transcriber.sources.url import Downloads  # noqa: PLC0415 # the same

        return Downloads(Guard(self.settings.allowed_private_hosts))

    @cached_property
    def transcriber(self) -> Transcriber:
        """The connection to the API, with the models that it has."""
        with without_collections():
            load_openai()
            from transcriber.api import Api  # noqa: PLC0415 # half of a cold start, which only a call of the API needs

        api = Api(self.settings, retry=RetryPolicy(tell=self._tell_of_retry))
        return Transcriber(self.settings, api, ModelDirectory(self.settings, log=self.log), backends())

    def _tell_of_retry(self, error: TranscriberError, wait_seconds: float) -> None:
        self.log("warning", "trying again", code=error.code, error=error.message, wait_seconds=round(wait_seconds, 3))
