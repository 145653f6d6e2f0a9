"""Mutated files of every kind end in chunks or in an error of ours, within the memory of a small function."""

import pytest
from support.file_fuzzing import failures

# `python tests/support/file_fuzzing.py --count 200000` tries as many as there is time for.
COUNT = 60
MORE = 2_000


@pytest.mark.timeout(300)
def test_mutated_files_end_well() -> None:
    """No crash, no hang, no error that is not ours, with the address space limited."""
    assert list(failures(0, COUNT, seed=1)) == []


@pytest.mark.long
@pytest.mark.timeout(3_000)
def test_many_mutated_files_end_well() -> None:
    """The same, of many."""
    assert list(failures(COUNT, MORE, seed=1)) == []
