"""Checks by its bytes, never by its name, whether an upload is audio that the Generative APIs take."""

import io
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, cast

import av
from av.error import FFmpegError

# "25 MB" in Scaleway's list of audio models; taken as MiB, as the servers behind such APIs do.
MAX_AUDIO_BYTES = 25 * 1024 * 1024
# The servers mix two channels down to one; more are refused.
MAX_CHANNELS = 2

Container = Literal["wav", "mp3"]
# The prefix of the codecs' names for each container: these APIs take only PCM in WAV.
ACCEPTED_CODECS: dict[Container, str] = {"wav": "pcm_", "mp3": "mp3"}


class AudioRefusedError(Exception):
    """The APIs do not take the upload; the message says what it is, and what they take."""


@dataclass(frozen=True)
class AudioInfo:
    """The properties of audio; container and codec have FFmpeg's names."""

    container: str
    codec: str
    channels: int
    sample_rate_hz: int
    duration_seconds: float


@dataclass(frozen=True)
class AcceptedAudio:
    """Audio that the APIs take."""

    data: bytes
    container: Container
    duration_seconds: float


def accept_audio(data: bytes, *, max_duration_seconds: float | None = None) -> AcceptedAudio:
    """Check that `data` is audio that the APIs take: WAV or MP3, mono or stereo, at most 25 MiB, and not too long.

    Raises `AudioRefusedError`.
    """
    if len(data) > MAX_AUDIO_BYTES:
        raise AudioRefusedError(f"The file has {len(data)} bytes; at most {MAX_AUDIO_BYTES} are allowed")
    info = inspect_audio(data)
    codec_prefix = ACCEPTED_CODECS.get(cast("Container", info.container))
    if codec_prefix is None or not info.codec.startswith(codec_prefix):
        raise AudioRefusedError(f"The audio is {info.codec} in {info.container}; only WAV (PCM) and MP3 are supported")
    if info.channels > MAX_CHANNELS:
        raise AudioRefusedError(f"The audio has {info.channels} channels; only mono and stereo are supported")
    if info.duration_seconds <= 0:
        raise AudioRefusedError("The audio has no samples")
    if max_duration_seconds is not None and info.duration_seconds > max_duration_seconds:
        raise AudioRefusedError(
            f"The audio is {info.duration_seconds:.1f} s long; at most {max_duration_seconds:.0f} s are allowed"
        )
    return AcceptedAudio(data, cast("Container", info.container), info.duration_seconds)


def inspect_audio(data: bytes) -> AudioInfo:
    """The properties of `data` by FFmpeg, without decoding it; the length is that of its packets, not of its header.

    Raises `AudioRefusedError` if it contains no audio.
    """
    try:
        with av.open(io.BytesIO(data), mode="r", metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise AudioRefusedError(f"There is no audio in this {container.format.name} file")
            stream = container.streams.audio[0]
            length = sum(packet.duration or 0 for packet in container.demux(stream))
            return AudioInfo(
                container=container.format.name,
                codec=stream.codec_context.name,
                channels=stream.codec_context.layout.nb_channels,
                sample_rate_hz=stream.codec_context.sample_rate,
                duration_seconds=float(length * (stream.time_base or Fraction(0))),
            )
    except FFmpegError as error:
        raise AudioRefusedError("The file is not audio that can be read") from error
