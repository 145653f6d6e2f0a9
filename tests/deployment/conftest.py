"""The tools that deploy, and an account to deploy to, for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.deployments import FILES, archive_of, reason_to_skip
from support.guarded_storage import GuardedStorage, empty, guarded_storage
from support.pipelines import World, world
from support.shared import one_at_a_time

from deploy_tools.node import install_tools


@pytest.fixture(scope="session", autouse=True)
def tools() -> None:
    """Have them installed by one process of the run: two would be in each other's way."""
    if reason_to_skip() is None:
        with one_at_a_time("npm"):
            install_tools()


@pytest.fixture(scope="module")
def storage() -> Iterator[GuardedStorage]:
    with guarded_storage() as running:
        yield running


@pytest.fixture
def here(storage: GuardedStorage, tmp_path: Path) -> Iterator[World]:
    """An account with nothing in it, and nothing in the environment but its key and project."""
    empty(storage)
    with world(storage, archive_of(FILES, tmp_path / "function.zip")) as made:
        yield made
