"""WAV headers: written, and read again, in however many pieces they come."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.wav_files import UNKNOWN_SIZE, extensible_format, odd_list, wav_file

from emulator.recognisers.markers import silence_samples
from transcriber.audio.wav import PLAIN_HEADER_BYTES, WavLayout, header, is_wav, read_layout
from transcriber.errors import UnsupportedAudioError

SAMPLES = silence_samples(1)

plain_layouts = st.builds(
    lambda channels, rate, frames: WavLayout(
        is_plain=True,
        channels=channels,
        sample_rate_hz=rate,
        bytes_per_second=rate * channels * 2,
        data_start=PLAIN_HEADER_BYTES,
        data_bytes=frames * channels * 2,
    ),
    st.sampled_from((1, 2)),
    st.integers(8_000, 48_000),
    st.integers(1, 10**6),
)


@settings(deadline=None)
@given(plain_layouts)
def test_header_says_what_was_written(layout: WavLayout) -> None:
    """A header that is read is the layout that it was made of."""
    written = header(layout)
    assert is_wav(written)
    assert len(written) == PLAIN_HEADER_BYTES
    assert read_layout(written) == layout


@settings(deadline=None)
@given(st.integers(0, 43))
def test_part_of_a_header_asks_for_more(size: int) -> None:
    """As long as the samples have not begun, nothing is known, and that is no error."""
    assert read_layout(wav_file(SAMPLES)[:size]) is None


@pytest.mark.parametrize(("fmt", "before"), [(extensible_format(), b""), (b"", odd_list())])
def test_chunks_before_the_samples(fmt: bytes, before: bytes) -> None:
    """The long form of the format is plain, and a chunk of odd length is passed with its padding."""
    data = wav_file(SAMPLES, fmt=fmt, before=before)
    layout = read_layout(data)
    assert layout is not None
    assert layout.is_plain
    assert layout.data_start == len(data) - 2 * len(SAMPLES)


def test_what_is_right_and_what_is_missing() -> None:
    """A header is right if its samples are there; how much is missing is told in seconds."""
    size = 44 + 32_000
    right, long, open_ended = (
        read_layout(wav_file(SAMPLES, data_size_bytes=claimed)) for claimed in (32_000, 96_000, UNKNOWN_SIZE)
    )
    assert right is not None
    assert long is not None
    assert open_ended is not None
    assert [layout.is_right(size) for layout in (right, long, open_ended)] == [True, False, False]
    assert [layout.missing_seconds(size) for layout in (right, long, open_ended)] == [0, 2, 0]
    assert not right.is_right(None)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_header_is_read_or_refused(data: bytes) -> None:
    """Whatever follows the first twelve bytes, it is a layout with a rate, or not yet one, or an error of ours."""
    try:
        layout = read_layout(b"RIFF\x00\x00\x00\x00WAVE" + data)
    except UnsupportedAudioError:
        return
    assert layout is None or layout.bytes_per_second > 0
