"""An interrupted run, wherever that happened, is completed by the next: setting up, deploying again, removing."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from support.deployments import FILES, archive_of
from support.guarded_storage import GuardedStorage, empty
from support.pipelines import BUCKET, World, world

from deploy_tools.errors import DeploymentError

# More changes than a run makes, so that a test which is never interrupted is noticed.
MOST_CHANGES = 60
PROJECT_ID = str(uuid4())


def again(here: World) -> None:
    archive_of(FILES | {"handler.py": b"another"}, here.archive)
    here.set_up()


def remove(here: World) -> None:
    here.remove()


def set_up(here: World) -> None:
    here.set_up()


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("before", "act", "is_answer_lost"),
    [
        pytest.param(None, set_up, False, id="from nothing"),
        pytest.param(None, set_up, True, id="from nothing, answers lost"),
        pytest.param(set_up, again, False, id="with another archive"),
        pytest.param(set_up, again, True, id="with another archive, answers lost", marks=pytest.mark.long),
        pytest.param(set_up, remove, False, id="removal"),
        pytest.param(set_up, remove, True, id="removal, answers lost", marks=pytest.mark.long),
    ],
)
def test_each_step(
    storage: GuardedStorage,
    tmp_path: Path,
    before: Callable[[World], None] | None,
    act: Callable[[World], None],
    *,
    is_answer_lost: bool,
) -> None:
    """After an interruption at any change, a run to the end leaves the account as one run without interruption does."""
    expected = after(storage, tmp_path, before, act)
    interruptions = 0
    for number in range(MOST_CHANGES):
        changes_left = number + is_answer_lost
        found, was_interrupted = after_interruption(
            storage, tmp_path, before, act, changes_left, is_answer_lost=is_answer_lost
        )
        assert found == expected, f"interrupted at change {number}"
        interruptions += was_interrupted
        if not was_interrupted:
            break
    assert 10 < interruptions < MOST_CHANGES


def a_world(storage: GuardedStorage, folder: Path) -> Any:
    empty(storage)
    return world(storage, archive_of(FILES, folder / "function.zip"), PROJECT_ID)


def prepare(here: World, before: Callable[[World], None] | None) -> None:
    here.environment["SCW_ACCESS_KEY"] = here.account.own_key()  # so that it need not be found, many times
    if before is not None:
        before(here)


def after(
    storage: GuardedStorage, folder: Path, before: Callable[[World], None] | None, act: Callable[[World], None]
) -> dict[str, Any]:
    """What the account holds after one run."""
    with a_world(storage, folder) as here:
        prepare(here, before)
        act(here)
        found: dict[str, Any] = here.snapshot()
        return found


def after_interruption(
    storage: GuardedStorage,
    folder: Path,
    before: Callable[[World], None] | None,
    act: Callable[[World], None],
    changes_left: int,
    *,
    is_answer_lost: bool,
) -> tuple[dict[str, Any], bool]:
    """What the account holds after a run that ends after so many changes, and a second one; whether it was ended."""
    with a_world(storage, folder) as here:
        prepare(here, before)
        here.account.changes_left, here.account.is_answer_lost = changes_left, is_answer_lost
        with suppress(DeploymentError):
            act(here)
        was_interrupted = here.account.changes_left == -1
        here.account.go_on()
        act(here)
        return here.snapshot(), was_interrupted


def test_interruption_by_hand(here: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Keys that an interrupted run made and did not use are removed by the next, and named by their access keys."""
    here.set_up()
    here.account.changes_left = 5
    archive_of(FILES | {"handler.py": b"another"}, here.archive)
    with pytest.raises(DeploymentError):
        here.set_up()
    here.account.go_on()
    unused = set(here.account.api_keys)
    here.set_up()
    printed = capsys.readouterr().out
    gone = unused - set(here.account.api_keys)
    assert gone
    assert all(f"removed a key that is not used: {access_key}" in printed for access_key in gone)
    assert here.snapshot()["buckets"].keys() == {BUCKET}
