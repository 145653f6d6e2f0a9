"""Cutting: every sample and frame is in one chunk, cuts lie in pauses, and a chunk sounds like what it was cut from."""

import tracemalloc
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.cutting import (
    MP3,
    VBR,
    OnceSource,
    bytes_of,
    chunks_of,
    chunks_of_source,
    mp3,
    plain,
    samples_of,
    source_of,
    speech,
    without_preroll,
)
from support.damaged_files import random_bytes
from support.encoding import decode, encode
from support.long_recordings import real_speech
from support.wav_files import UNKNOWN_SIZE, wav_file

from emulator.recognisers.markers import SAMPLE_RATE_HZ, silence_samples
from transcriber.audio import wav
from transcriber.audio.identify import identify
from transcriber.chunks.chunk import BytesPayload, Chunk, SourcePayload
from transcriber.chunks.cut_points import ChunkLimits
from transcriber.chunks.cutters import FrameCutter, SampleCutter
from transcriber.chunks.cutting import CutOptions, cut
from transcriber.chunks.pass_through import can_pass_through
from transcriber.deadline import Deadline
from transcriber.errors import AudioTooLargeError

NO_XING = {"write_xing": "0", "id3v2_version": "0"}


def follow_each_other(chunks: Sequence[Chunk]) -> bool:
    starts = [chunk.span.start_seconds for chunk in chunks]
    return starts == [0.0, *(chunk.span.end_seconds for chunk in chunks[:-1])]


def is_in_a_pause(seconds: float) -> bool:
    """Whether the sound without its noise is 26 dB under full scale, or less, for 40 ms around."""
    clean = real_speech(1, seed=5).samples
    around = clean[int((seconds - 0.02) * SAMPLE_RATE_HZ) : int((seconds + 0.02) * SAMPLE_RATE_HZ)]
    return int(np.abs(around.astype(int)).max(initial=0)) < 1640


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.05, 4), st.floats(0.0, 2)), min_size=1, max_size=8),
    st.floats(0.5, 6),
    st.integers(500, 40_000),
    st.integers(2_000, 100_000),
)
def test_samples_are_all_in_one_chunk(
    speech_and_pauses: list[tuple[float, float]], chunk_seconds: float, block: int, max_bytes: int
) -> None:
    """Whatever the pauses, WAV chunks joined are the samples to the bit, each within its length and its size."""
    noise = np.random.default_rng(1).integers(-8000, 8000, 32_000).astype(np.int16)
    parts = [
        part
        for sound, pause in speech_and_pauses
        for part in (noise[: int(sound * 8000)], np.zeros(int(pause * 8000), np.int16))
    ]
    samples = np.concatenate(parts)
    limits = ChunkLimits(chunk_seconds, max_bytes)
    cutter = SampleCutter(limits, sample_rate_hz=8000, channels=1)
    data = samples.tobytes()
    chunks: list[Chunk] = []
    for start in range(0, len(data), 2 * block):
        chunks += cutter.feed(data[start : start + 2 * block])
    chunks += cutter.finish()
    assert np.array_equal(samples_of(chunks), samples)
    assert follow_each_other(chunks)
    assert all(chunk.duration_seconds <= limits.longest_seconds + 1e-6 for chunk in chunks)
    assert all(chunk.payload.size_bytes <= max_bytes for chunk in chunks)


@cache
def loud_mp3(name: str) -> bytes:
    """Speech in noise, of which no chunk is quiet: a quiet one would be decoded."""
    return encode(real_speech(1, seed=5, noise_dbfs=-25).samples, "mp3", "libmp3lame", **MP3[name])


