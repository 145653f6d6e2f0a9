"""What a recording would cost: it is read and cut as for a transcript, and nothing is sent to the API."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from transcriber.audio.identify import identify
from transcriber.audio.tracks import Track
from transcriber.chunks.cut_points import ChunkLimits
from transcriber.chunks.cutting import CutOptions, cut
from transcriber.deadline import Deadline
from transcriber.errors import SourceTimeoutError
from transcriber.settings import Settings
from transcriber.sources.base import Source
from transcriber.spans import Span

# A short recording costs a fraction of a cent.
COST_DECIMALS = 6


@dataclass(frozen=True)
class Estimate:
    """What one call for each chunk with sound costs; a doubtful chunk is requested again, which costs more.

    `chunks` counts all of them, `billed_chunks` those that would be sent. `cost` is None without a price of the model.
    """

    model: str
    duration_seconds: float
    chunks: int
    billed_chunks: int
    billed_seconds: float
    cost: float | None
    warnings: tuple[str, ...] = ()


def no_chunk_is_done(_span: Span) -> bool:
    """Of a recording that nothing is kept of."""
    return False


def estimate(
    source: Source,
    *,
    model: str,
    settings: Settings,
    deadline: Deadline,
    is_done: Callable[[Span], bool] = no_chunk_is_done,
    track: Track = None,
) -> Estimate:
    """What it costs to transcribe the recording in `source` by `model`; chunks that are done cost nothing more."""
    options = CutOptions(ChunkLimits(settings.chunk_seconds), settings.max_audio_seconds, deadline)
    chunks = billed_chunks = 0
    duration_seconds = billed_seconds = 0.0
    warnings: list[str] = []
    audio = identify(source, max_seconds=settings.max_audio_seconds, track=track)
    with closing(cut(audio, options)) as cuts:
        for chunk in cuts:
            if deadline.has_passed():
                raise SourceTimeoutError(f"Reading the recording takes longer than {deadline.limit}.")
            chunks += 1
            duration_seconds = chunk.span.end_seconds
            warnings += chunk.warnings
            if not chunk.is_silent and not is_done(chunk.span):
                billed_chunks += 1
                billed_seconds += chunk.duration_seconds
    return Estimate(
        model=model,
        duration_seconds=duration_seconds,
        chunks=chunks,
        billed_chunks=billed_chunks,
        billed_seconds=billed_seconds,
        cost=cost_of(model, billed_seconds, settings),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def cost_of(model: str, audio_seconds: float, settings: Settings) -> float | None:
    """The price of so much audio, in the currency of PRICES; None where PRICES has no price of `model`."""
    price = settings.prices.get(model)
    return None if price is None else round(price * audio_seconds / 60, COST_DECIMALS)
