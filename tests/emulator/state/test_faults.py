"""Tests of the orders for the platform's faults."""

from typing import Any

import pytest
from pydantic import ValidationError

from emulator.state.faults import PlatformFault, PlatformFaultKind, PlatformFaults
from emulator.state.platform_state import FaultState


def order(**fields: Any) -> PlatformFault:
    return PlatformFault.model_validate(fields)


def test_an_order_strikes_so_often_and_no_more() -> None:
    """`count` requests are struck, those of its kind and trigger alone; then it is gone."""
    faults = PlatformFaults()
    faults.add(order(fault="kill", count=2, trigger="queue"))
    assert faults.take(PlatformFaultKind.LOSE, "queue") is None
    assert faults.take(PlatformFaultKind.KILL, "http") is None
    assert faults.take(PlatformFaultKind.KILL, "queue") is not None
    assert faults.states() == (FaultState("kill", 1, 1.0),)
    assert faults.take(PlatformFaultKind.KILL, "queue") is not None
    assert faults.take(PlatformFaultKind.KILL, "queue") is None
    assert faults.states() == ()


def test_an_order_without_end_strikes_until_it_is_cleared() -> None:
    """`count` of `None` never runs out."""
    faults = PlatformFaults()
    faults.add(order(fault="lose", count=None))
    assert all(faults.take(PlatformFaultKind.LOSE, "http") for _ in range(100))
    faults.clear()
    assert faults.take(PlatformFaultKind.LOSE, "http") is None


def test_a_share_is_drawn_by_the_seed() -> None:
    """The same seed strikes the same requests, another one others, and the share is about what was asked for."""

    def struck(seed: int) -> list[bool]:
        faults = PlatformFaults()
        faults.add(order(fault="double", count=None, share=0.2, seed=seed))
        return [faults.take(PlatformFaultKind.DOUBLE, "queue") is not None for _ in range(1000)]

    assert struck(1) == struck(1) != struck(2)
    assert 150 < sum(struck(1)) < 250


def test_a_kill_is_within_its_seconds() -> None:
    """The moments of kills lie between the start and `seconds`, and are not all the same."""
    faults = PlatformFaults()
    faults.add(order(fault="kill", count=None, seconds=2.0))
    effects = [faults.take(PlatformFaultKind.KILL, "http") for _ in range(100)]
    moments = [effect.kill_after_seconds for effect in effects if effect is not None]
    assert len(set(moments)) > 1
    assert 0 <= min(moments) < 0.5
    assert 1.5 < max(moments) <= 2


@pytest.mark.parametrize(
    "fields",
    [
        {"fault": "melt"},
        {"fault": "kill", "count": 0},
        {"fault": "kill", "share": 0},
        {"fault": "kill", "status": 500},
        {"fault": "lose", "seconds": 1.0},
        {"fault": "lose", "status": 200},
        {"fault": "double", "trigger": "http"},
        {"fault": "kill", "often": True},
    ],
)
def test_an_order_that_makes_no_sense(fields: dict[str, Any]) -> None:
    """An unknown kind or field, a count or share of nothing, and what does not fit the kind are refused."""
    with pytest.raises(ValidationError):
        order(**fields)
