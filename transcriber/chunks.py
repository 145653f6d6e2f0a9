"""Cuts audio into what one call of the API takes.

So far no audio is cut: a recording is one chunk, and one that no single call takes is refused.
"""

from dataclasses import dataclass

from transcriber.audio import Audio
from transcriber.containers import Container
from transcriber.errors import AudioTooLargeError
from transcriber.sources.base import Reader, Source

# What the Generative APIs take in one call: 25 MB a file, read as the server that is behind them reads it (vLLM counts
# in MiB), and 30 minutes for a transcription.
MAX_CHUNK_BYTES = 25 * 1024 * 1024
MAX_CHUNK_SECONDS = 30 * 60.0


@dataclass(frozen=True)
class Chunk:
    """A span of the audio that is sent in one call; its label comes from the bytes."""

    audio: Audio

    @property
    def container(self) -> Container:
        """What the chunk's bytes are."""
        return self.audio.container

    @property
    def source(self) -> Source:
        """Where the chunk's bytes come from."""
        return self.audio.source

    @property
    def size_bytes(self) -> int | None:
        """How many bytes `open` will give; None when nobody has said so yet."""
        return self.source.size_bytes

    @property
    def duration_seconds(self) -> float | None:
        """How long it plays; None as long as nobody can tell."""
        return self.audio.duration_seconds

    def open(self) -> Reader:
        """A reading of the chunk's bytes, which ends in an error rather than pass what a call takes."""
        return _Bounded(self.source.open())


def cut(audio: Audio) -> tuple[Chunk, ...]:
    """The chunks of `audio`, in order; `AudioTooLargeError` for what one call does not take."""
    seconds = audio.duration_seconds
    if seconds is not None and seconds > MAX_CHUNK_SECONDS:
        raise AudioTooLargeError(
            f"The audio plays {seconds / 60:.1f} minutes; {MAX_CHUNK_SECONDS / 60:g} are what one call of the API "
            "takes, and longer audio is not cut yet."
        )
    _check_bytes(audio.source.size_bytes or 0)
    return (Chunk(audio),)


def _check_bytes(size_bytes: int) -> None:
    if size_bytes > MAX_CHUNK_BYTES:
        raise AudioTooLargeError(
            f"The audio has more than {MAX_CHUNK_BYTES / 2**20:g} MiB, which is what one call of the API takes, and "
            "larger audio is not cut yet. As MP3 it would be smaller."
        )


class _Bounded(Reader):
    """A reading that fails rather than pass `MAX_CHUNK_BYTES`, for sources that do not say how long they are."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._position = 0

    def read(self, size: int) -> bytes:
        block = self._reader.read(size)
        self._position += len(block)
        _check_bytes(self._position)
        return block

    def close(self) -> None:
        self._reader.close()
