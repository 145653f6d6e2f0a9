"""Files that were joined byte after byte are transcribed whole, also where codec, rate or channels change."""

from functools import cache
from typing import Any

import pytest
from support.cutting import chunks_of, speech, warnings_of
from support.encoding import encode

from emulator.recognisers.markers import SAMPLE_RATE_HZ

FIRST_SECONDS, SECOND_SECONDS = 6, 4
# Container, codec and how to encode the first file; then what is other in the second one.
KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "M4A": ("ipod", "aac", {"rate_hz": 44_100}),
    "M4A, moov at the start": ("ipod", "aac", {"rate_hz": 44_100, "options": {"movflags": "+faststart"}}),
    "M4A in fragments": ("mp4", "aac", {"rate_hz": 44_100, "options": {"movflags": "frag_keyframe+empty_moov"}}),
    "MP4 video": ("mp4", "aac", {"rate_hz": 44_100, "video_codec": "mpeg4"}),
    "AAC (ADTS)": ("adts", "aac", {"rate_hz": 44_100}),
    "FLAC": ("flac", "flac", {}),
    "AIFF": ("aiff", "pcm_s16be", {}),
    "CAF": ("caf", "pcm_s16le", {}),
    "AU": ("au", "pcm_s16be", {}),
    "Flash": ("flv", "aac", {"rate_hz": 44_100}),
    "MPEG-TS": ("mpegts", "aac", {"rate_hz": 44_100}),
    "MPEG-TS with MP2": ("mpegts", "mp2", {"rate_hz": 48_000}),
    "Ogg with Opus": ("ogg", "libopus", {"rate_hz": 48_000}),
    "Ogg with Vorbis": ("ogg", "vorbis", {"rate_hz": 44_100}),
    "Ogg with FLAC": ("ogg", "flac", {}),
    "WebM": ("webm", "libopus", {"rate_hz": 48_000}),
    "Matroska": ("matroska", "aac", {"rate_hz": 44_100}),
    "AVI": ("avi", "libmp3lame", {"rate_hz": 44_100, "video_codec": "mpeg4"}),
    "WMA": ("asf", "wmav2", {"rate_hz": 44_100, "bit_rate": 64_000}),
    "AMR": ("amr", "libopencore_amrnb", {"rate_hz": 8_000, "bit_rate": 12_200}),
}
OTHER = {"libopus": {"channels": 2}, "mp2": {"rate_hz": 32_000, "channels": 2}}
# FFmpeg writes no other rate or channels of these.
ALIKE_ONLY = {"AMR", "WMA"}


@cache
def first_and_second(name: str, *, alike: bool) -> tuple[bytes, bytes]:
    container, codec, options = KINDS[name]
    samples = speech().samples
    end = FIRST_SECONDS * SAMPLE_RATE_HZ
    other = {} if alike else OTHER.get(codec, {"rate_hz": 32_000, "channels": 2})
    first = encode(samples[:end], container, codec, **options)
    return first, encode(
        samples[2 * end : 2 * end + SECOND_SECONDS * SAMPLE_RATE_HZ], container, codec, **{**options, **other}
    )


def check_whole(data: bytes, seconds: float) -> None:
    chunks = chunks_of(data, 300)
    assert chunks[-1].span.end_seconds == pytest.approx(seconds, abs=0.25)
    assert warnings_of(chunks) == []
    assert chunks[0].loudness.speech[-1].end_seconds > seconds - 2


@pytest.mark.parametrize("name", KINDS)
def test_joined_files_are_whole(name: str) -> None:
    """Two files of a kind, one after the other, play as long as both, and nothing is reported as damaged."""
    first, second = first_and_second(name, alike=True)
    check_whole(first + second, FIRST_SECONDS + SECOND_SECONDS)


@pytest.mark.parametrize("name", [name for name in KINDS if name not in ALIKE_ONLY])
def test_joined_files_that_differ_are_whole(name: str) -> None:
    """Rate and channels of the second file are its own, in either order and with a third one."""
    first, second = first_and_second(name, alike=False)
    check_whole(first + second + first, 2 * FIRST_SECONDS + SECOND_SECONDS)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Ogg with Opus", "Ogg with Vorbis"),
        ("Ogg with Vorbis", "Ogg with FLAC"),
        ("MPEG-TS", "MPEG-TS with MP2"),
        ("M4A", "MP4 video"),
        ("M4A", "Ogg with Opus"),
        ("AIFF", "FLAC"),
    ],
)
def test_joined_files_of_other_kinds_are_whole(name: str, other: str) -> None:
    """The second file may have another codec, or another container."""
    (first, _), (_, second) = first_and_second(name, alike=True), first_and_second(other, alike=True)
    check_whole(first + second, FIRST_SECONDS + SECOND_SECONDS)
