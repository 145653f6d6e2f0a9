"""Levels: what is silent, and where somebody speaks, by the loudness of windows of a twentieth of a second."""

from array import array

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.long_recordings import real_speech
from support.recordings import recording

from emulator.recognisers.markers import SAMPLE_RATE_HZ, Samples
from transcriber.audio.loudness import SILENCE_DECIBELS, WINDOW_SECONDS, Loudness, LoudnessMeter, decibels


def levels_of(
    samples: Samples, *, sample_rate_hz: int = SAMPLE_RATE_HZ, channels: int = 1, block: int = 7001
) -> Loudness:
    meter = LoudnessMeter(sample_rate_hz=sample_rate_hz, channels=channels)
    whole = array("h", samples.astype("<i2").tobytes())
    for start in range(0, len(whole), block):
        meter.feed(whole[start : start + block])
    meter.finish()
    return meter.take(len(meter.peaks))


def noise(dbfs: float, seconds: float = 30.0) -> Samples:
    loudness = 32768 * 10 ** (dbfs / 20)
    values = np.random.default_rng(1).standard_normal(int(seconds * SAMPLE_RATE_HZ)) * loudness
    samples: Samples = np.clip(np.rint(values), -32768, 32767).astype(np.int16)
    return samples


def spoken(dbfs_change: float = 0.0) -> Samples:
    """A short sentence, its peak at -10 dBFS before it is changed."""
    samples = np.frombuffer(recording("austen-0880.wav")[44:], np.int16).astype(float)
    loudest = np.abs(samples).max()
    values: Samples = np.rint(samples / loudest * 32768 * 10 ** ((dbfs_change - 10) / 20)).astype(np.int16)
    return values


@pytest.mark.parametrize("dbfs", [-70, -60, -50, -36, -20])
def test_hiss_is_steady(dbfs: float) -> None:
    """Steady noise has no word in it, be it as good as none or that of a poor microphone."""
    levels = levels_of(noise(dbfs))
    assert levels.is_steady
    assert not levels.is_clear
    assert levels.speech == ()
    assert levels.speech_seconds == 0


def test_nothing_has_no_sound() -> None:
    """Neither no sound at all nor digital silence, nor the last bit of it, has a word in it."""
    assert Loudness([], WINDOW_SECONDS).is_nothing
    assert levels_of(np.zeros(SAMPLE_RATE_HZ, np.int16)).is_nothing
    assert levels_of((np.arange(SAMPLE_RATE_HZ) % 7 == 0).astype(np.int16)).is_nothing
    assert not levels_of(spoken(-60)).is_nothing


@pytest.mark.parametrize("offset", [-20_000, 300, 20_000])
@pytest.mark.parametrize("hertz", [50, 60])
def test_offset_and_hum_hide_no_speech(offset: int, hertz: int) -> None:
    """Speech as quiet as -40 dBFS shows over an offset of any size, and over a mains hum that is as loud."""
    speech = spoken(-30).astype(int)
    still = np.zeros(3 * SAMPLE_RATE_HZ, int)
    hum = 300 * np.sin(2 * np.pi * hertz * np.arange(len(speech) + len(still)) / SAMPLE_RATE_HZ)
    whole = np.concatenate([still, speech])
    assert levels_of((whole + offset).astype(np.int16)).is_clear
    assert levels_of((np.zeros(len(whole)) + offset).astype(np.int16)).is_nothing
    with_hum = levels_of((whole + hum).astype(np.int16))
    assert not with_hum.is_steady
    assert with_hum.speech[0].start_seconds > 2.5


@pytest.mark.parametrize("position_seconds", [0.0, 10.0, 29.4])
@pytest.mark.parametrize("noise_dbfs", [-90, -60, -50])
def test_single_word_in_noise_is_heard(noise_dbfs: float, position_seconds: float) -> None:
    """One word in half a minute of noise is no silence, wherever it is, and speech is found where it is said."""
    whole = noise(noise_dbfs)
    word = spoken()[8_000:16_000]
    start = int(position_seconds * SAMPLE_RATE_HZ)
    whole[start : start + len(word)] += word
    levels = levels_of(whole)
    assert not levels.is_steady
    assert 0.1 < levels.speech_seconds < 1
    assert all(position_seconds - 0.1 <= span.start_seconds for span in levels.speech)
    assert all(span.end_seconds <= position_seconds + 0.6 for span in levels.speech)


@pytest.mark.parametrize("change", [0, -20, -30, -40, -50])
def test_quiet_speech_is_never_silent(change: float) -> None:
    """Whispering far from a microphone without noise, with peaks down to -60 dBFS, is no silence."""
    assert levels_of(spoken(change)).is_clear


def test_clicks_are_no_speech() -> None:
    """Two quiet knocks in silence are no word; nor are they, louder, any speech."""
    whole = noise(-70)
    whole[100_000:100_200] = 400
    whole[300_000:300_200] = -400
    assert levels_of(whole).is_steady
    whole[100_000:100_200] = 20_000
    assert levels_of(whole).speech == ()


@pytest.mark.parametrize("noise_dbfs", [None, -60, -45])
def test_speech_is_found_where_it_is(noise_dbfs: float | None) -> None:
    """Of read sentences each is found, and no pause between them is taken for one."""
    long = real_speech(2, seed=4, noise_dbfs=noise_dbfs)
    speech = levels_of(long.samples).speech
    for sentence in long.sentences:
        middle = [
            s for s in speech if s.start_seconds < sentence.end_seconds and s.end_seconds > sentence.start_seconds
        ]
        assert sum(span.duration_seconds for span in middle) > 0.5 * (sentence.end_seconds - sentence.start_seconds)
    found = sum(span.duration_seconds for span in speech)
    said = sum(sentence.end_seconds - sentence.start_seconds for sentence in long.sentences)
    assert 0.7 * said < found < 1.05 * said


@settings(deadline=None)
@given(
    st.lists(st.integers(-32768, 32767), min_size=1, max_size=5000),
    st.integers(1, 700),
    st.sampled_from([(8_000, 1), (11_025, 2), (16_000, 1), (44_100, 2)]),
)
def test_blocks_make_no_difference(values: list[int], block: int, kind: tuple[int, int]) -> None:
    """However the samples come, the windows and their levels are the same, and cover all of them."""
    rate_hz, channels = kind
    samples = np.array(values, np.int16)
    once = levels_of(samples, sample_rate_hz=rate_hz, channels=channels, block=len(values))
    again = levels_of(samples, sample_rate_hz=rate_hz, channels=channels, block=block)
    assert once == again
    seconds = len(values) / (rate_hz * channels)
    assert seconds <= len(once.decibels) * once.window_seconds < seconds + WINDOW_SECONDS
    assert all(SILENCE_DECIBELS <= level <= 0 for level in once.decibels)


def test_decibels_are_of_full_scale() -> None:
    """Full scale is 0, half of it 6 less, and nothing at all is below what 16 bits hold."""
    assert decibels(32768) == 0
    assert decibels(16384) == pytest.approx(-6.02, abs=0.01)
    assert decibels(0) == SILENCE_DECIBELS <= decibels(1)


@pytest.mark.parametrize("channel", [0, 1])
def test_either_side_of_stereo_is_heard(channel: int) -> None:
    """Somebody who speaks into one microphone only is heard, whichever it is."""
    sides = np.zeros((len(spoken()), 2), np.int16)
    sides[:, channel] = spoken()
    assert levels_of(sides.reshape(-1), channels=2).is_clear
