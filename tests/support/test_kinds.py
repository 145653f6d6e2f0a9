"""Tests of the test material: each kind of file is what it says, and holds the whole sound."""

import io

import numpy as np
import pytest
from support.encoding import decode
from support.kinds import Kind, kinds

from emulator.recognisers.marker_reader import MarkerRecogniser
from emulator.recognisers.markers import SAMPLE_RATE_HZ, sentence_samples, silence_samples, vocabulary

WRITTEN = list(vocabulary()[7::90])
SAMPLES = np.concatenate([silence_samples(0.6), sentence_samples(WRITTEN), silence_samples(0.6)])


@pytest.mark.parametrize("kind", kinds(), ids=str)
def test_kind_holds_the_whole_sound(kind: Kind) -> None:
    """Decoded, each is as long as what went in, within 0.2 s; its words are read, and lossless ones are exact."""
    data = kind.make(SAMPLES)
    sound = decode(data)
    assert len(sound) / SAMPLE_RATE_HZ == pytest.approx(len(SAMPLES) / SAMPLE_RATE_HZ, abs=0.2)
    if kind.is_exact:
        assert np.array_equal(sound, SAMPLES)
    heard = MarkerRecogniser().recognise(io.BytesIO(data))
    assert heard.text.lower().rstrip(".").split() == WRITTEN


def test_names_are_different() -> None:
    """No two kinds have the same name, and there are kinds enough."""
    names = [kind.name for kind in kinds()]
    assert len(set(names)) == len(names) > 50
