"""Identifies the audio in a source by its bytes alone; names and content types do not count."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from transcriber.audio import mp3, wav
from transcriber.audio.containers import MPEG_AUDIO, SIGNATURE_BYTES, Container, sniff
from transcriber.errors import AudioTooLargeError, UnsupportedAudioError
from transcriber.sources.base import Source

if TYPE_CHECKING:
    from transcriber.audio.decoding import Decoder

Layout: TypeAlias = "wav.WavLayout | mp3.Mp3Layout"


@dataclass(frozen=True)
class PassThroughAudio:
    """A source with WAV or MP3 that the APIs take unchanged."""

    source: Source
    container: Container
    layout: Layout

    @property
    def duration_seconds(self) -> float | None:
        """Its length; None as long as neither header nor size determines it."""
        return self.layout.duration_seconds(self.source.size_bytes)

    @property
    def missing_seconds(self) -> float:
        """The length that its header states and that is not there; known when the size is."""
        return 0.0 if self.source.size_bytes is None else self.layout.missing_seconds(self.source.size_bytes)


@dataclass(frozen=True)
class DecodedAudio:
    """A source with audio that has to be decoded first; `decoder` is open, and its reader closes it.

    `wav_layout` is that of a WAV file.
    """

    source: Source
    decoder: "Decoder"
    wav_layout: wav.WavLayout | None = None

    @property
    def duration_seconds(self) -> float | None:
        """The length that it states; None when it states none."""
        return self.decoder.duration_seconds


Audio: TypeAlias = PassThroughAudio | DecodedAudio


def identify(source: Source, *, max_seconds: float) -> Audio:
    """The audio in `source`; only the beginning is read, and an index at the end.

    `UnsupportedAudioError` names the type that was found instead; `AudioTooLargeError` if it is longer than
    `max_seconds`.
    """
    layout = _wav_layout(source) if wav.is_wav(source.peek(SIGNATURE_BYTES)) else None
    audio = _identify_plain(source, layout) or _identify_encoded(source, layout)
    try:
        check_duration(audio.duration_seconds, max_seconds=max_seconds)
    except (UnsupportedAudioError, AudioTooLargeError):
        if isinstance(audio, DecodedAudio):
            audio.decoder.close()
        raise
    return audio


def check_duration(seconds: float | None, *, max_seconds: float) -> None:
    """Raise the error for audio without samples, or with more than `max_seconds` of them."""
    if seconds is None:
        return
    if seconds <= 0:
        raise UnsupportedAudioError("The audio has no samples.")
    if seconds > max_seconds:
        raise AudioTooLargeError(
            f"The audio plays {seconds / 60:.1f} minutes; the limit is {max_seconds / 60:g} (MAX_AUDIO_MINUTES)."
        )


def _identify_plain(source: Source, wav_layout: wav.WavLayout | None) -> PassThroughAudio | None:
    """WAV or MP3 that the APIs take unchanged; None for everything else."""
    layout: Layout | None = wav_layout
    if wav_layout is None and sniff(_untagged(source)).demuxer is None:
        layout = _mp3_layout(source)
    if layout is None or not layout.is_plain:
        return None
    return PassThroughAudio(source, Container.MP3 if wav_layout is None else Container.WAV, layout)


def _identify_encoded(source: Source, wav_layout: wav.WavLayout | None) -> DecodedAudio:
    from transcriber.audio.decoding import Decoder  # noqa: PLC0415 # WAV and MP3 do not need it at a cold start

    file_type = sniff(_untagged(source))
    if file_type.demuxer is None and _mp3_layout(source) is not None:
        file_type = MPEG_AUDIO
    if file_type.demuxer is None:
        raise UnsupportedAudioError(
            f"The source holds {file_type.name}, in which there is no sound. Send a recording: WAV, MP3, M4A, MP4, "
            "MOV, 3GP, WebM, Ogg, FLAC, AAC, or another of the usual formats."
        )
    return DecodedAudio(source, Decoder(source, demuxer=file_type.demuxer, name=file_type.name), wav_layout)


def _untagged(source: Source) -> bytes:
    """The beginning of the source after an ID3 tag, which some programs write before AAC and FLAC, too."""
    start = _tag_bytes(source)
    return source.peek(start + SIGNATURE_BYTES)[start:]


def _wav_layout(source: Source) -> wav.WavLayout:
    examined = SIGNATURE_BYTES
    while True:
        head = source.peek(examined)
        layout = wav.read_layout(head)
        if layout is not None:
            check_duration(layout.duration_seconds(source.size_bytes), max_seconds=float("inf"))
            return layout
        if len(head) < examined or examined >= wav.MAX_HEADER_BYTES:
            raise UnsupportedAudioError("The WAV file has no samples: it ends within its header.")
        examined *= 4


def _mp3_layout(source: Source) -> mp3.Mp3Layout | None:
    start = _tag_bytes(source)
    return mp3.read_layout(source.peek(start + mp3.EXAMINED_BYTES)[start:], offset=start)


def _tag_bytes(source: Source) -> int:
    size = mp3.tag_bytes(source.peek(SIGNATURE_BYTES))
    if size > mp3.MAX_TAG_BYTES:
        limit = f"{mp3.MAX_TAG_BYTES / 2**20:g} MiB are read"
        raise UnsupportedAudioError(
            f"The file begins with a tag of {size / 2**20:.0f} MiB; {limit}. Remove the picture in it."
        )
    return size
