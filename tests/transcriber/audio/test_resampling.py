"""Resampling: whatever frames come, all of their sound is in the samples."""

from array import array
from collections.abc import Iterable
from itertools import pairwise

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcriber.audio.resampling import BLOCK_SECONDS, Resampler
from transcriber.errors import UnsupportedAudioError

RATE_HZ = 16_000
LOUD = 16_000
# Three milliseconds: of frames that are shorter, nothing comes out.
FILTER_SAMPLES = 48


def frame_of(channels: np.ndarray[tuple[int, int], np.dtype[np.int16]], rate_hz: int, layout: str) -> av.AudioFrame:
    """A frame of such samples, a row for each channel."""
    frame = av.AudioFrame.from_ndarray(channels.T.reshape(1, -1).copy(), format="s16", layout=layout)
    frame.sample_rate = rate_hz
    return frame


def tone(seconds: float, rate_hz: int = RATE_HZ) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """A hum of 220 Hz."""
    return (LOUD * np.sin(2 * np.pi * 220 * np.arange(round(seconds * rate_hz)) / rate_hz)).astype(np.int16)


def resampled(frames: Iterable[av.AudioFrame]) -> list["array[int]"]:
    resampler = Resampler(RATE_HZ)
    return [*(block for frame in frames for block in resampler.resample(frame)), *resampler.rest()]


@given(st.lists(st.tuples(st.integers(1, 9000), st.sampled_from([(8_000, 1), (16_000, 1), (44_100, 2)])), max_size=30))
def test_no_sound_is_lost_whatever_frames_come(shapes: list[tuple[int, tuple[int, int]]]) -> None:
    """Frames of any lengths, whose rate and channels may change at any of them, come out as long as they are."""
    frames = [
        frame_of(np.zeros((channels, samples), np.int16), rate_hz, "mono" if channels == 1 else "stereo")
        for samples, (rate_hz, channels) in shapes
    ]
    seconds = sum(samples / rate_hz for samples, (rate_hz, _) in shapes)
    # Where the kind of frames changes, the filter may keep what is shorter than itself.
    tolerance = FILTER_SAMPLES * (1 + sum(a[1] != b[1] for a, b in pairwise(shapes)))
    assert sum(map(len, resampled(frames))) == pytest.approx(seconds * RATE_HZ, abs=tolerance)


def test_samples_are_the_same_as_those_of_one_frame() -> None:
    """The borders of frames are not heard: what comes in pieces comes out as what comes whole."""
    sound = tone(5.0, 44_100)
    pieces = [frame_of(sound[None, first : first + 1024], 44_100, "mono") for first in range(0, len(sound), 1024)]
    blocks = resampled(pieces)
    assert (
        np.concatenate(blocks).tolist() == np.concatenate(resampled([frame_of(sound[None], 44_100, "mono")])).tolist()
    )
    assert {len(block) for block in blocks[:-1]} == {round(BLOCK_SECONDS * RATE_HZ)}


def test_many_gaps_do_not_shift_what_follows() -> None:
    """However often there is silence instead of frames, what comes after it is where it belongs, to a millisecond."""
    resampler, samples, frame_samples = Resampler(RATE_HZ), 0, 441
    for index in range(500):
        frame = frame_of(np.zeros((1, frame_samples), np.int16), 44_100, "mono")
        samples += sum(map(len, resampler.silence(index * 0.3)))
        assert samples == pytest.approx(index * 0.3 * RATE_HZ, abs=FILTER_SAMPLES)
        samples += sum(map(len, resampler.resample(frame)))


@pytest.mark.parametrize("channels", [3, 4, 6, 8, 9, 20, 64])
def test_each_microphone_is_heard(channels: int) -> None:
    """Who speaks into one of many microphones is heard, whichever it is, and as loud as at any other."""
    sound = tone(0.5)
    for speaking in {0, 1, 3 % channels, channels - 1}:
        rows = np.zeros((channels, len(sound)), np.int16)
        rows[speaking] = sound
        samples = np.concatenate(resampled([frame_of(rows, RATE_HZ, f"{channels} channels")]))
        assert max(abs(samples)) == pytest.approx(LOUD / channels, rel=0.02, abs=2), speaking


@pytest.mark.parametrize(("left", "right"), [(1, 1), (1, 0), (0, 1), (1, -1)])
@pytest.mark.parametrize("layout", ["stereo", "2 channels"])
def test_nothing_in_stereo_cancels_out(left: int, right: int, layout: str) -> None:
    """What is on both sides, on one of them, or on one the wrong way round, is heard, and never louder than it is."""
    sound = tone(0.5)
    rows = np.stack([left * sound, right * sound])
    samples = np.concatenate(resampled([frame_of(rows, RATE_HZ, layout)]))
    assert 0.19 * LOUD < max(abs(samples)) < 1.01 * LOUD


def test_channels_of_a_film_keep_their_places() -> None:
    """Of a film's six channels, whose places are known, the middle one is louder in the mix than those behind."""
    peaks = []
    for speaking in (2, 4):
        rows = np.zeros((6, 8_000), np.int16)
        rows[speaking] = tone(0.5)
        peaks.append(max(abs(np.concatenate(resampled([frame_of(rows, RATE_HZ, "5.1")])))))
    assert peaks[0] > 1.2 * peaks[1] > 0


def test_too_many_channels_are_refused() -> None:
    """More channels than can be mixed are an error that says how many there are, and what to do."""
    with pytest.raises(UnsupportedAudioError, match=r"65 channels.*save it as stereo or mono"):
        resampled([frame_of(np.zeros((65, 100), np.int16), RATE_HZ, "65 channels")])
