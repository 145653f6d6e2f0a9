"""Levels: whatever speech there is is sent, at a level that models are used to, and nothing is sent of noise alone."""

from itertools import product

import numpy as np
import pytest
from support.cutting import bytes_of, chunks_of
from support.encoding import decode
from support.levels import FORMATS, NOISES, Format, Sound, file_of, gain, in_stillness, likeness, noise, speech

from emulator.recognisers.markers import SAMPLE_RATE_HZ
from transcriber.chunks.chunk import Chunk

NAME = "austen-0930.wav"
LOUD_ENOUGH_DBFS = -20.0


def sent(data: bytes, chunk_seconds: float = 300) -> list[Chunk]:
    return [chunk for chunk in chunks_of(data, chunk_seconds) if not chunk.is_silent]


def peak_dbfs(chunk: Chunk) -> float:
    return float(20 * np.log10(np.abs(decode(bytes_of(chunk)).astype(float)).max() / 32768))


@pytest.mark.parametrize("dbfs", [-20, -60, -66, -80])
@pytest.mark.parametrize("name", FORMATS)
def test_quiet_speech_is_sent_as_loud_as_other_speech(name: str, dbfs: float) -> None:
    """Speech whose peak is as low as -80 dBFS is sent, raised and recognisable; -66 dBFS where 16 bits hold no less."""
    if dbfs < -66 and name == "WAV 16 bit":
        pytest.skip("16 bits hold three steps of it")
    sound = in_stillness(speech(NAME, peak_dbfs=dbfs))
    (chunk,) = sent(file_of(sound, FORMATS[name]))
    assert peak_dbfs(chunk) > min(LOUD_ENOUGH_DBFS, dbfs + 60) - 3
    rate_hz = 8_000 if "8 kHz" in name else SAMPLE_RATE_HZ
    expected = sound[:: SAMPLE_RATE_HZ // rate_hz]
    # There is the codec's noise as well, most of it Opus's; at 8 kHz, the comparison itself has aliases.
    assert likeness(decode(bytes_of(chunk), rate_hz=rate_hz), expected) > (0.5 if name == "Opus" else 0.75)
    assert chunk.loudness.speech_seconds > 0.5


@pytest.mark.parametrize("name", ["WAV 16 bit", "MP3 32"])
def test_loud_files_stay_as_they_are(name: str) -> None:
    """What models take as it is, is sent to the bit, whether it passes through or is cut."""
    data = file_of(np.concatenate([speech("jfk.wav", peak_dbfs=-12)] * 4), FORMATS[name])
    (whole,) = sent(data)
    assert bytes_of(whole) == data
    parts = sent(data, 15)
    assert len(parts) > 1
    assert all(bytes_of(part)[100:5000] in data for part in parts)


@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize(("dbfs", "name"), [*product([-20, -40, -70], ["WAV 16 bit", "WAV float", "MP3 64", "M4A"])])
def test_nothing_is_sent_of_noise(kind: str, name: str, dbfs: float) -> None:
    """Steady noise of any colour, hum and an offset are not sent, however loud or quiet they are."""
    if (kind, name, dbfs) == ("offset", "M4A", -20):
        pytest.skip("of a loud offset, AAC's encoder makes sound that is not steady")
    assert sent(file_of(noise(kind, 40, peak_dbfs=dbfs), FORMATS[name])) == []


@pytest.mark.parametrize("name", ["WAV 16 bit", "MP3 32"])
def test_nothing_is_sent_of_a_quarter_of_an_hour_of_noise(name: str) -> None:
    """The longest run of noise that looks like a word does not look so in fifteen minutes, either."""
    assert sent(file_of(noise("pink", 900, peak_dbfs=-30, seed=7), FORMATS[name])) == []


@pytest.mark.parametrize("name", ["WAV 16 bit", "WAV 24 bit", "MP3 64", "M4A", "Opus"])
@pytest.mark.parametrize(("kind", "over_noise"), [("white", 6), ("pink", 6), ("brown", 0), ("hum", 0), ("offset", 0)])
@pytest.mark.parametrize("dbfs", [-20, -50])
def test_speech_in_noise_is_sent(name: str, kind: str, over_noise: float, dbfs: float) -> None:
    """A sentence in noise that is nearly as loud is sent; so is one under a hum or an offset of the same size."""
    whole = noise(kind, 20, peak_dbfs=dbfs - over_noise)
    sentence = speech(NAME, peak_dbfs=dbfs)
    whole[100_000 : 100_000 + len(sentence)] += sentence
    (chunk,) = sent(file_of(whole, FORMATS[name]))
    # So an empty answer is in doubt, whatever the level.
    assert chunk.loudness.speech_seconds >= 0.5


@pytest.mark.parametrize("name", ["WAV 16 bit", "FLAC 24 bit", "MP3 64", "M4A"])
def test_short_word_in_long_silence_is_sent(name: str) -> None:
    """Half a second of speech in two minutes of a quiet room is sent."""
    whole = noise("pink", 120, peak_dbfs=-62)
    whole[1_000_000:1_008_000] += speech("austen-0880.wav", peak_dbfs=-40)[8_000:16_000]
    assert len(sent(file_of(whole, FORMATS[name]))) == 1


@pytest.mark.parametrize("name", ["WAV 16 bit", "WAV 24 bit", "MP3 64", "M4A"])
def test_speaker_beside_a_louder_one_is_sent(name: str) -> None:
    """A speaker 40 dB quieter than another is sent: raised in a chunk of its own, and kept in one with the other."""
    loud, quiet = (in_stillness(speech("jfk.wav", peak_dbfs=dbfs), before=1, after=1) for dbfs in (-8, -48))
    first, second = sent(file_of(np.concatenate([loud, quiet]), FORMATS[name]), 13)
    assert peak_dbfs(first) > -10
    assert peak_dbfs(second) > LOUD_ENOUGH_DBFS
    assert likeness(decode(bytes_of(second)), quiet) > 0.75
    both = sent(file_of(np.concatenate([loud, quiet * gain(14)]), FORMATS[name]))
    assert sum(chunk.duration_seconds for chunk in both) > 25


def whispered(sound: Sound) -> Sound:
    """The sound without a voice: its phases are random, its spectrum over time is the same."""
    dice = np.random.default_rng(3)
    size, step = 512, 128
    window = np.hanning(size)
    out = np.zeros(len(sound) + size)
    for start in range(0, len(sound) - size, step):
        spectrum = np.abs(np.fft.rfft(sound[start : start + size] * window))
        part = np.fft.irfft(spectrum * np.exp(2j * np.pi * dice.random(len(spectrum))))
        out[start : start + size] += part * window
    whole: Sound = out[: len(sound)] / np.abs(out).max()
    return whole


@pytest.mark.parametrize("name", ["WAV 16 bit", "WAV float", "MP3 64", "Opus"])
def test_whispering_is_sent(name: str) -> None:
    """Speech without a voice, at -50 dBFS in the noise of a room, is sent."""
    whole = noise("pink", 15, peak_dbfs=-64)
    whispering = whispered(speech("jfk.wav")) * gain(-50)
    whole[20_000 : 20_000 + len(whispering)] += whispering
    assert len(sent(file_of(whole, FORMATS[name]))) == 1


STEREO = {
    "WAV 16 bit": FORMATS["WAV 16 bit"],
    "MP3 joint": Format("mp3", "libmp3lame", 44_100, 96_000),
    "MP3 two sides": Format("mp3", "libmp3lame", 44_100, 96_000, {"joint_stereo": "0"}),
    "M4A": FORMATS["M4A"],
    "Opus": FORMATS["Opus"],
    "FLAC 24 bit": FORMATS["FLAC 24 bit"],
}


@pytest.mark.parametrize("name", STEREO)
@pytest.mark.parametrize("chunk_seconds", [300, 15])
@pytest.mark.parametrize(("right", "dbfs"), [(-1.0, -6), (-0.7, -6), (-1.0, -50)])
def test_inverted_side_cancels_nothing(name: str, chunk_seconds: float, right: float, dbfs: float) -> None:
    """A side that is inverted, also one that is quieter, takes no word away, in files that would pass through, too."""
    sound = np.concatenate([in_stillness(speech("jfk.wav", peak_dbfs=dbfs))] * 2)
    found = sent(file_of(np.stack([sound, right * sound], 1), STEREO[name]), chunk_seconds)
    mono = np.concatenate([decode(bytes_of(chunk)) for chunk in found])
    assert likeness(mono, sound) > 0.9
    assert max(map(peak_dbfs, found)) > LOUD_ENOUGH_DBFS


@pytest.mark.parametrize("name", ["WAV 16 bit", "MP3 joint", "MP3 two sides"])
@pytest.mark.parametrize("right", [1.0, 0.5, 0.0])
def test_sides_that_add_up_pass_through(name: str, right: float) -> None:
    """Stereo whose sides do not cancel each other out is sent to the bit."""
    sound = speech("jfk.wav", peak_dbfs=-6)
    data = file_of(np.stack([sound, right * sound], 1), STEREO[name])
    (chunk,) = sent(data)
    assert bytes_of(chunk) == data


@pytest.mark.parametrize(
    ("layout", "container", "codec"),
    [("5.1", "wav", "pcm_s16le"), ("5.1", "flac", "flac"), ("5.1", "ipod", "aac"), ("quad", "wav", "pcm_s24le")],
)
@pytest.mark.parametrize("inverted", [0, 1])
def test_inverted_microphone_cancels_nothing(layout: str, container: str, codec: str, inverted: int) -> None:
    """Of several microphones, one of two with the same voice may be inverted."""
    sound = in_stillness(speech("jfk.wav", peak_dbfs=-6))
    columns = np.zeros((len(sound), 6 if layout == "5.1" else 4))
    columns[:, 0] = columns[:, 1] = sound
    columns[:, inverted] *= -1
    (chunk,) = sent(file_of(columns, Format(container, codec, 48_000), layout=layout))
    assert likeness(decode(bytes_of(chunk)), sound) > 0.9
