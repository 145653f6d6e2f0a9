"""The two ways to have a chunk transcribed, behind one interface."""

from transcriber.backends.base import NO_USAGE, Backend, ChunkTranscript, Usage
from transcriber.backends.chat import ChatBackend
from transcriber.backends.transcriptions import TranscriptionsBackend
from transcriber.settings import Speaks


def backends() -> dict[Speaks, Backend]:
    """One of each; they remember, for an instance's life, what models refused."""
    return {Speaks.CHAT: ChatBackend(), Speaks.TRANSCRIPTIONS: TranscriptionsBackend()}


__all__ = ["NO_USAGE", "Backend", "ChunkTranscript", "Usage", "backends"]
