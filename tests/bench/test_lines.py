"""The table's arithmetic."""

import pytest

from bench_suite.lines import CPU, MEMORY, WALL, Line, Summary, Target
from bench_suite.table import render
from bench_suite.work import Contender

SAMPLES = {Contender.SEED: (4.0, 2.0, 9.0), Contender.OURS: (1.0, 3.0, 0.5)}


def test_medians_spread_and_ratios() -> None:
    """A line sums its samples up by the median and the extremes, and compares medians."""
    line = Line("a-row", WALL, SAMPLES, computed_limit=0.8)
    assert line.summary(Contender.SEED) == Summary(median=4.0, least=2.0, most=9.0)
    assert line.ours_to_seed == 0.25
    assert line.ours_to_limit == 1.25


def test_floor_is_the_limit_where_none_is_computed() -> None:
    """What plain sockets took is the limit only where theory gives none."""
    samples = SAMPLES | {Contender.FLOOR: (0.5, 0.4, 0.9)}
    assert Line("a-row", WALL, samples).limit == 0.5
    assert Line("a-row", WALL, samples, computed_limit=0.8).limit == 0.8
    assert Line("a-row", WALL, SAMPLES).limit is None


@pytest.mark.parametrize(
    ("target", "is_met"),
    [
        pytest.param(Target(0.25, "seed"), True, id="just met"),
        pytest.param(Target(0.24, "seed"), False, id="missed"),
        pytest.param(Target(1.05, "limit"), False, id="of the limit"),
        pytest.param(Target(1.0, "unit"), True, id="a number"),
        pytest.param(None, None, id="none"),
    ],
)
def test_target(target: Target | None, is_met: bool | None) -> None:  # noqa: FBT001 # a parameter of a table
    """A target is a multiple of the seed's or of the limit, or a number, and a median on it meets it."""
    assert Line("a-row", WALL, SAMPLES, computed_limit=0.8, target=target).is_met is is_met


def test_target_of_a_limit_that_is_unknown_is_missed() -> None:
    """Nothing counts as met for want of something to compare with."""
    assert Line("a-row", WALL, SAMPLES, target=Target(1.05, "limit")).is_met is False


def test_table() -> None:
    """The table has a row for each line, with what was found, and says in words which target is missed."""
    missed = Line("a-row", WALL, SAMPLES, computed_limit=0.8, target=Target(1.05, "limit"))
    met = Line("another", MEMORY, {Contender.OURS: (2.0,)}, target=Target(4, "unit"))
    bare = Line("bare", CPU, {Contender.SEED: (1.0,)})
    rows = [line.split("  ") for line in render([missed, met, bare]).splitlines()]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert cells[2] == [
        *("a-row", "wall, s", "4.000 (2.000 to 9.000)", "-", "1.000 (0.500 to 3.000)"),
        *("0.800", "0.250", "1.250", "<= 1.05 x limit", "NO"),
    ]
    assert cells[3] == ["another", "memory, MiB", "-", "-", "2.0 (2.0 to 2.0)", "-", "-", "-", "<= 4 MiB", "yes"]
    assert cells[4] == ["bare", "CPU, s", "1.000 (1.000 to 1.000)", "-", "-", "-", "-", "-"]
