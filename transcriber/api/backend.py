"""What the two backends have in common: a chunk, a model and options go in, the chunk's transcript comes out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from transcriber.api.request_body import RequestBody
from transcriber.chunks.chunk import Chunk
from transcriber.deadline import Deadline
from transcriber.request.options import TranscriptionOptions
from transcriber.spans import Segment

T = TypeVar("T")


@dataclass(frozen=True)
class Usage:
    """What calls of the API took: how many there were, seconds of audio, and tokens where the API counts them."""

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
    """What a model heard in a chunk; `warnings` are for whoever reads the answer.

    `segments` are the API's own, in seconds from the first byte of the chunk; None where it gives no times. `language`
    is an ISO 639-1 code or a name, as the API says it; None where it does not.
    """

    text: str
    model: str
    warnings: tuple[str, ...] = ()
    segments: tuple[Segment, ...] | None = None
    language: str | None = None
    usage: Usage = NO_USAGE


class Poster(Protocol):
    """The part of the API that a backend needs; named here so that no backend imports the SDK."""

    def post(
        self,
        path: str,
        make_body: Callable[[], RequestBody],
        read: Callable[[Mapping[str, Any]], T],
        *,
        deadline: Deadline,
    ) -> T:
        """What `read` makes of the answer to a call of `path`."""
        ...


class Backend(Protocol):
    """One of the two APIs."""

    def transcribe(
        self,
        chunk: Chunk,
        *,
        model: str,
        options: TranscriptionOptions,
        api: Poster,
        deadline: Deadline,
        wants_times: bool = False,
    ) -> ChunkTranscript:
        """The transcript of `chunk`, by `model`; `ApiError` or `SourceError` after the retries.

        With `wants_times`, segments are asked for where the API may have them.
        """
        ...
