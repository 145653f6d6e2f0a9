"""Samples into files of any container and codec that PyAV's FFmpeg writes."""

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import cast

import av
import numpy as np
from av.container import OutputContainer
from numpy.typing import NDArray

from emulator.recognisers.markers import SAMPLE_RATE_HZ, Samples


def encode(
    samples: Samples,
    container: str,
    codec: str,
    *,
    rate_hz: int = SAMPLE_RATE_HZ,
    bit_rate: int | None = None,
    channels: int = 1,
    options: Mapping[str, str] | None = None,
    codec_options: Mapping[str, str] | None = None,
    video_codec: str | None = None,
) -> bytes:
    """`samples` (mono, 16 kHz, 16 bits) as a file; with a `video_codec`, beside a tiny grey picture that never moves.

    A stereo file has the same sound on both sides, `options` are the container's.
    """
    layout = "mono" if channels == 1 else "stereo"
    if codec == "vorbis":
        layout = "stereo"  # all that FFmpeg's own encoder writes
    strict = {"strict": "experimental"} if codec == "vorbis" else {}
    # A real file: to put an MP4's index first, FFmpeg opens what it has written again, by its name.
    with (
        NamedTemporaryFile() as file,
        av.open(file.name, "w", format=container, container_options=dict(options or {})) as output,
    ):
        stream = cast(
            "av.AudioStream",
            output.add_stream(codec, rate=rate_hz, layout=layout, options={**strict, **(codec_options or {})}),
        )
        if bit_rate is not None:
            stream.bit_rate = bit_rate
        if video_codec is not None:
            add_video(output, video_codec, len(samples) / SAMPLE_RATE_HZ)
        output.start_encoding()  # writes the header, also of a file without a sample
        _add_sound(output, stream, samples, layout, rate_hz)
        output.close()
        return Path(file.name).read_bytes()


def encode_tracks(tracks: Sequence[Samples], container: str, codec: str) -> bytes:
    """Tracks of sound as long as each other in one file, mono and 16 kHz."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        streams = [cast("av.AudioStream", output.add_stream(codec, rate=SAMPLE_RATE_HZ, layout="mono")) for _ in tracks]
        for stream, samples in zip(streams, tracks, strict=True):
            _add_sound(output, stream, samples, "mono", SAMPLE_RATE_HZ)
    return file.getvalue()


def decode(data: bytes, *, rate_hz: int = SAMPLE_RATE_HZ) -> NDArray[np.int16]:
    """The sound of a file, mono, as any player plays it."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate_hz)
    with av.open(io.BytesIO(data), mode="r", metadata_errors="ignore") as container:
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    pieces = [frame.to_ndarray()[0] for frame in [*frames, *resampler.resample(None)]]
    return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)


def add_video(output: OutputContainer, codec: str, seconds: float) -> None:
    """A picture a second, 64 by 48 and grey."""
    stream = cast("av.VideoStream", output.add_stream(codec, rate=1))
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    packets: list[av.Packet[av.VideoStream]] = []
    for number in range(max(1, round(seconds))):
        frame = av.VideoFrame.from_ndarray(np.full((72, 64), 128, np.uint8), format="yuv420p")
        frame.pts = number
        packets += stream.encode(frame)
    packets += stream.encode(None)
    output.mux(packets)


def _add_sound(output: OutputContainer, stream: "av.AudioStream", samples: Samples, layout: str, rate_hz: int) -> None:
    context = stream.codec_context
    resampler = av.AudioResampler(
        format=context.format, layout=layout, rate=rate_hz, frame_size=context.frame_size or 4096
    )
    for frame in _frames(samples):
        for part in resampler.resample(frame):
            output.mux(stream.encode(part))
    for part in resampler.resample(None):
        output.mux(stream.encode(part))
    output.mux(stream.encode(None))


def _frames(samples: Samples) -> Iterator[av.AudioFrame]:
    # A minute a time: a frame is copied a few times on its way.
    for start in range(0, len(samples), 60 * SAMPLE_RATE_HZ):
        block = np.ascontiguousarray(samples[start : start + 60 * SAMPLE_RATE_HZ])
        frame = av.AudioFrame.from_ndarray(block[None, :], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        frame.pts = start
        yield frame
