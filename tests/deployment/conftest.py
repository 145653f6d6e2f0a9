"""The tools that deploy, for all tests of this folder."""

import pytest
from support.deployments import reason_to_skip
from support.shared import one_at_a_time

from deploy_tools.node import install_tools


@pytest.fixture(scope="session", autouse=True)
def tools() -> None:
    """Have them installed by one process of the run: two would be in each other's way."""
    if reason_to_skip() is None:
        with one_at_a_time("npm"):
            install_tools()
