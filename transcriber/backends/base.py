"""What the two backends have in common: a chunk, a model and options go in, the chunk's transcript comes out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from transcriber.body import Body
from transcriber.chunks import Chunk
from transcriber.deadline import Deadline
from transcriber.options import TranscriptionOptions

T = TypeVar("T")


@dataclass(frozen=True)
class TokenUsage:
    """How many tokens a model read and wrote."""

    prompt: int
    completion: int

    @classmethod
    def total(cls, usages: "Iterable[TokenUsage | None]") -> "TokenUsage | None":
        """The sum of `usages`; None where one of them is not known, since a part of a bill is none."""
        prompt = completion = 0
        for usage in usages:
            if usage is None:
                return None
            prompt, completion = prompt + usage.prompt, completion + usage.completion
        return cls(prompt, completion)


@dataclass(frozen=True)
class ChunkTranscript:
    """What a model heard in a chunk; `warnings` are for whoever reads the answer, `tokens` None where none are told."""

    text: str
    model: str
    warnings: tuple[str, ...] = ()
    tokens: TokenUsage | None = None


class Poster(Protocol):
    """The part of the API that a backend needs; named here so that no backend imports the SDK."""

    def post(
        self,
        path: str,
        make_body: Callable[[], Body],
        read: Callable[[Mapping[str, Any]], T],
        *,
        deadline: Deadline,
    ) -> T:
        """What `read` makes of the answer to a call of `path`."""
        ...


class Backend(Protocol):
    """One of the two APIs."""

    def transcribe(
        self, chunk: Chunk, *, model: str, options: TranscriptionOptions, api: Poster, deadline: Deadline
    ) -> ChunkTranscript:
        """The transcript of `chunk`, by `model`; `ApiError` or `SourceError` after the retries."""
        ...
