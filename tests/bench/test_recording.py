"""The recordings that are made up are what the function takes for recordings."""

import pytest

from bench_suite.recording import MIN_SIZE_BYTES, recording
from transcriber.audio import mp3


@pytest.mark.parametrize("size_bytes", [MIN_SIZE_BYTES, 417 * 5, 417 * 5 + 5, 417 * 5 + 6, 417 * 5 + 10, 5_000_000])
def test_size_and_frames(size_bytes: int) -> None:
    """A recording has exactly the size that is asked for, and is an MP3 stream of 128 kbit/s to its last byte."""
    audio = recording(size_bytes)
    assert len(audio) == size_bytes
    start = mp3.tag_bytes(audio)
    layout = mp3.read_layout(audio[start:], offset=start)
    assert layout is not None
    frames, padding = divmod(size_bytes - start, 417)
    assert padding <= frames
    assert layout.duration_seconds(size_bytes) == pytest.approx(frames * 1152 / 44_100, rel=0.002)
    assert (start == 0) == (size_bytes % 417 <= size_bytes // 417)
