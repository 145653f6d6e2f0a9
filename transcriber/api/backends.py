"""The two ways to have a chunk transcribed, by the name of the API."""

from transcriber.api.backend import Backend
from transcriber.api.chat import ChatBackend
from transcriber.api.transcriptions import TranscriptionsBackend
from transcriber.settings import ApiKind


def backends() -> dict[ApiKind, Backend]:
    """One of each; they remember, for an instance's life, what models refused."""
    return {ApiKind.CHAT: ChatBackend(), ApiKind.TRANSCRIPTIONS: TranscriptionsBackend()}