@settings(max_examples=8, deadline=None)
@given(st.sampled_from(list(MP3)), st.floats(2, 30), st.integers(8000, 60_000), st.integers(30_000, 400_000))
def test_frames_are_all_in_one_chunk(name: str, chunk_seconds: float, block: int, max_bytes: int) -> None:
    """MP3 chunks without their preroll are all frames in order, each within its length and its size."""
    data = loud_mp3(name)
    start = plain(data).layout
    assert not isinstance(start, wav.WavLayout)
    limits = ChunkLimits(chunk_seconds, max_bytes)
    cutter, chunks = FrameCutter(limits), list[Chunk]()
    for position in range(start.frames_start, len(data), block):
        chunks += cutter.feed(data[position : position + block])
    chunks += cutter.finish()
    joined = b"".join(without_preroll(chunk) for chunk in chunks)
    assert data.endswith(joined)
    assert len(data) - len(joined) - start.frames_start < 1500  # the frame that states the length
    assert follow_each_other(chunks)
    assert all(chunk.span.duration_seconds <= limits.longest_seconds + 1e-6 for chunk in chunks)
    assert all(chunk.payload.size_bytes <= max_bytes for chunk in chunks)


@pytest.mark.parametrize("name", MP3)
@pytest.mark.parametrize("chunk_seconds", [16, 20, 24])
def test_cuts_of_speech_lie_in_pauses(name: str, chunk_seconds: float) -> None:
    """In sentences in noise, no word is cut, at any bit rate."""
    chunks = chunks_of(mp3(name), chunk_seconds)
    assert len(chunks) >= 2
    # Decoded sound begins some 50 ms later than the sound that was encoded.
    assert all(is_in_a_pause(chunk.span.end_seconds - 0.05) for chunk in chunks[:-1])


@pytest.mark.parametrize("chunk_seconds", [16, 20, 24])
def test_cuts_of_samples_lie_in_pauses(chunk_seconds: float) -> None:
    """In sentences in noise, no word is cut in WAV either."""
    chunks = chunks_of(wav_file(speech().samples), chunk_seconds)
    assert len(chunks) >= 2
    assert all(is_in_a_pause(chunk.span.end_seconds) for chunk in chunks[:-1])


@pytest.mark.parametrize("name", MP3)
def test_chunk_sounds_like_what_it_was_cut_from(name: str) -> None:
    """A frame after the cut, which is still mixed with the one before, a decoded chunk is the whole file's sound."""
    data = mp3(name)
    rate_hz = MP3[name].get("rate_hz", SAMPLE_RATE_HZ)
    whole = decode(encoded_without_length(data), rate_hz=rate_hz).astype(int)
    for chunk in chunks_of(data, 12)[1:]:
        sound = decode(bytes_of(chunk), rate_hz=rate_hz).astype(int)
        frame = 1152 if rate_hz > 24_000 else 576
        preroll = round(chunk.preroll_seconds * rate_hz) + frame
        start = round(chunk.span.start_seconds * rate_hz) + frame
        length = min(rate_hz * 2, len(sound) - preroll)
        assert np.abs(sound[preroll : preroll + length] - whole[start : start + length]).max() <= 2


def encoded_without_length(data: bytes) -> bytes:
    return b"".join(without_preroll(chunk) for chunk in chunks_of(data, 12))


@pytest.mark.parametrize(
    ("data", "chunk_seconds", "passes"),
    [
        (wav_file(speech().samples), 300, True),
        (wav_file(speech().samples), 20, False),
        (wav_file(speech().samples, data_size_bytes=UNKNOWN_SIZE), 300, False),
        (wav_file(speech().samples, data_size_bytes=10**7), 300, False),
        (wav_file(np.concatenate([silence_samples(5), speech().samples])), 300, False),
        (mp3("CBR 64"), 300, True),
        (mp3("VBR"), 300, True),
        (mp3("CBR 64"), 20, False),
    ],
)
def test_recording_that_fits_passes_through(data: bytes, chunk_seconds: float, passes: bool) -> None:  # noqa: FBT001 # a parameter of the test
    """A recording passes through if one call takes it, its header is right, and it does not begin with silence."""
    audio = plain(data)
    assert can_pass_through(audio, ChunkLimits(chunk_seconds)) is passes
    options = CutOptions(ChunkLimits(chunk_seconds), 10**6, Deadline(60))
    first = next(iter(cut(audio, options)))
    assert isinstance(first.payload, SourcePayload) is passes
    if passes:
        assert bytes_of(first) == data


