"""Damage: each place where words may be missing has a warning on its chunk, up to a number; so has a file cut off."""

import struct
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from io import BytesIO

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cutting import OnceSource, chunks_of, chunks_of_source, mp3, source_of, speech, warnings_of
from support.damaged_files import overwritten, random_bytes, truncated
from support.encoding import encode
from support.wav_files import chunk as riff_chunk
from support.wav_files import wav_file

from emulator.recognisers.markers import SAMPLE_RATE_HZ
from transcriber.chunks.damage import (
    MAX_DAMAGES_NAMED,
    NOTICEABLE_SECONDS,
    SYLLABLE_SECONDS,
    DamageWarnings,
    decoding_damage,
    lost_frames,
)
from transcriber.spans import Span, clock_time

# A frame of silence at 128 kbit/s and 44.1 kHz.
FRAME = b"\xff\xfb\x90\x00" + bytes(413)
FRAME_SECONDS = 1152 / 44_100


def test_cut_off_recording_says_so() -> None:
    """A file with half of what its header states is cut into what is there, and its last chunk has a warning."""
    for data in (truncated(mp3("CBR 64")), truncated(wav_file(speech().samples))):
        *others, last = chunks_of(data, 20)
        assert last.span.end_seconds == pytest.approx(30, abs=0.5)
        assert warnings_of(others) == []
        (warning,) = last.warnings
        assert "cut off: its header states 60." in warning


@pytest.mark.parametrize("chunk_seconds", [20, 300])
def test_wav_file_ends_where_its_samples_do(chunk_seconds: float) -> None:
    """A header that states too little, and a second file, are followed to the end; a cover picture is no sound."""
    samples = speech().samples
    picture = riff_chunk(b"id3 ", b"ID3" + bytes(500_000))
    quiet = np.concatenate([samples[:320_000], np.zeros(32_000, np.int16), samples[:320_000]])
    for data, seconds in (
        (wav_file(samples, data_size_bytes=32_000 * 20), 60),
        (wav_file(quiet, data_size_bytes=32_000 * 20), 42),
        (wav_file(samples[:320_000]) + wav_file(samples), 80),
        (wav_file(samples[:320_000], after=picture) + wav_file(samples), 80),
        (wav_file(samples[:320_000], after=picture), 20),
        (wav_file(samples[:320_000]) + bytes(1000), 20),
    ):
        for source in (source_of(data), OnceSource(data)):
            chunks = chunks_of_source(source, chunk_seconds)
            assert chunks[-1].span.end_seconds == pytest.approx(seconds, abs=0.05)
            assert warnings_of(chunks) == []


def test_file_that_cannot_be_followed_is_named_with_its_time() -> None:
    """Where a file begins that cannot be read, behind one that can, a warning names the time and the reason."""
    other = wav_file(speech().samples[:320_000]).replace(struct.pack("<HH", 1, 1), struct.pack("<HH", 0x1234, 1), 1)
    for data in (
        wav_file(speech().samples[:320_000]) + other,
        wav_file(speech().samples[:320_000]) + other[:20] + bytes(9_000),
    ):
        for source in (source_of(data), OnceSource(data)):
            chunks = chunks_of_source(source, 300)
            assert chunks[-1].span.end_seconds == pytest.approx(20)
            (warning,) = warnings_of(chunks)
            assert warning.startswith("At 0:20 another file begins, and words of it are missing. ")


def test_damage_has_a_warning_with_its_place() -> None:
    """Where bytes are not frames, the chunk of that time has the warning, with the moment and about how long."""
    chunks = chunks_of(overwritten(mp3("CBR 64"), start=0.5, share=0.05), 20)
    damaged = [
        chunk for chunk in chunks if any("damaged: at 0:3" in w or "damaged: at 0:29" in w for w in chunk.warnings)
    ]
    assert len(damaged) == 1
    assert damaged[0].span.start_seconds <= 30.5 <= damaged[0].span.end_seconds + 1


