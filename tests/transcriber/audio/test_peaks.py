"""Peaks: what many groups of samples reach, told at once."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcriber.audio.peaks import peaks

LOWEST, HIGHEST = -32768, 32767
SAMPLES = st.one_of(st.integers(LOWEST, HIGHEST), st.integers(-3, 3), st.sampled_from((LOWEST, HIGHEST)))


@given(st.sampled_from((1, 2, 8, 32)).flatmap(lambda n: st.tuples(st.just(n), st.lists(SAMPLES, max_size=n * 70))))
def test_each_group_has_its_own_peak(case: tuple[int, list[int]]) -> None:
    """The peak of a group is its largest sample, whichever side of zero that is, and no neighbour's."""
    group, values = case
    whole = values[: len(values) // group * group]
    expected = [
        max(value if value >= 0 else -1 - value for value in whole[first : first + group])
        for first in range(0, len(whole), group)
    ]
    assert list(peaks(array("h", whole), group)) == expected


@pytest.mark.parametrize("at", [0, 13, 31])
@pytest.mark.parametrize("sample", [LOWEST, HIGHEST])
def test_full_scale_between_groups_of_silence(at: int, sample: int) -> None:
    """One sample as far from zero as there is makes its group's peak, and leaves both neighbours silent."""
    values = [0] * 32 + [sample if i == at else 0 for i in range(32)] + [0] * 32
    assert list(peaks(array("h", values), 32)) == [0, HIGHEST, 0]
