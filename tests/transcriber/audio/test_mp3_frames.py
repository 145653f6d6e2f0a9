"""Frames of MP3: each is found, however the bytes come, and their loudness distinguishes speech from pauses."""

import io
import tracemalloc
from functools import cache
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.damaged_files import overwritten, random_bytes, without, zeroed
from support.encoding import encode
from support.long_recordings import real_speech
from support.mp3_files import id3v1_after_ape, id3v2_with_cover

from transcriber.audio.loudness import Loudness
from transcriber.audio.mp3_frames import LOOK_AHEAD_BYTES, FrameScanner

NO_XING = {"write_xing": "0", "id3v2_version": "0"}
ENCODINGS: dict[str, dict[str, Any]] = {
    "CBR 16, 16 kHz": {"bit_rate": 16_000},
    "CBR 32, 16 kHz": {"bit_rate": 32_000},
    "CBR 64": {"bit_rate": 64_000, "rate_hz": 44_100},
    "CBR 128 stereo": {"bit_rate": 128_000, "rate_hz": 44_100, "channels": 2},
    "joint stereo": {"bit_rate": 128_000, "rate_hz": 44_100, "channels": 2, "codec_options": {"joint_stereo": "1"}},
    "CBR 320 stereo": {"bit_rate": 320_000, "rate_hz": 48_000, "channels": 2},
    "VBR": {"rate_hz": 44_100, "codec_options": {"flags": "+qscale", "global_quality": "472"}},
    "MPEG-2": {"bit_rate": 48_000, "rate_hz": 22_050},
    "MPEG-2.5": {"bit_rate": 16_000, "rate_hz": 8_000},
}
SPEECH = real_speech(0.25, seed=2, noise_dbfs=-60)


@cache
def stream(name: str) -> bytes:
    return encode(SPEECH.samples, "mp3", "libmp3lame", options=NO_XING, **ENCODINGS[name])


def scanned(data: bytes, *, block: int = 50_000) -> FrameScanner:
    scanner = FrameScanner()
    for start in range(0, len(data), block):
        scanner.feed(data[start : start + block])
    scanner.finish()
    return scanner


def kept(scanner: FrameScanner) -> bytes:
    """The bytes of all frames that the scanner keeps; it keeps them."""
    count = len(scanner.levels)
    return b"".join(scanner.take(count, keep=count)) if count else b""


def frames_of(data: bytes) -> int:
    with av.open(io.BytesIO(data), "r", format="mp3") as container:
        return sum(1 for packet in container.demux(audio=0) if packet.size)


@pytest.mark.parametrize("name", ENCODINGS)
def test_frames_are_those_that_a_player_finds(name: str) -> None:
    """As many as FFmpeg's demuxer counts, with every byte in one of them, and none lost."""
    scanner = scanned(stream(name))
    assert len(scanner.levels) == len(scanner.ends) == frames_of(stream(name))
    assert kept(scanner) == stream(name)
    assert scanner.ends[-1] == len(stream(name))
    assert not scanner.lost
    assert len(scanner.levels) * scanner.frame_seconds == pytest.approx(15, abs=0.2)


@pytest.mark.parametrize("name", ENCODINGS)
def test_loudness_distinguishes_speech_from_pauses(name: str) -> None:
    """In sentences in noise at -60 dBFS, frames with speech are louder than those without in 97 % of pairs, or more."""
    scanner = scanned(stream(name))
    levels = np.array(scanner.levels)
    times = (np.arange(len(levels)) + 0.5) * scanner.frame_seconds - 0.03  # the encoder's delay
    silent = np.ones(len(levels), bool)
    for sentence in SPEECH.sentences:
        silent &= (times < sentence.start_seconds - 0.1) | (times > sentence.end_seconds + 0.1)
    peaks = np.array(
        [np.abs(SPEECH.samples[max(0, int(t * 16_000) - 200) : int(t * 16_000) + 200]).max(initial=0) for t in times]
    )
    spoken, pauses = levels[~silent & (peaks > 600)], levels[silent]
    louder = (spoken[:, None] > pauses[None, :]).mean() + (spoken[:, None] == pauses[None, :]).mean() / 2
    assert len(pauses) > 50
    assert louder > 0.97


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(list(ENCODINGS)), st.integers(20, 5000))
def test_blocks_make_no_difference(name: str, block: int) -> None:
    """However the bytes come, the frames and their levels are the same."""
    data = stream(name)[:40_000]
    once, again = scanned(data), scanned(data, block=block)
    assert (once.levels, once.ends, once.lost) == (again.levels, again.ends, again.lost)
    assert kept(once) == kept(again)