def frames_with_damage(frames: int, damage: dict[int, float]) -> bytes:
    """A stream of frames, with zeros that take as many bytes as so much sound, by the frame that they stand before."""
    return b"".join(
        bytes(round(damage.get(number, 0) / FRAME_SECONDS) * len(FRAME)) + FRAME for number in range(frames)
    )


def test_each_damage_has_its_warning_on_the_chunk_where_it_begins() -> None:
    """The damage in an MP3 stream is named by the chunk in whose span it begins, and by no other."""
    damaged_frames = (100, 450, 600, 1000, 1490)
    chunks = chunks_of(frames_with_damage(1500, dict.fromkeys(damaged_frames, 1.0)), 8)
    assert len(chunks) > 3
    for chunk in chunks:
        starts = [number * FRAME_SECONDS for number in damaged_frames]
        own = [at for at in starts if chunk.span.start_seconds <= at < chunk.span.end_seconds]
        assert [warning.split(",")[0] for warning in chunk.warnings] == [
            f"The file is damaged: at {clock_time(at)}" for at in own
        ]


def test_damage_after_the_last_frame_is_on_the_last_chunk() -> None:
    """Bytes after the last frame that are not frames have a warning on the last chunk."""
    *others, last = chunks_of(FRAME * 1000 + random_bytes(40_000), 8)
    assert warnings_of(others) == []
    (warning,) = last.warnings
    assert warning.startswith(f"The file is damaged: at {clock_time(1000 * FRAME_SECONDS)}, about 2.5 s")


def test_warnings_about_damage_are_bounded() -> None:
    """A stream that is damaged everywhere has a few warnings with their places, and one with the number of all."""
    data = b"".join(FRAME * 80 + bytes(len(FRAME) * 20) for _ in range(40))
    warnings = warnings_of(chunks_of(data, 10))
    assert len([warning for warning in warnings if "damaged: at" in warning]) == MAX_DAMAGES_NAMED
    assert [warning for warning in warnings if "places" in warning] == [
        f"The file is damaged in 40 places; only the first {MAX_DAMAGES_NAMED} are named."
    ]


def test_damage_that_is_too_short_is_not_counted() -> None:
    """The number of damaged places is that of the places long enough to be named."""
    long_ones = dict.fromkeys(range(80, 2000, 160), 0.6)
    short_ones = dict.fromkeys(range(160, 2000, 160), 0.3)
    warnings = warnings_of(chunks_of(frames_with_damage(2000, long_ones | short_ones), 10))
    assert len(long_ones) == len(short_ones) == 12
    assert len(warnings) == MAX_DAMAGES_NAMED + 1
    assert warnings[-1] == "The file is damaged in 12 places; only the first 10 are named."


@cache
def noise() -> bytes:
    """Three minutes of M4A, with its index at the start."""
    samples = np.random.default_rng(1).normal(0, 6000, 180 * SAMPLE_RATE_HZ).astype(np.int16)
    return encode(samples, "ipod", "aac", bit_rate=64_000, options={"movflags": "+faststart"})


