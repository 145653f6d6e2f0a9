"""Tests of the files that are no recordings: they have no sound in them, or less, or far more, than they seem."""

import io
from collections.abc import Callable
from functools import cache

import av
import pytest
from av.error import FFmpegError
from support.damaged_files import OddFile, bombs, no_recordings, overwritten, truncated, without, zeroed
from support.encoding import decode
from support.kinds import kinds

from emulator.recognisers.marker_reader import LOST_WORD, MarkerRecogniser
from emulator.recognisers.markers import sentence_samples, vocabulary

WRITTEN = list(vocabulary()[3::25])
SAMPLES = sentence_samples(WRITTEN)


@cache
def whole(name: str) -> bytes:
    (kind,) = (kind for kind in kinds() if kind.name == name)
    return kind.make(SAMPLES)


def seconds_of(data: bytes) -> float:
    """How much sound any player finds, without decoding it."""
    with av.open(io.BytesIO(data), "r") as container:
        stream = container.streams.audio[0]
        length = sum(packet.duration or 0 for packet in container.demux(stream))
        return float(length * (stream.time_base or 0))


@pytest.mark.parametrize("file", no_recordings(), ids=str)
def test_there_is_no_sound(file: OddFile) -> None:
    """No player gets a sample out of it."""
    try:
        assert len(decode(file.data)) == 0
    except (FFmpegError, IndexError):  # the latter where there is no such stream
        return


@pytest.mark.parametrize("file", bombs(), ids=str)
def test_bomb_is_small_outside(file: OddFile) -> None:
    """Less than 100 kB hold, or claim, more hours than anybody may send."""
    assert len(file.data) < 100_000
    assert seconds_of(file.data) == pytest.approx(36_000, rel=0.01) or b"WAVE" in file.data[:12]


@pytest.mark.parametrize("damage", [zeroed, overwritten, without, truncated])
@pytest.mark.parametrize("name", ["MP3 CBR 128", "AAC (ADTS)", "Ogg with Opus", "WAV s16", "M4A, moov at the start"])
def test_damage_loses_words_and_makes_none_up(name: str, damage: Callable[[bytes], bytes]) -> None:
    """Some words are lost, the first third is whole, and no word is there that was not."""
    heard = MarkerRecogniser().recognise(io.BytesIO(damage(whole(name))))
    words = [word for word in heard.text.lower().replace(".", "").split() if word != LOST_WORD]
    rest = iter(WRITTEN)
    assert all(word in rest for word in words)
    assert len(WRITTEN) / 3 <= len(words) < len(WRITTEN)
    assert words[: len(WRITTEN) // 3] == WRITTEN[: len(WRITTEN) // 3]
