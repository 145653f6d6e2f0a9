"""The first frames of MP3: they tell the length where it can be told, as real encoders write it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.encoding import encode
from support.mp3_files import id3v2_with_cover

from emulator.recognisers.markers import Samples, sentence_samples, vocabulary
from transcriber.audio import mp3

SAMPLES: Samples = sentence_samples(vocabulary()[5::50])
SECONDS = len(SAMPLES) / 16_000
NO_XING = {"write_xing": "0", "id3v2_version": "0"}
VBR = {"flags": "+qscale", "global_quality": "472"}


def layout_of(**options: Any) -> tuple[mp3.Mp3Layout, int]:
    data = encode(SAMPLES, "mp3", "libmp3lame", **options)
    start = mp3.tag_bytes(data)
    layout = mp3.read_layout(data[start : start + mp3.EXAMINED_BYTES], offset=start)
    assert layout is not None
    return layout, len(data)


@pytest.mark.parametrize("options", [None, NO_XING])
@pytest.mark.parametrize(
    ("rate_hz", "bit_rate"), [(8_000, 16_000), (22_050, 48_000), (44_100, 64_000), (48_000, 320_000)]
)
def test_length_at_a_constant_rate(rate_hz: int, bit_rate: int, options: dict[str, str] | None) -> None:
    """With a word on it and without, the length is that of the sound, to within the encoder's padding."""
    layout, size = layout_of(rate_hz=rate_hz, bit_rate=bit_rate, options=options)
    assert layout.duration_seconds(size) == pytest.approx(SECONDS, abs=0.25)
    assert layout.sample_rate_hz == rate_hz
    assert layout.is_plain
    assert layout.missing_seconds(size) == 0


def test_length_at_a_variable_rate() -> None:
    """It stands in the first frame, or is not known."""
    stated, size = layout_of(rate_hz=44_100, codec_options=VBR)
    assert stated.duration_seconds(size) == pytest.approx(SECONDS, abs=0.1)
    silent, size = layout_of(rate_hz=44_100, codec_options=VBR, options=NO_XING)
    assert not silent.has_constant_rate
    assert silent.duration_seconds(size) is None


def test_half_of_a_stated_stream() -> None:
    """Of a file that was cut in half, half is there and half is missing, by its own word."""
    layout, size = layout_of(rate_hz=44_100, bit_rate=64_000)
    assert layout.duration_seconds(size // 2) == pytest.approx(SECONDS / 2, abs=0.2)
    assert layout.missing_seconds(size // 2) == pytest.approx(SECONDS / 2, abs=0.2)


def test_tag_is_as_long_as_it_says() -> None:
    """A tag with a picture ends where the frames begin, whatever in the picture looks like one."""
    tag = id3v2_with_cover(10_000)
    assert mp3.tag_bytes(tag + b"\xff\xfb") == len(tag)
    assert mp3.tag_bytes(b"\xff\xfb" * 10) == 0


@settings(deadline=None)
@given(st.binary(max_size=3000))
def test_any_bytes_are_frames_or_not(data: bytes) -> None:
    """Whatever the bytes, there is no error; a layout has frames within them, and a rate."""
    layout = mp3.read_layout(data, offset=0)
    assert layout is None or (layout.bytes_per_second > 0 and layout.frames_start < len(data))


def test_bytes_that_all_look_like_frames_end() -> None:
    """Frame headers everywhere, of which no three fit each other, are looked at once each."""
    assert mp3.read_layout(b"\xff\xfb\x90\x00\xff\xf3\x10\x00" * 4096, offset=0) is None
