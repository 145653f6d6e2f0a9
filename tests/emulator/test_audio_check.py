"""Tests of which uploads the emulated APIs accept as audio."""

import io
import math
import struct

import av
import numpy as np
import pytest
from support.recordings import recording, silence

from emulator.audio_check import MAX_AUDIO_BYTES, AudioRefusedError, accept_audio

RATE_HZ = 48_000
HEADER_BYTES = 44


def encoded(container: str, codec: str) -> bytes:
    """A second of a tone."""
    file = io.BytesIO()
    wave = np.sin(np.arange(RATE_HZ) * 2 * math.pi * 440 / RATE_HZ)
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=RATE_HZ)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray((wave * 20_000).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize(
    ("audio", "container", "duration_seconds"),
    [
        pytest.param(recording("jfk.wav"), "wav", 11.0, id="WAV"),
        pytest.param(recording("jfk.mp3"), "mp3", 11.0, id="MP3"),
        pytest.param(silence(2.0, channels=2), "wav", 2.0, id="stereo"),
        pytest.param(silence(2.0, sample_rate_hz=44_100), "wav", 2.0, id="44.1 kHz"),
        pytest.param(encoded("wav", "pcm_alaw"), "wav", 1.0, id="A-law"),
        pytest.param(silence(MAX_AUDIO_BYTES / 32_000)[:MAX_AUDIO_BYTES], "wav", 819.2, id="25 MiB"),
    ],
)
def test_wav_and_mp3_are_taken(audio: bytes, container: str, duration_seconds: float) -> None:
    """WAV and MP3, mono or stereo, of any rate, are accepted, and their length is right to a tenth of a second."""
    accepted = accept_audio(audio)
    assert (accepted.container, accepted.data) == (container, audio)
    assert accepted.duration_seconds == pytest.approx(duration_seconds, abs=0.1)


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        pytest.param(encoded("flac", "flac"), "flac", id="FLAC"),
        pytest.param(encoded("ogg", "libopus"), "opus in ogg", id="Ogg Opus"),
        pytest.param(encoded("mp4", "aac"), "aac in mov,mp4,m4a", id="M4A"),
        pytest.param(encoded("mp2", "mp2"), "mp2", id="MPEG layer 2"),
        pytest.param(silence(1.0, channels=3), "3 channels", id="three channels"),
        pytest.param(silence(0.0), "no samples", id="WAV header alone"),
        pytest.param(b"", "not audio", id="nothing"),
        pytest.param(b"It was a bright cold day in April. " * 100, "not audio", id="text"),
        pytest.param(b'{"not": "audio"}', "not audio", id="JSON"),
        pytest.param(silence(1.0) + bytes(MAX_AUDIO_BYTES), "at most 26214400", id="over 25 MiB"),
        pytest.param(silence(61.0, sample_rate_hz=1_000), "at most 60 s", id="too long"),
    ],
)
def test_anything_else_is_refused(audio: bytes, message: str) -> None:
    """Other containers and codecs, more channels, no samples, and too much audio are refused with the reason."""
    with pytest.raises(AudioRefusedError, match=message):
        accept_audio(audio, max_duration_seconds=60.0)


@pytest.mark.parametrize("claim", [0, 0xFFFFFFFF], ids=["zero", "the largest"])
def test_length_is_that_of_the_samples(claim: int) -> None:
    """A WAV whose header was never completed, as from a streaming recorder, has the length of its samples."""
    audio = bytearray(silence(2.0))
    struct.pack_into("<I", audio, HEADER_BYTES - 4, claim)
    assert accept_audio(bytes(audio)).duration_seconds == pytest.approx(2.0, abs=0.1)
