"""Cut points: all of a recording is in chunks, each as long as it may be, and cuts lie in pauses."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from transcriber.chunks.cut_points import ChunkLimits, PendingUnits, next_cut, quietest

LOUD, QUIET = -20.0, -70.0
UNIT_SECONDS = 0.05


def cuts_of(levels: list[float], plan: ChunkLimits, *, unit_seconds: float, fitting: int, arriving: int) -> list[int]:
    """The units of each chunk, of a recording that arrives in pieces of this many units."""
    sizes: list[int] = []
    begun = there = 0
    while begun < len(levels):
        at_end = there == len(levels)
        waiting = PendingUnits(there - begun, unit_seconds, fitting, _part(levels, begun, there))
        units = next_cut(waiting, plan, at_end=at_end)
        if units is None:
            assert not at_end
            there = min(len(levels), there + arriving)
            continue
        sizes.append(units)
        begun += units
    return sizes


def _part(levels: list[float], begun: int, there: int) -> Callable[[int, int], list[float]]:
    return lambda first, last: levels[begun:there][first:last]


plans = st.builds(ChunkLimits, st.floats(0.5, 60))


@settings(deadline=None)
@given(
    st.lists(st.floats(-96, 0), min_size=1, max_size=600),
    plans,
    st.floats(0.01, 0.1),
    st.integers(1, 1000),
    st.integers(1, 700),
)
def test_chunks_cover_everything_once(
    levels: list[float], plan: ChunkLimits, unit_seconds: float, fitting: int, arriving: int
) -> None:
    """Whatever the loudness, chunks are never empty, cover all units once, and keep the limits."""
    sizes = cuts_of(levels, plan, unit_seconds=unit_seconds, fitting=fitting, arriving=arriving)
    assert sum(sizes) == len(levels)
    assert min(sizes) >= 1
    assert max(sizes) <= max(1, min(fitting, int(plan.longest_seconds / unit_seconds)))


@settings(deadline=None)
@given(
    st.lists(st.floats(-96, 0), min_size=1, max_size=600),
    plans,
    st.integers(1, 1000),
    st.integers(1, 700),
    st.integers(1, 700),
)
def test_cuts_are_the_same_however_it_comes(
    levels: list[float], plan: ChunkLimits, fitting: int, arriving: int, otherwise: int
) -> None:
    """Where cuts are depends on the recording, and not on how fast it arrives."""
    first = cuts_of(levels, plan, unit_seconds=UNIT_SECONDS, fitting=fitting, arriving=arriving)
    assert first == cuts_of(levels, plan, unit_seconds=UNIT_SECONDS, fitting=fitting, arriving=otherwise)


@settings(deadline=None)
@given(st.floats(8, 60), st.data())
def test_pause_near_the_due_place_is_where_the_cut_is(chunk_seconds: float, data: st.DataObject) -> None:
    """The only pause of half a second within the search is where the cut is, wherever in it."""
    plan = ChunkLimits(chunk_seconds)
    units = int(chunk_seconds * 3 / UNIT_SECONDS)
    due, search = int(chunk_seconds / UNIT_SECONDS), int(plan.search_seconds / UNIT_SECONDS)
    pause = data.draw(st.integers(due - search + 12, due + search - 22), label="where the pause begins")
    levels = [QUIET if pause <= unit < pause + 10 else LOUD for unit in range(units)]
    first = cuts_of(levels, plan, unit_seconds=UNIT_SECONDS, fitting=units, arriving=100)[0]
    assert pause < first < pause + 10


def test_long_pause_wins_over_a_short_one() -> None:
    """Between sentences rather than between words."""
    levels = [LOUD] * 100
    levels[20:23] = [QUIET] * 3
    levels[70:85] = [QUIET] * 15
    assert 72 < quietest(levels, 5, 95, level_seconds=UNIT_SECONDS) < 83


def test_short_pause_wins_over_none() -> None:
    """Between words rather than within one."""
    levels = [LOUD] * 100
    levels[20:23] = [QUIET] * 3
    assert 20 < quietest(levels, 5, 95, level_seconds=UNIT_SECONDS) < 23


def test_cut_is_in_the_middle_of_a_pause() -> None:
    """As far as can be from the words on either side."""
    levels = [LOUD] * 100
    levels[40:60] = [QUIET] * 20
    assert quietest(levels, 5, 95, level_seconds=UNIT_SECONDS) == 50


@settings(deadline=None)
@given(st.lists(st.floats(-96, 0), max_size=300), st.integers(0, 300), st.integers(0, 300), st.floats(0.01, 0.1))
def test_quietest_place_is_between_its_bounds(levels: list[float], one: int, other: int, level_seconds: float) -> None:
    """Whatever the levels, the border is from the first allowed to the last, which may be the same."""
    first, last = sorted((one, other))
    assert first <= quietest(levels, first, last, level_seconds=level_seconds) <= last


def test_remainder_is_no_scrap() -> None:
    """What is a little longer than a chunk may be becomes two of about the same length."""
    plan = ChunkLimits(60)
    longest = int(plan.longest_seconds / UNIT_SECONDS)
    sizes = cuts_of([LOUD] * (longest + 20), plan, unit_seconds=UNIT_SECONDS, fitting=10**6, arriving=500)
    assert len(sizes) == 2
    assert min(sizes) > longest // 3


@settings(deadline=None)
@given(st.floats(0.1, 3600))
def test_plan_keeps_to_the_limit_of_a_call(chunk_seconds: float) -> None:
    """No chunk is longer than a call takes, whatever is set."""
    plan = ChunkLimits(chunk_seconds)
    assert min(chunk_seconds, 1800) <= plan.longest_seconds <= 1800
    assert plan.rest_seconds < plan.search_seconds <= chunk_seconds / 4