@pytest.mark.parametrize("damage", [zeroed, overwritten, without])
@pytest.mark.parametrize("name", ENCODINGS)
def test_damage_costs_what_is_damaged(name: str, damage: Any) -> None:
    """A tenth of the bytes destroyed or gone costs a tenth of the frames and a few more; skipped bytes are reported."""
    data = stream(name)
    scanner, whole = scanned(damage(data)), frames_of(data)
    assert 0.85 * whole - 5 <= len(scanner.levels) <= 0.91 * whole + 5
    assert len(kept(scanner)) + sum(size for _, size in scanner.lost) == len(damage(data))


@pytest.mark.parametrize("name", ["CBR 64", "MPEG-2"])
def test_tags_are_no_loss(name: str) -> None:
    """Tags between frames and after them are skipped, and do not count as lost."""
    data = stream(name)
    scanner = scanned(data + id3v2_with_cover(5_000) + data + id3v1_after_ape())
    assert len(scanner.levels) == 2 * frames_of(data)
    assert not scanner.lost


@pytest.mark.parametrize(
    "data",
    [
        random_bytes(2**18),
        bytes(2**18),
        b"\xff" * 2**18,
        b"\xff\xfb\x90\x00" * 2**16,
        b"ID3" * 80_000,
        b"\xff\xfb\x90\x00\xff\xf3\x10\x00" * 2**15,
    ],
    ids=["random", "zeros", "sync", "headers", "tags", "headers of two kinds"],
)
def test_bytes_without_a_stream_are_skipped(data: bytes) -> None:
    """A quarter of a megabyte without a stream is passed over, and no more is kept than is looked at in advance."""
    scanner = FrameScanner()
    for start in range(0, len(data), 65_536):
        scanner.feed(data[start : start + 65_536])
        assert len(scanner._data) <= LOOK_AHEAD_BYTES + 65_536
    scanner.finish()
    assert len(scanner.levels) < len(data) // 24


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=3000), st.integers(1_000, 12_000), st.integers(20, 5000))
def test_any_bytes_in_a_stream(garbage: bytes, at: int, block: int) -> None:
    """With any bytes within a stream, the scan ends, frames follow each other, and most of them are found."""
    data = stream("CBR 32, 16 kHz")[:14_400]
    scanner = scanned(data[:at] + garbage + data[at:], block=block)
    assert list(scanner.ends) == sorted(scanner.ends)
    assert not scanner.ends or scanner.ends[-1] == len(kept(scanner))
    assert len(scanner.levels) >= 100 - 5 - len(garbage) // 500


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 40), max_size=10), st.integers(0, 5))
def test_taken_frames_are_the_streams(counts: list[int], keep: int) -> None:
    """Frames that are taken, but for those that are kept and come again, are the stream's bytes."""
    data = stream("CBR 128 stereo")[:100_000]
    scanner = scanned(data)
    whole, shared = bytearray(), 0
    for count in counts:
        if shared + count > len(scanner.levels):
            break
        ends = list(scanner.ends)
        taken = scanner.take(shared + count, keep=min(keep, shared + count))
        whole += b"".join(taken)[ends[shared - 1] if shared else 0 :]
        shared = min(keep, shared + count)
    assert data.startswith(whole)


# Half an hour of frames in a recording of 25 MB that can be read only once may take this much memory beside the bytes.
MOST_BESIDE_THE_BYTES = 0.1


def test_little_is_held_beside_the_bytes() -> None:
    """Where no two frames are alike, scanning them and judging their loudness takes little memory besides."""
    blocks = 100
    header, frame_bytes = bytes.fromhex("fffb9000"), 417
    frames = [header + random_bytes(frame_bytes - len(header), seed=number) for number in range(30_000)]
    data = b"".join(frames)
    size = len(data) // blocks
    tracemalloc.start()
    try:
        scanner = FrameScanner()
        for start in range(0, len(data), size):
            scanner.feed(data[start : start + size])
        scanner.finish()
        loudness = Loudness(scanner.decibels(0, len(scanner.levels)), scanner.frame_seconds)
        assert loudness.is_steady is False
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes <= (1 + MOST_BESIDE_THE_BYTES) * len(data)
