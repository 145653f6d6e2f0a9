"""The typed requests that a client or a queued message makes."""

from dataclasses import dataclass
from typing import Any, ClassVar

from transcriber.request.base64_text import Base64Text
from transcriber.request.job_message import Job
from transcriber.request.openai_api import Reply
from transcriber.request.options import TranscriptionOptions
from transcriber.request.s3_events import ObjectReference
from transcriber.request.trigger import Trigger


@dataclass(frozen=True)
class PreflightRequest:
    """A browser's question what it may send from another origin."""

    trigger: ClassVar[Trigger] = Trigger.HTTP


@dataclass(frozen=True)
class StatusRequest:
    """A request for the function's status and limits."""

    trigger: ClassVar[Trigger] = Trigger.HTTP


@dataclass(frozen=True)
class ModelsRequest:
    """A request for the list of models, as a client of the OpenAI API makes it, or for the description of one."""

    trigger: ClassVar[Trigger] = Trigger.HTTP

    model: str | None = None


@dataclass(frozen=True)
class DescriptionRequest:
    """A request for the description of the function, as OpenAPI."""

    trigger: ClassVar[Trigger] = Trigger.HTTP


@dataclass(frozen=True)
class UrlReference:
    """The audio at an address."""

    url: str


@dataclass(frozen=True)
class TranscriptionRequest:
    """A recording to transcribe, and how; with `reply`, the answer has a form of the OpenAI API.

    With `is_async`, the answer is a job, which is found under `jobs_path`.
    """

    source: UrlReference | ObjectReference | Base64Text
    options: TranscriptionOptions
    callback: str | None = None
    job: Job | None = None
    reply: Reply | None = None
    is_async: bool = False
    jobs_path: str = ""
    idempotency_key: str | None = None

    @property
    def trigger(self) -> Trigger:
        """A queued job comes from the queue; everything else counts as a client's request."""
        return Trigger.HTTP if self.job is None else Trigger.QUEUE

    def to_fields(self) -> dict[str, Any]:
        """The fields of a message that makes the same request."""
        match self.source:
            case UrlReference(url):
                source = {"url": url}
            case ObjectReference(bucket, key):
                source = {"bucket": bucket, "key": key}
            case Base64Text(text):
                source = {"audio": text.decode()}
        callback = {} if self.callback is None else {"callback": self.callback}
        return {**source, **self.options.to_fields(), **callback}
