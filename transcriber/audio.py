"""Finds out what audio a source holds, from its first bytes alone; names and content types count for nothing."""

from dataclasses import dataclass

from transcriber import mp3, wav
from transcriber.containers import SIGNATURE_BYTES, Container, describe
from transcriber.errors import AudioTooLargeError, UnsupportedAudioError
from transcriber.sources.base import Source

MAX_CHANNELS = 2


@dataclass(frozen=True)
class Audio:
    """A source that is known to hold audio."""

    source: Source
    container: Container
    layout: wav.WavLayout | mp3.Mp3Layout

    @property
    def duration_seconds(self) -> float | None:
        """How long it plays; None as long as neither its header nor its size tells."""
        return self.layout.duration_seconds(self.source.size_bytes)

    @property
    def missing_seconds(self) -> float:
        """How much of it is not there, by its own header; known when the size is."""
        return 0.0 if self.source.size_bytes is None else self.layout.missing_seconds(self.source.size_bytes)


def identify(source: Source, *, max_seconds: float) -> Audio:
    """The audio in `source`, of which only the beginning is read.

    `UnsupportedAudioError` says what was found instead; `AudioTooLargeError` when it plays longer than `max_seconds`.
    """
    head = source.peek(SIGNATURE_BYTES)
    audio = _identify_wav(source) if wav.is_wav(head) else _identify_mp3(source, head)
    if audio is None:
        raise UnsupportedAudioError(f"The source holds {describe(head)}, and only WAV and MP3 are read so far.")
    if audio.layout.channels > MAX_CHANNELS:
        raise UnsupportedAudioError(
            f"The audio has {audio.layout.channels} channels; only mono and stereo are read so far."
        )
    check_duration(audio, max_seconds=max_seconds)
    return audio


def check_duration(audio: Audio, *, max_seconds: float) -> None:
    """Raise the error for audio without a sample, or with more than `max_seconds` of them."""
    seconds = audio.duration_seconds
    if seconds is None:
        return
    if seconds <= 0:
        raise UnsupportedAudioError(f"The {audio.container.upper()} file has no samples.")
    if seconds > max_seconds:
        raise AudioTooLargeError(
            f"The audio plays {seconds / 60:.1f} minutes; the limit is {max_seconds / 60:g} (MAX_AUDIO_MINUTES)."
        )


def _identify_wav(source: Source) -> Audio:
    looked_at = SIGNATURE_BYTES
    while True:
        head = source.peek(looked_at)
        layout = wav.read_layout(head)
        if layout is not None:
            return Audio(source, Container.WAV, layout)
        if len(head) < looked_at or looked_at >= wav.MAX_HEADER_BYTES:
            raise UnsupportedAudioError("The WAV file has no samples: it ends within its header.")
        looked_at *= 4


def _identify_mp3(source: Source, head: bytes) -> Audio | None:
    start = mp3.tag_bytes(head)
    if start > mp3.MAX_TAG_BYTES:
        limit = f"{mp3.MAX_TAG_BYTES / 2**20:g} MiB are read"
        raise UnsupportedAudioError(
            f"The MP3 file begins with a tag of {start / 2**20:.0f} MiB; {limit}. Remove its picture."
        )
    layout = mp3.read_layout(source.peek(start + mp3.FRAMES_LOOK_BYTES)[start:], offset=start)
    return None if layout is None else Audio(source, Container.MP3, layout)
