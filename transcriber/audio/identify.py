"""Identifies the audio in a source by its bytes alone; names and content types do not count."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from transcriber.audio import mp3, wav
from transcriber.audio.beginning import from_beginning
from transcriber.audio.containers import LOAS_AUDIO, MPEG_AUDIO, SIGNATURE_BYTES, UNKNOWN, Container, FileType, sniff
from transcriber.audio.streams import stream_start
from transcriber.audio.tracks import Track, no_such_track
from transcriber.audio.wav_end import Following, following_in, read_header
from transcriber.errors import AudioTooLargeError, UnsupportedAudioError
from transcriber.sources.base import Source

if TYPE_CHECKING:
    from transcriber.audio.decoding import Decoder

# As many as a person compares with a list of signatures.
FIRST_BYTES_NAMED = 16
KNOWN_FORMATS = "WAV, MP3, M4A, MP4, MOV, 3GP, WebM, Ogg, FLAC, AAC, or another of the usual formats"

Layout: TypeAlias = "wav.WavLayout | mp3.Mp3Layout"


@dataclass(frozen=True)
class PassThroughAudio:
    """A source with WAV or MP3 that the APIs take unchanged; `is_followed` where another file was joined to it."""

    source: Source
    container: Container
    layout: Layout
    is_followed: bool = False

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
    """A source with audio that has to be decoded first; `decoder` is open, and its reader closes it."""

    source: Source
    decoder: "Decoder"

    @property
    def duration_seconds(self) -> float | None:
        """The length that it states, of all tracks that are decoded; None when it states none."""
        seconds = self.decoder.duration_seconds
        return None if seconds is None else seconds * max(1, len(self.decoder.further_tracks) + 1)


Audio: TypeAlias = PassThroughAudio | DecodedAudio


def identify(source: Source, *, max_seconds: float, track: Track = None) -> Audio:
    """The audio in `source`; only the beginning is read, and an index at the end. None chooses a `track`.

    `UnsupportedAudioError` names the type that was found instead; `AudioTooLargeError` if it is longer than
    `max_seconds`.
    """
    source = from_beginning(source)
    audio: Audio | None = None
    try:
        layout, is_followed = _wav_layout(source) if wav.is_wav(source.peek(SIGNATURE_BYTES)) else (None, False)
        audio = _identify_plain(source, layout, track, is_followed=is_followed) or _identify_encoded(
            source, layout, track
        )
        check_duration(audio.duration_seconds, max_seconds=max_seconds)
    except (UnsupportedAudioError, AudioTooLargeError):
        if isinstance(audio, DecodedAudio):
            audio.decoder.close()
        source.close()
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


def _identify_plain(
    source: Source, wav_layout: wav.WavLayout | None, track: Track, *, is_followed: bool
) -> PassThroughAudio | None:
    """WAV or MP3 that the APIs take unchanged; None for everything else."""
    layout: Layout | None = wav_layout
    if wav_layout is None and sniff(source.peek(SIGNATURE_BYTES)) is UNKNOWN:
        layout = _mp3_layout(source)
    if layout is None or not layout.is_plain:
        return None
    if track not in {None, 0, "all"}:
        raise UnsupportedAudioError(no_such_track(track, 1))
    container = Container.MP3 if wav_layout is None else Container.WAV
    return PassThroughAudio(source, container, layout, is_followed)


def _identify_encoded(source: Source, wav_layout: wav.WavLayout | None, track: Track) -> DecodedAudio:
    from transcriber.audio.decoding import Decoder  # noqa: PLC0415 # WAV and MP3 do not need it at a cold start

    file_type = _file_type(source)
    if file_type.demuxer is None:
        raise UnsupportedAudioError(f"{_found(source, file_type)} Send a recording: {KNOWN_FORMATS}.")
    decoder = Decoder(source, demuxer=file_type.demuxer, name=file_type.name, wav_layout=wav_layout, track=track)
    return DecodedAudio(source, decoder)


def _file_type(source: Source) -> FileType:
    file_type = sniff(source.peek(SIGNATURE_BYTES))
    if file_type is not UNKNOWN:
        return file_type
    if _mp3_layout(source) is not None:
        return MPEG_AUDIO
    return LOAS_AUDIO if stream_start(source.peek(mp3.EXAMINED_BYTES)) == 0 else UNKNOWN


def _found(source: Source, file_type: FileType) -> str:
    """What a source without sound holds, in the words of a message."""
    if file_type is not UNKNOWN:
        return f"The source holds {file_type.name}, in which there is no sound."
    first = source.peek(FIRST_BYTES_NAMED).hex(" ")
    return f"The source holds bytes of a kind that is not known here; the first are {first}."


def _wav_layout(source: Source) -> tuple[wav.WavLayout, bool]:
    """The layout of a WAV file, and whether another file follows it."""
    layout = read_header(source)
    check_duration(layout.duration_seconds(source.size_bytes), max_seconds=float("inf"))
    after = following_in(source, layout)
    if after is Following.SAMPLES:
        layout = replace(layout, data_bytes=None)
    return layout, after is Following.FILE


def _mp3_layout(source: Source) -> mp3.Mp3Layout | None:
    start = mp3.tag_bytes(source.peek(SIGNATURE_BYTES))
    return mp3.read_layout(source.peek(start + mp3.EXAMINED_BYTES)[start:], offset=start)
