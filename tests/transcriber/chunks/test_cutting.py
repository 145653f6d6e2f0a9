"""Cutting: every sample and frame is in one chunk, cuts lie in pauses, and a chunk sounds like what it was cut from."""

import base64
import tracemalloc
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.damaged_files import overwritten, truncated
from support.encoding import decode, encode
from support.long_recordings import LongRecording, real_speech
from support.wav_files import UNKNOWN_SIZE, wav_file
from support.wav_files import chunk as riff_chunk

from emulator.recognisers.markers import SAMPLE_RATE_HZ, Samples, silence_samples
from transcriber.audio import wav
from transcriber.audio.identify import PassThroughAudio, identify
from transcriber.chunks.chunk import Chunk, SourcePayload
from transcriber.chunks.cut_points import ChunkLimits
from transcriber.chunks.cutters import FrameCutter, SampleCutter
from transcriber.chunks.cutting import CutOptions, can_pass_through, cut
from transcriber.chunks.damage import MAX_DAMAGES_NAMED
from transcriber.chunks.slicing import slice_chunk, split
from transcriber.deadline import Deadline
from transcriber.errors import AudioTooLargeError
from transcriber.request.base64_text import read_base64
from transcriber.sources.inline import InlineSource
from transcriber.spans import Span

NO_XING = {"write_xing": "0", "id3v2_version": "0"}
VBR = {"flags": "+qscale", "global_quality": "472"}
MP3: dict[str, dict[str, Any]] = {
    "CBR 16": {"bit_rate": 16_000},
    "CBR 64": {"bit_rate": 64_000, "rate_hz": 44_100},
    "CBR 320": {"bit_rate": 320_000, "rate_hz": 44_100, "channels": 2},
    "VBR": {"rate_hz": 44_100, "codec_options": VBR},
}


@cache
def speech() -> LongRecording:
    return real_speech(1, seed=5, noise_dbfs=-60)


@cache
def mp3(name: str) -> bytes:
    return encode(speech().samples, "mp3", "libmp3lame", **MP3[name])


def source_of(data: bytes) -> InlineSource:
    return InlineSource(read_base64(base64.b64encode(data).decode(), param=None), max_bytes=10**9)


def plain(data: bytes) -> PassThroughAudio:
    audio = identify(source_of(data), max_seconds=10**6)
    assert isinstance(audio, PassThroughAudio)
    return audio


def chunks_of(data: bytes, chunk_seconds: float, **limits: Any) -> list[Chunk]:
    options = CutOptions(
        limits=ChunkLimits(chunk_seconds, **limits), max_seconds=10**6, deadline=Deadline(60), keep_loudness=True
    )
    return list(cut(identify(source_of(data), max_seconds=10**6), options))


def warnings_of(chunks: Sequence[Chunk]) -> list[str]:
    return [warning for chunk in chunks for warning in chunk.warnings]


def bytes_of(chunk: Chunk) -> bytes:
    with chunk.payload.open() as reader:
        return reader.read_fully(chunk.payload.size_bytes + 1)


def samples_of(chunks: Sequence[Chunk]) -> Samples:
    return np.frombuffer(b"".join(bytes_of(chunk)[wav.PLAIN_HEADER_BYTES :] for chunk in chunks), np.int16)


def are_apart_by_nothing(chunks: Sequence[Chunk]) -> bool:
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
    assert are_apart_by_nothing(chunks)
    assert all(chunk.duration_seconds <= limits.longest_seconds + 1e-6 for chunk in chunks)
    assert all(chunk.payload.size_bytes <= max_bytes for chunk in chunks)


@settings(max_examples=8, deadline=None)
@given(st.sampled_from(list(MP3)), st.floats(2, 30), st.integers(8000, 60_000), st.integers(30_000, 400_000))
def test_frames_are_all_in_one_chunk(name: str, chunk_seconds: float, block: int, max_bytes: int) -> None:
    """MP3 chunks without their preroll are all frames in order, each within its length and its size."""
    data = mp3(name)
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
    assert are_apart_by_nothing(chunks)
    assert all(chunk.span.duration_seconds <= limits.longest_seconds + 1e-6 for chunk in chunks)
    assert all(chunk.payload.size_bytes <= max_bytes for chunk in chunks)


def without_preroll(chunk: Chunk) -> bytes:
    from transcriber.audio.mp3_frames import FrameScanner  # noqa: PLC0415 # beside its only use

    scanner = FrameScanner()
    scanner.feed(bytes_of(chunk))
    scanner.finish()
    preroll = round(chunk.preroll_seconds / scanner.frame_seconds)
    start = scanner.ends[preroll - 1] if preroll else 0
    return b"".join(scanner.take(len(scanner.levels), keep=0))[start:]


@pytest.mark.parametrize("name", MP3)
@pytest.mark.parametrize("chunk_seconds", [16, 20, 24])
def test_cuts_of_speech_lie_in_pauses(name: str, chunk_seconds: float) -> None:
    """In sentences in noise, no word is cut, at any bit rate."""
    chunks = chunks_of(mp3(name), chunk_seconds)
    assert len(chunks) >= 2
    # What is decoded begins some 50 ms later than what was encoded.
    assert all(is_in_a_pause(chunk.span.end_seconds - 0.05) for chunk in chunks[:-1])


@pytest.mark.parametrize("chunk_seconds", [16, 20, 24])
def test_cuts_of_samples_lie_in_pauses(chunk_seconds: float) -> None:
    """The same for WAV."""
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
    (chunk,) = chunks_of(data, 600)
    return bytes_of(chunk)


