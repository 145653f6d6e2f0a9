"""Tests of the platform's faults on demand."""

from typing import Any

import pytest
from pydantic import ValidationError

from emulator.state.faults import PlatformFault, PlatformFaultKind, PlatformFaults
from emulator.state.platform_state import FaultState


def fault(**fields: Any) -> PlatformFault:
    return PlatformFault.model_validate(fields)


def test_a_fault_hits_its_count_of_requests() -> None:
    """A fault hits `count` requests of its kind and trigger, and no others; then it ends."""
    faults = PlatformFaults()
    faults.add(fault(fault="kill", count=2, trigger="queue"))
    assert faults.take(PlatformFaultKind.LOSE, "queue") is None
    assert faults.take(PlatformFaultKind.KILL, "http") is None
    assert faults.take(PlatformFaultKind.KILL, "queue") is not None
    assert faults.states() == (FaultState("kill", 1, 1.0),)
    assert faults.take(PlatformFaultKind.KILL, "queue") is not None
    assert faults.take(PlatformFaultKind.KILL, "queue") is None
    assert faults.states() == ()


def test_a_fault_without_a_count_ends_when_it_is_cleared() -> None:
    """With a `count` of `None`, a fault hits every request until it is cleared."""
    faults = PlatformFaults()
    faults.add(fault(fault="lose", count=None))
    assert all(faults.take(PlatformFaultKind.LOSE, "http") for _ in range(100))
    faults.clear()
    assert faults.take(PlatformFaultKind.LOSE, "http") is None


def test_a_share_is_drawn_by_the_seed() -> None:
    """The same seed hits the same requests, another seed others, and the share is about right."""

    def hits(seed: int) -> list[bool]:
        faults = PlatformFaults()
        faults.add(fault(fault="double", count=None, share=0.2, seed=seed))
        return [faults.take(PlatformFaultKind.DOUBLE, "queue") is not None for _ in range(1000)]

    assert hits(1) == hits(1) != hits(2)
    assert 150 < sum(hits(1)) < 250


def test_a_kill_is_within_its_seconds() -> None:
    """Kills happen at different moments between the start and `seconds`."""
    faults = PlatformFaults()
    faults.add(fault(fault="kill", count=None, seconds=2.0))
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
def test_a_contradictory_fault_is_refused(fields: dict[str, Any]) -> None:
    """An unknown kind or field, a count or share of zero, and fields of another kind are refused."""
    with pytest.raises(ValidationError):
        fault(**fields)
