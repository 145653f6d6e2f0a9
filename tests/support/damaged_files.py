"""Files that are no recordings, or not whole ones: damaged, cut off, silent about their size, or something else."""

import io
import random
import zipfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import NamedTemporaryFile

import av
import numpy as np
from support.encoding import add_video, encode
from support.mp3_files import id3v2_with_cover
from support.wav_files import wav_claiming, wav_file

from emulator.recognisers.markers import silence_samples


@dataclass(frozen=True)
class OddFile:
    """A file, and what it really is."""

    name: str
    filename: str
    data: bytes

    def __str__(self) -> str:
        return self.name


def zeroed(data: bytes, *, start: float = 0.5, share: float = 0.1) -> bytes:
    """With zeros in place of a `share` of it, from `start` on; both are shares of its length."""
    first, last = _part(data, start, share)
    return data[:first] + bytes(last - first) + data[last:]


def overwritten(data: bytes, *, start: float = 0.5, share: float = 0.1, seed: int = 0) -> bytes:
    """With random bytes in place of a part."""
    first, last = _part(data, start, share)
    return data[:first] + random_bytes(last - first, seed=seed) + data[last:]


def without(data: bytes, *, start: float = 0.5, share: float = 0.1) -> bytes:
    """With a part taken out, and its ends joined."""
    first, last = _part(data, start, share)
    return data[:first] + data[last:]


def truncated(data: bytes, *, share: float = 0.5) -> bytes:
    """The first `share` of it."""
    return data[: int(len(data) * share)]


def random_bytes(size_bytes: int, *, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size_bytes)  # noqa: S311 # the same bytes every time, and nothing secret


def no_recordings() -> tuple[OddFile, ...]:
    """Files without a sound in them, under whatever name people send them."""
    empty = silence_samples(0)
    return (
        OddFile("nothing at all", "talk.mp3", b""),
        OddFile("one byte", "talk.mp3", b"\xff"),
        OddFile("video without sound", "talk.mp4", silent_film()),
        OddFile("WAV without samples", "talk.wav", wav_file(empty)),
        OddFile("WAV header, cut off", "talk.wav", wav_file(empty)[:20]),
        OddFile("M4A without samples", "talk.m4a", encode(empty, "ipod", "aac")),
        OddFile("MP3 tag without a frame", "talk.mp3", id3v2_with_cover(1000)),
        OddFile("JPEG", "talk.mp3", picture("mjpeg", "yuvj420p")),
        OddFile("PNG", "talk.mp3", picture("png", "rgb24")),
        OddFile("PDF", "talk.pdf", b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n"),
        OddFile("ZIP", "talk.zip", zip_file()),
        OddFile("web page", "talk.mp3", b"<!DOCTYPE html>\n<html><title>Sign in</title><p>Sign in first.</html>\n"),
        OddFile("JSON", "talk.json", b'{"error": "not found"}'),
        OddFile("text", "talk.txt", b"The minutes of a meeting.\n" * 40),
        OddFile("random bytes", "talk.mp3", random_bytes(50_000)),
    )


def bombs() -> tuple[OddFile, ...]:
    """Small files of many hours: the first two really have them, the last only says so."""
    return (
        OddFile("ten hours of silence in FLAC", "talk.flac", long_silence("flac")),
        OddFile("ten hours of silence in Matroska", "talk.mka", long_silence("matroska")),
        OddFile("a WAV that claims eighteen hours", "talk.wav", wav_claiming(18 * 3600)),
    )


def long_silence(container: str, *, hours: float = 10) -> bytes:
    """Silence as FLAC, at 2 kHz and in the largest blocks that it has: a kilobyte for an hour or two."""
    rate_hz, size = 2_000, 65_535
    with NamedTemporaryFile() as file, av.open(file.name, "w", format=container) as output:
        stream = output.add_stream("flac", rate=rate_hz, layout="mono", options={"frame_size": str(size)})
        assert isinstance(stream, av.AudioStream)
        stream.codec_context.format = av.AudioFormat("s16")
        for number in range(int(hours * 3600 * rate_hz / size)):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, size), np.int16), format="s16", layout="mono")
            frame.sample_rate, frame.pts = rate_hz, number * size
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        output.close()
        return Path(file.name).read_bytes()


def silent_film() -> bytes:
    """A video that never had a sound track."""
    with NamedTemporaryFile() as file, av.open(file.name, "w", format="mp4") as output:
        add_video(output, "mpeg4", 3.0)
        output.close()
        return Path(file.name).read_bytes()


def picture(codec: str, pixel_format: str) -> bytes:
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt, context.framerate = 64, 48, pixel_format, Fraction(1)
    frame = av.VideoFrame(64, 48, pixel_format)
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def zip_file() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("notes.txt", "Not a recording.")
    return file.getvalue()


def _part(data: bytes, start: float, share: float) -> tuple[int, int]:
    first = int(len(data) * start)
    return first, min(len(data), first + int(len(data) * share))
