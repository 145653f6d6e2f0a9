"""What both backends have in common: a chunk, a model and options go in, the chunk's transcript comes out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Final, Protocol, TypeVar

from transcriber.api.call_counts import CallCounts
from transcriber.api.request_body import RequestBody
from transcriber.cancellation import Cancellation
from transcriber.chunks.chunk import Chunk
from transcriber.deadline import Deadline
from transcriber.errors import TranscriberError
from transcriber.request.options import TranscriptionOptions
from transcriber.request_log import JsonLogger
from transcriber.spans import Segment

T = TypeVar("T")


@dataclass(frozen=True)
class Usage:
    """What calls of the API used: their number, seconds of audio, and tokens where the API counts them."""

    calls: int = 0
    audio_seconds: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.calls + other.calls,
            self.audio_seconds + other.audio_seconds,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )


NO_USAGE: Final = Usage()


@dataclass(frozen=True)
class ChunkTranscript:
    """One model's transcript of a chunk.

    `segments` are the API's own, in seconds from the first byte of the chunk; None where it gives no times. `language`
    is an ISO 639-1 code or a name, as the API has it; None where it has none. `warnings` are for the client.
    """

    text: str
    model: str
    warnings: tuple[str, ...] = ()
    segments: tuple[Segment, ...] | None = None
    language: str | None = None
    usage: Usage = NO_USAGE


@dataclass(frozen=True)
class CallContext:
    """What every call for one recording shares: the time that is left, its cancellation, and the request's log.

    With `is_interactive`, a client waits for the answer, and refused calls are tried again sooner than a message's.
    `first_call` is set when the first call starts. `traceparent` is sent with each call.
    `counts` is what the calls come to.
    """

    deadline: Deadline
    cancellation: Cancellation = field(default_factory=Cancellation)
    log: JsonLogger = field(default_factory=JsonLogger)
    is_interactive: bool = False
    first_call: Event = field(default_factory=Event)
    traceparent: str | None = None
    counts: CallCounts = field(default_factory=CallCounts)

    def retry(self, error: TranscriberError, wait_seconds: float) -> None:
        """Log and count a call that failed, and is made again after `wait_seconds`."""
        self.counts.retry()
        self.log.retry(error, wait_seconds)

    @property
    def headers(self) -> dict[str, str]:
        """The headers of each call."""
        return {} if self.traceparent is None else {"traceparent": self.traceparent}


class ApiClient(Protocol):
    """The Generative APIs; a protocol, so that backends and tests do without the SDK."""

    def models(self, *, deadline: Deadline) -> frozenset[str]:
        """The names of the models that exist."""
        ...

    def post(
        self,
        path: str,
        make_body: Callable[[], RequestBody],
        read: Callable[[Mapping[str, Any]], T],
        *,
        context: CallContext,
        audio_seconds: float = 0.0,
    ) -> T:
        """The result of `read` for the answer of `path`, with a new body from `make_body` for each attempt."""
        ...

    def expected_seconds(self, audio_seconds: float) -> float:
        """How long a call with so much audio is expected to take, once it may start."""
        ...


class Backend(Protocol):
    """One of the two APIs."""

    def is_verbatim(self, options: TranscriptionOptions) -> bool:
        """Whether an answer is the words of the recording alone, so that it can be checked against the sound.

        It is not where a prompt is an instruction of the client's own: that may ask for a summary.
        """
        ...

    def transcribe(
        self,
        chunk: Chunk,
        *,
        model: str,
        options: TranscriptionOptions,
        api: ApiClient,
        context: CallContext,
        wants_times: bool = False,
    ) -> ChunkTranscript:
        """The transcript of `chunk` by `model`; `ApiError` or `SourceError` after the retries.

        With `wants_times`, segments are requested where the API may have them.
        """
        ...
