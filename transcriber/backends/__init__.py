"""The two ways to have a chunk transcribed, behind one interface."""

from transcriber.backends.base import Backend, ChunkTranscript
from transcriber.backends.chat import ChatBackend
from transcriber.backends.transcriptions import TranscriptionsBackend
from transcriber.settings import Speaks

BACKENDS: dict[Speaks, Backend] = {Speaks.CHAT: ChatBackend(), Speaks.TRANSCRIPTIONS: TranscriptionsBackend()}

__all__ = ["BACKENDS", "Backend", "ChunkTranscript"]
