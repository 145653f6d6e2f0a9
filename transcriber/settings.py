"""The function's settings, read from the environment once; the only module that looks there."""

import ipaddress
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal
from urllib.parse import urlsplit

from transcriber.errors import SettingsError
from transcriber.response_format import FILE_SUFFIXES, ResponseFormat

LogLevel = Literal["debug", "info", "warning", "error"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ApiKind(StrEnum):
    """Which of the two APIs a model is called through."""

    CHAT = "chat"
    TRANSCRIPTIONS = "transcriptions"


BYTES_PER_MB = 1_000_000

# Ten seconds under the platform's own default of 300 s, so that the function answers before it is stopped.
DEFAULT_TIME_LIMIT_SECONDS = 290.0
# The longest request that the platform allows.
MAX_TIME_LIMIT_SECONDS = 3600.0

# The longest audio that the API takes in one call.
MAX_CHUNK_MINUTES = 30
# More threads than this need more memory than a function has, and meet every rate limit.
MAX_PARALLEL_CALLS = 64

# The quota of an account is counted by the minute.
DEFAULT_MINUTE_SECONDS = 60.0
# A key has 1,024 bytes, and most of them are the recording's.
MAX_PREFIX_BYTES = 500
# What is kept longer than this is an archive, which the output bucket is for.
MAX_JOB_DAYS = 365

# The API of a model, by its name. Voxtral has both; as a chat model it follows an instruction.
API_KINDS_BY_NAME: tuple[tuple[str, ApiKind], ...] = (
    ("whisper", ApiKind.TRANSCRIPTIONS),
    ("transcribe", ApiKind.TRANSCRIPTIONS),
    ("voxtral", ApiKind.CHAT),
)


@dataclass(frozen=True)
class AllowedHost:
    """A host or a network that a URL may reach although it is private; `port` None means each port."""

    name: str | None = None
    network: Network | None = None
    port: int | None = None


@dataclass(frozen=True)
class Account:
    """The key pair of a service whose requests are signed."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)


@dataclass(frozen=True)
class Settings:
    """The operator's decisions; secrets are kept out of its `repr`."""

    api_key: str = field(repr=False)
    api_url: str = "https://api.scaleway.ai/v1"
    models: tuple[str, ...] = ("whisper-large-v3", "voxtral-small-24b-2507")
    model_apis: Mapping[str, ApiKind] = field(default_factory=dict)
    access_token: str | None = field(default=None, repr=False)
    max_audio_bytes: int = 500 * BYTES_PER_MB
    max_audio_seconds: float = 300 * 60.0
    chunk_seconds: float = 5 * 60.0
    parallel_calls: int = 8
    time_limit_seconds: float = DEFAULT_TIME_LIMIT_SECONDS
    # How long the quota's minute lasts: shorter only in trials against the emulator, whose option scales it.
    minute_seconds: float = DEFAULT_MINUTE_SECONDS
    allowed_private_hosts: tuple[AllowedHost, ...] = ()
    log_level: LogLevel = "info"
    callback_secret: str | None = field(default=None, repr=False)
    storage: Account | None = None
    storage_url: str = "https://s3.fr-par.scw.cloud"
    storage_region: str = "fr-par"
    queue: Account | None = None
    queue_url: str = ""
    output_bucket: str | None = None
    output_prefix: str = "transcripts/"
    output_formats: tuple[ResponseFormat, ...] = ()
    # How long jobs, uploads and their results are kept.
    job_days: int = 7
    prices: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """The settings in `environment`; `SettingsError` names the first variable that is missing or wrong."""
        values = _Values(environment)
        model_apis = values.model_apis("MODEL_APIS")
        settings = cls(
            # The platform reserves SCW_*, so SCW_SECRET_KEY only serves on a laptop, where people have it set already.
            api_key=values.secret("GENERATIVE_API_KEY") or values.secret("SCW_SECRET_KEY") or "",
            api_url=values.url("GENERATIVE_API_URL", cls.api_url),
            models=values.names("MODELS", cls.models),
            model_apis=model_apis,
            access_token=values.secret("ACCESS_TOKEN"),
            max_audio_bytes=int(values.positive("MAX_AUDIO_MB", cls.max_audio_bytes / BYTES_PER_MB) * BYTES_PER_MB),
            max_audio_seconds=values.positive("MAX_AUDIO_MINUTES", cls.max_audio_seconds / 60) * 60,
            chunk_seconds=values.positive("CHUNK_MINUTES", cls.chunk_seconds / 60, most=MAX_CHUNK_MINUTES) * 60,
            parallel_calls=values.count("PARALLEL_CALLS", cls.parallel_calls, most=MAX_PARALLEL_CALLS),
            time_limit_seconds=values.positive("TIME_LIMIT", cls.time_limit_seconds, most=MAX_TIME_LIMIT_SECONDS),
            minute_seconds=values.positive("MINUTE_SECONDS", cls.minute_seconds, most=DEFAULT_MINUTE_SECONDS),
            allowed_private_hosts=values.hosts("ALLOWED_PRIVATE_HOSTS"),
            log_level=values.log_level("LOG_LEVEL"),
            callback_secret=values.secret("CALLBACK_SECRET"),
            storage=_account("S3", values.secret("S3_ACCESS_KEY"), values.secret("S3_SECRET_KEY")),
            storage_url=values.url("S3_ENDPOINT", cls.storage_url),
            storage_region=values.text("S3_REGION") or cls.storage_region,
            queue=_account("QUEUE", values.secret("QUEUE_ACCESS_KEY"), values.secret("QUEUE_SECRET_KEY")),
            queue_url=values.url("QUEUE_URL", ""),
            output_bucket=values.text("OUTPUT_BUCKET"),
            output_prefix=values.prefix("OUTPUT_PREFIX", cls.output_prefix),
            output_formats=values.formats("OUTPUT_FORMATS"),
            job_days=values.count("JOB_DAYS", cls.job_days, most=MAX_JOB_DAYS),
            prices=values.prices("PRICES"),
        )
        if settings.queue_url and settings.queue is None:
            raise SettingsError("QUEUE_ACCESS_KEY", "is not set, nor is QUEUE_SECRET_KEY; QUEUE_URL needs both")
        if not settings.api_key:
            raise SettingsError("GENERATIVE_API_KEY", "is not set; it is the secret key for the Generative APIs")
        for model in settings.models:
            if settings.api_kind(model) is None:
                message = f"the API of {model!r} is not known by its name; name it in MODEL_APIS"
                raise SettingsError("MODELS", message)
        return settings

    def api_kind(self, model: str) -> ApiKind | None:
        """The API of `model`, by `MODEL_APIS` or by its name; None when neither determines it."""
        if model in self.model_apis:
            return self.model_apis[model]
        return next((api for part, api in API_KINDS_BY_NAME if part in model.lower()), None)

    @property
    def secrets(self) -> tuple[str, ...]:
        """All secret values, to keep them out of texts."""
        accounts = [account for account in (self.storage, self.queue) if account]
        keys = [key for account in accounts for key in (account.access_key, account.secret_key)]
        # The key of callbacks is what follows its "whsec_"; a text may hold it without that.
        callback_key = (self.callback_secret or "").rpartition("_")[2]
        secrets = (self.api_key, self.access_token, self.callback_secret, callback_key, *keys)
        return tuple(dict.fromkeys(filter(None, secrets)))


class _Values:
    """Typed views of the variables; an empty one counts as not set."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str) -> str | None:
        return self._environment.get(name, "").strip() or None

    def secret(self, name: str) -> str | None:
        value = self.text(name)
        # A value that no header can hold would fail at the first call, with the secret in the error's text.
        if value is not None and not re.fullmatch(r"[\x21-\x7e]+", value):
            raise SettingsError(name, "holds a space or a character that is not ASCII; copy it again")
        return value

    def url(self, name: str, default: str) -> str:
        value = self.text(name)
        if value is None:
            return default
        try:
            parts = urlsplit(value)
            valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
            valid = valid and not re.search(r"[\s?#@\\]", value) and value.isprintable()
            valid = valid and bool((parts.hostname or "").encode("idna"))
        except ValueError:
            valid = False
        if not valid:
            raise SettingsError(name, "is not an http or https address without a query and without credentials")
        return value.rstrip("/")

    def names(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        value = self.text(name)
        if value is None:
            return default
        names = tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))
        if not names:
            raise SettingsError(name, "names nothing; separate names with commas, the preferred one first")
        return names

    def model_apis(self, name: str) -> dict[str, ApiKind]:
        apis: dict[str, ApiKind] = {}
        for part in filter(None, (part.strip() for part in (self.text(name) or "").split(","))):
            model, _, api = (piece.strip() for piece in part.partition("="))
            if not model or api not in tuple(ApiKind):
                raise SettingsError(name, "is a list like my-model=chat,other=transcriptions")
            apis[model] = ApiKind(api)
        return apis

    def formats(self, name: str) -> tuple[ResponseFormat, ...]:
        formats = self.names(name, ())
        if not set(formats) <= set(FILE_SUFFIXES):
            raise SettingsError(name, f"is a list of {', '.join(FILE_SUFFIXES)}; the verbose_json is always there")
        return tuple(map(ResponseFormat, formats))

    def prices(self, name: str) -> dict[str, float]:
        prices: dict[str, float] = {}
        for part in self.names(name, ()):
            model, _, price = (piece.strip() for piece in part.partition("="))
            # Digits alone: a sign, an exponent or a currency would be a mistake.
            if not model or not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", price):
                raise SettingsError(name, "is a list of prices a minute, like whisper-large-v3=0.003,mine=0.01")
            prices[model] = float(price)
        return prices

    def prefix(self, name: str, default: str) -> str:
        """The beginning of keys."""
        prefix = (self.text(name) or default).removeprefix("/")
        if len(prefix.encode("utf-8", "replace")) > MAX_PREFIX_BYTES:
            raise SettingsError(name, f"is longer than {MAX_PREFIX_BYTES} bytes, which leaves no room for keys")
        return prefix

    def positive(self, name: str, default: float, *, most: float = float("inf")) -> float:
        value = self.text(name)
        if value is None:
            return default
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if not (0 < number <= most and math.isfinite(number * BYTES_PER_MB)):
            limit = "" if most == float("inf") else f" and at most {most:g}"
            raise SettingsError(name, f"must be a number above 0{limit}")
        return number

    def count(self, name: str, default: int, *, most: int) -> int:
        number = self.positive(name, default, most=most)
        if number != int(number):
            raise SettingsError(name, f"must be a whole number from 1 to {most}")
        return int(number)

    def hosts(self, name: str) -> tuple[AllowedHost, ...]:
        parts = (part.strip() for part in (self.text(name) or "").split(","))
        return tuple(_allowed_host(name, part) for part in parts if part)

    def log_level(self, name: str) -> LogLevel:
        match (self.text(name) or "info").lower():
            case ("debug" | "info" | "warning" | "error") as level:
                return level
            case _:
                raise SettingsError(name, "is one of debug, info, warning, error")


def _account(service: str, access_key: str | None, secret_key: str | None) -> Account | None:
    """The key pair of `service`, with which its variables begin; None where there is none."""
    if access_key and secret_key:
        return Account(access_key, secret_key)
    if access_key or secret_key:
        missing, there = ("SECRET", "ACCESS") if access_key else ("ACCESS", "SECRET")
        raise SettingsError(f"{service}_{missing}_KEY", f"is not set, and {service}_{there}_KEY is; set both or none")
    return None


def _allowed_host(variable: str, text: str) -> AllowedHost:
    try:
        return AllowedHost(network=ipaddress.ip_network(text, strict=False))
    except ValueError:
        pass
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.path or parts.query or parts.username is not None:
        raise SettingsError(variable, "is a list of hosts, host:port pairs, addresses and networks like 10.0.0.0/8")
    try:
        return AllowedHost(network=ipaddress.ip_network(host), port=port)
    except ValueError:
        return AllowedHost(name=host.rstrip(".").lower(), port=port)
