"""Tests of a minute's limit in its three forms."""

import math
from typing import get_args

import pytest

from emulator.generative.minute import MinuteForm, new_limit

FORMS: tuple[MinuteForm, ...] = get_args(MinuteForm)


@pytest.mark.parametrize("form", FORMS)
def test_the_whole_limit_fits_at_once(form: MinuteForm) -> None:
    """A new minute holds exactly its limit; afterwards nothing fits, and nothing is left."""
    limit = new_limit(form, 1800, 60)
    assert limit.wait_seconds(1800, 100.0) == 0
    limit.use(1800, 100.0)
    assert limit.used(100.0) == 1800
    assert limit.wait_seconds(1, 100.0) > 0


@pytest.mark.parametrize("form", FORMS)
def test_more_than_the_limit_never_fits(form: MinuteForm) -> None:
    """An amount over the whole limit has no end of its wait."""
    assert new_limit(form, 1800, 60).wait_seconds(1801, 0.0) == math.inf


@pytest.mark.parametrize("form", FORMS)
def test_the_stated_wait_is_enough_and_needed(form: MinuteForm) -> None:
    """An amount fits after the stated wait, and not a moment earlier."""
    limit = new_limit(form, 1800, 60)
    for at in (100.0, 105.0, 110.0):
        limit.use(600, at)
    wait = limit.wait_seconds(700, 112.0)
    assert limit.wait_seconds(700, 112.0 + wait - 0.01) > 0
    assert limit.wait_seconds(700, 112.0 + wait) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_used_after_the_reset(form: MinuteForm) -> None:
    """The use ends at the reset, and not a moment earlier; a minute has a scale."""
    limit = new_limit(form, 1800, 6)
    limit.use(900, 100.0)
    reset = limit.reset_seconds(101.0)
    assert 0 < reset <= 6
    assert limit.used(101.0 + reset - 0.01) > 0
    assert limit.used(101.0 + reset) == 0
    assert limit.reset_seconds(101.0 + reset) == 0


def test_a_fixed_minute_starts_at_whole_minutes() -> None:
    """Two minutes' worth fit within seconds around a whole minute."""
    limit = new_limit("fixed", 1800, 60)
    limit.use(1800, 119.0)
    assert limit.wait_seconds(1800, 119.0) == pytest.approx(1)
    assert limit.wait_seconds(1800, 120.0) == 0


def test_a_sliding_minute_is_any_minute() -> None:
    """Each use comes back a minute after it, by itself."""
    limit = new_limit("sliding", 1800, 60)
    limit.use(1000, 100.0)
    limit.use(800, 130.0)
    assert limit.wait_seconds(1000, 131.0) == pytest.approx(29)
    assert limit.wait_seconds(1001, 131.0) == pytest.approx(59)
    assert limit.used(160.0) == 800


def test_a_bucket_fills_evenly() -> None:
    """What is used comes back at the limit's rate, and a full bucket holds one limit at most."""
    limit = new_limit("token-bucket", 1800, 60)
    limit.use(1800, 0.0)
    assert limit.wait_seconds(300, 0.0) == pytest.approx(10)
    assert limit.used(30.0) == pytest.approx(900)
    assert limit.wait_seconds(1801, 10_000.0) == math.inf
