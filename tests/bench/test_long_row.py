"""Rows of long recordings, measured for real on some minutes of them."""

import pytest

from bench_suite.long_recording import Kind, long_recording
from bench_suite.long_row import CutRow, LongRow
from bench_suite.work import Contender


@pytest.mark.parametrize("kind", Kind)
def test_pieces(kind: Kind) -> None:
    """The pieces of a recording are all of it, from whatever byte on, and it plays as long as it is said to."""
    recording = long_recording(kind, 2)
    whole = b"".join(recording.pieces(0))
    assert len(whole) == recording.size_bytes
    for start in (1, len(recording.head), len(whole) // 2 + 1, len(whole) - 1):
        assert b"".join(recording.pieces(start)) == whole[start:]


@pytest.mark.parametrize("kind", Kind)
def test_request_is_measured(kind: Kind) -> None:
    """A recording of any kind is cut and sent whole, which the row checks, and its lines tell time, CPU and memory."""
    row = LongRow(name="row", kind=kind, minutes=6, real_time_factor=0.001, parallel_calls=2, rounds=1, quick_rounds=1)
    wall, cpu, resident = row.measure(1)
    assert wall.computed_limit is not None
    # The longest chunk plays from three minutes, half of the recording, to five and a half.
    assert 0.18 <= wall.computed_limit <= 0.33
    assert wall.samples[Contender.OURS][0] >= wall.computed_limit
    assert cpu.samples[Contender.OURS][0] > 0
    assert resident.samples[Contender.OURS][0] > 10


def test_cutting_is_measured() -> None:
    """Cutting alone has CPU time and memory."""
    cpu, resident = CutRow(name="row", kind=Kind.MP3, minutes=6, rounds=1, quick_rounds=1).measure(1)
    assert cpu.samples[Contender.OURS][0] > 0
    assert resident.samples[Contender.OURS][0] > 10