@pytest.mark.parametrize(
    ("data", "chunk_seconds", "goes"),
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
def test_recording_that_fits_passes_through(data: bytes, chunk_seconds: float, goes: bool) -> None:  # noqa: FBT001 # a parameter of the test
    """A recording passes through if one call takes it, its header is right, and it does not begin with silence."""
    audio = plain(data)
    assert can_pass_through(audio, ChunkLimits(chunk_seconds)) is goes
    options = CutOptions(ChunkLimits(chunk_seconds), 10**6, Deadline(60))
    first = next(iter(cut(audio, options)))
    assert isinstance(first.payload, SourcePayload) is goes
    if goes:
        assert bytes_of(first) == data


@pytest.mark.parametrize("data", [wav_file(speech().samples), mp3("CBR 64"), mp3("VBR")])
def test_split_is_the_chunk_in_parts(data: bytes) -> None:
    """Its parts follow one another from the chunk's start to its end."""
    chunk = chunks_of(data, 20)[1]
    parts = split(chunk)
    assert len(parts) >= 2
    assert parts[0].span.start_seconds == pytest.approx(chunk.span.start_seconds)
    assert parts[-1].span.end_seconds == pytest.approx(chunk.span.end_seconds)
    for before, after in pairwise(parts):
        assert before.span.end_seconds == pytest.approx(after.span.start_seconds)
    if chunk.layout is None:
        assert b"".join(without_preroll(part) for part in parts) == without_preroll(chunk)
    else:
        assert np.array_equal(samples_of(parts), samples_of([chunk]))


@pytest.mark.parametrize("data", [wav_file(speech().samples), mp3("CBR 64")])
def test_slice_of_a_chunk(data: bytes) -> None:
    """A slice is the sound between two moments, to within a frame, with its span in the recording's time."""
    chunk = chunks_of(data, 20)[1]
    part = slice_chunk(chunk, Span(3.0, 5.5))
    start = chunk.origin_seconds
    assert part.span.start_seconds == pytest.approx(start + 3.0, abs=0.03)
    assert part.span.end_seconds == pytest.approx(start + 5.5, abs=0.03)
    assert len(decode(bytes_of(part))) / SAMPLE_RATE_HZ == pytest.approx(part.duration_seconds, abs=0.03)


@pytest.mark.parametrize("data", [wav_file(speech().samples), mp3("CBR 64")])
def test_loudness_of_a_source_that_passes_through(data: bytes) -> None:
    """The loudness of a chunk that was not cut is measured from its bytes, and is that of one that was."""
    options = CutOptions(ChunkLimits(300), 10**6, Deadline(60))
    (chunk,) = cut(plain(data), options)
    (held,) = chunks_of(data, 300)
    assert not chunk.has_loudness
    assert chunk.loudness.speech_seconds == pytest.approx(held.loudness.speech_seconds, rel=0.02)
    assert 30 < chunk.loudness.speech_seconds < 60


def test_cut_off_recording_says_so() -> None:
    """A file with half of what its header states is cut into what is there, and its last chunk has a warning."""
    for data in (truncated(mp3("CBR 64")), truncated(wav_file(speech().samples))):
        *others, last = chunks_of(data, 20)
        assert last.span.end_seconds == pytest.approx(30, abs=0.5)
        assert warnings_of(others) == []
        (warning,) = last.warnings
        assert "cut off: its header states 60." in warning


@pytest.mark.parametrize("chunk_seconds", [20, 300])
def test_sound_after_the_stated_end_has_a_warning(chunk_seconds: float) -> None:
    """A header that states too little, or a second file after the first, causes a warning; a cover picture does not."""
    samples = speech().samples
    picture = riff_chunk(b"id3 ", b"ID3" + bytes(500_000))
    for data, says in (
        (wav_file(samples, data_size_bytes=32_000 * 20), ["goes on for 40.0 s after the end that its header states"]),
        (wav_file(samples[:320_000]) + wav_file(samples), ["Another recording follows the end of the first"]),
        (wav_file(samples[:320_000], after=picture), []),
        (wav_file(samples[:320_000]) + bytes(500_000), []),
    ):
        chunks = chunks_of(data, chunk_seconds)
        warnings = warnings_of(chunks)
        assert chunks[-1].span.end_seconds == pytest.approx(20)
        assert len(warnings) == len(says)
        assert all(expected in warning for expected, warning in zip(says, warnings, strict=True))


def test_damage_has_a_warning_with_its_place() -> None:
    """Where bytes are not frames, the chunk of that time has the warning, with the moment and about how long."""
    chunks = chunks_of(overwritten(mp3("CBR 64"), start=0.5, share=0.05), 20)
    damaged = [
        chunk for chunk in chunks if any("damaged: at 0:3" in w or "damaged: at 0:29" in w for w in chunk.warnings)
    ]
    assert len(damaged) == 1
    assert damaged[0].span.start_seconds <= 30.5 <= damaged[0].span.end_seconds + 1


def test_warnings_about_damage_are_bounded() -> None:
    """A stream that is damaged everywhere has a few warnings with their places, and one with the number of all."""
    frame = b"\xff\xfb\x90\x00" + bytes(413)
    data = b"".join(frame * 80 + bytes(417 * 20) for _ in range(40))
    warnings = warnings_of(chunks_of(data, 10))
    assert len([warning for warning in warnings if "damaged: at" in warning]) == MAX_DAMAGES_NAMED
    assert [warning for warning in warnings if "places" in warning] == [
        f"The file is damaged in 40 places; only the first {MAX_DAMAGES_NAMED} are named."
    ]


def test_longer_than_the_limit_ends_at_it() -> None:
    """A recording that does not say how long it is ends with an error where it passes the limit."""
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