def with_broken_packets(data: bytes, spans: list[tuple[float, float]]) -> bytes:
    """M4A in which the packets that play within the spans, each a start and a length in seconds, are not AAC."""
    broken = bytearray(data)
    with av.open(BytesIO(data), "r", format="mov") as container:
        for packet in container.demux(container.streams.audio[0]):
            seconds = float((packet.pts or 0) * (packet.time_base or Fraction(0)))
            if packet.size and any(start <= seconds < start + length for start, length in spans):
                assert packet.pos is not None
                broken[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    return bytes(broken)


def test_short_damage_of_decoded_audio_is_not_counted() -> None:
    """Of audio that is decoded, too, the number of damaged places is that of those long enough to be named."""
    one_packet = 1024 / SAMPLE_RATE_HZ
    long_ones = [(start, 0.5) for start in range(3, 150, 12)]
    short_ones = [(start + 6.2, one_packet) for start, _ in long_ones]
    assert one_packet < SYLLABLE_SECONDS
    warnings = warnings_of(chunks_of(with_broken_packets(noise(), long_ones + short_ones), 300))
    assert len(long_ones) == 13
    assert len(warnings) == MAX_DAMAGES_NAMED + 1
    assert warnings[-1] == "The file is damaged in 13 places; only the first 10 are named."


@pytest.mark.parametrize("chunk_seconds", [300, 10])
def test_damage_in_several_packets_is_one(chunk_seconds: float) -> None:
    """Packets that fail within five seconds are one damage of their chunk, although decoding is ahead of the cut."""
    data = with_broken_packets(noise(), [(12.9, 0.3), (15.5, 0.3)])
    chunks = chunks_of(data, chunk_seconds)
    assert not any(12.9 < chunk.span.end_seconds < 16 for chunk in chunks)
    assert warnings_of(chunks) == ["The file is damaged between 0:12 and 0:16; words may be missing there."]


def test_damage_that_a_chunk_ends_in_is_on_that_chunk() -> None:
    """A cut in the silence that stands for damaged packets leaves the warning on the chunk where the damage begins."""
    first, *others = chunks_of(with_broken_packets(noise(), [(11.5, 4)]), 10)
    assert 11.5 < first.span.end_seconds < 15.5
    assert first.warnings == ("The file is damaged between 0:11 and 0:16; words may be missing there.",)
    assert warnings_of(others) == []


def test_warnings_are_in_the_order_of_the_recording() -> None:
    """Damage is named in the order of its times, and at the end how much of the file is missing."""
    whole = frames_with_damage(3000, {200: 1.0, 800: 1.0, 1400: 1.0})
    first = bytearray(FRAME)
    first[36:52] = struct.pack(">4sIII", b"Xing", 3, 3000, len(FRAME) + len(whole))
    warnings = warnings_of(chunks_of(bytes(first) + truncated(whole, share=0.6), 10))
    times = [clock_time(number * FRAME_SECONDS) for number in (201, 801, 1401)]
    assert [warning.split(",")[0].split(": its")[0] for warning in warnings] == [
        *(f"The file is damaged: at {time}" for time in times),
        "The file is cut off",
    ]


@pytest.mark.parametrize(
    ("describe", "shortest_seconds"), [(lost_frames, NOTICEABLE_SECONDS), (decoding_damage, SYLLABLE_SECONDS)]
)
def test_damage_too_short_to_hide_a_word_has_no_warning(
    describe: Callable[[Span], str | None], shortest_seconds: float
) -> None:
    """Damage is described from the length on in which a word could be missing."""
    assert describe(Span(0, shortest_seconds * 0.99)) is None
    assert describe(Span(0, shortest_seconds)) is not None


moments = st.floats(0, 100)


@given(
    st.lists(st.tuples(moments, st.booleans()), max_size=40).map(sorted),
    st.lists(st.floats(0.1, 90), max_size=12, unique=True).map(sorted),
    st.floats(0, 30),
)
def test_each_damage_is_named_once(damage: list[tuple[float, bool]], cuts: list[float], ahead_seconds: float) -> None:
    """However far finding damage is ahead of cutting, the first ten that matter are named once, each on its chunk."""
    spans = {Span(start, 200): is_long for start, is_long in damage}
    warnings = DamageWarnings(lambda span: str(span.start_seconds) if spans[span] else None)
    found = list(spans)
    expected = [str(span.start_seconds) for span, is_long in spans.items() if is_long]
    named: list[str] = []
    for start, end in zip([0.0, *cuts], [*cuts, 95.0], strict=True):
        there = [span for span in found if span.start_seconds < end + ahead_seconds]
        found = found[len(there) :]
        of_chunk = warnings.within(Span(start, end), there)
        assert all(start <= float(text) < end for text in of_chunk)
        named += of_chunk
    assert warnings.within(Span(95, 95), found) == ()
    rest = list(warnings.rest())
    if len(expected) > MAX_DAMAGES_NAMED:
        assert rest.pop() == f"The file is damaged in {len(expected)} places; only the first 10 are named."
    assert named + rest == expected[:MAX_DAMAGES_NAMED]