@pytest.mark.parametrize("data", [wav_file(speech().samples), mp3("CBR 64")])
def test_loudness_of_a_source_that_passes_through(data: bytes) -> None:
    """The loudness of a chunk that was not cut is measured from its bytes, and is that of one that was."""
    options = CutOptions(ChunkLimits(300), 10**6, Deadline(60))
    (chunk,) = cut(plain(data), options)
    (held,) = chunks_of(data, 300)
    assert not chunk.has_loudness
    assert chunk.loudness.speech_seconds == pytest.approx(held.loudness.speech_seconds, rel=0.02)
    assert 30 < chunk.loudness.speech_seconds < 60


def test_longer_than_the_limit_ends_at_it() -> None:
    """A recording whose header states no length ends with an error where it passes the limit."""
    some = speech().samples[: 30 * SAMPLE_RATE_HZ]
    data = encode(some, "mp3", "libmp3lame", rate_hz=44_100, codec_options=VBR, options=NO_XING)
    audio = identify(source_of(data), max_seconds=20)
    assert audio.duration_seconds is None
    options = CutOptions(ChunkLimits(5), 20, Deadline(60))
    chunks: list[Chunk] = []
    with pytest.raises(AudioTooLargeError, match="the limit"):
        chunks.extend(cut(audio, options))
    assert 13 < chunks[-1].span.end_seconds <= 20


def test_only_a_chunk_is_held() -> None:
    """A recording of twice the length takes no more memory, which is that of a few chunks."""
    peaks = []
    for times in (2, 4):
        source = source_of(wav_file(np.tile(speech().samples, times)))
        options = CutOptions(ChunkLimits(10), 10**6, Deadline(60))
        tracemalloc.start()
        seconds = sum(chunk.span.duration_seconds for chunk in cut(identify(source, max_seconds=10**6), options))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert seconds == pytest.approx(times * 60)
    assert peaks[1] < 1.2 * peaks[0]
    assert peaks[1] < 4 * 60 * 32_000 / 2


def wav_of_20_mb() -> bytes:
    return wav_file(np.frombuffer(random_bytes(20_000_000), "<i2"))


def mp3_of_20_mb() -> bytes:
    """Frames of 128 kbit/s, of which no two are alike."""
    header, frame_bytes = bytes.fromhex("fffb9000"), 417
    frames = 20_000_000 // frame_bytes
    noise = random_bytes(frames * (frame_bytes - len(header)))
    size = frame_bytes - len(header)
    return b"".join(header + noise[start : start + size] for start in range(0, len(noise), size))


# Beside the bytes there are the block that is being read, and a level for each window of samples, or each frame.
@pytest.mark.parametrize(
    ("make", "chunk_seconds", "most_beside"), [(wav_of_20_mb, 600, 0.05), (mp3_of_20_mb, 1800, 0.1)], ids=["WAV", "MP3"]
)
def test_recording_that_can_be_read_once_is_held_once(
    make: Callable[[], bytes], chunk_seconds: float, most_beside: float
) -> None:
    """A recording of 20 MB that can be read once takes its size in memory, and little besides, while it is cut."""
    data = make()
    source = OnceSource(data)
    tracemalloc.start()
    try:
        (chunk,) = chunks_of_source(source, chunk_seconds)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert source.readings == 1
    assert isinstance(chunk.payload, BytesPayload)
    assert chunk.payload.size_bytes == pytest.approx(len(data), rel=0.001)
    assert len(data) < peak_bytes < (1 + most_beside) * len(data)
