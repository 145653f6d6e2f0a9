"""Times that depend on each other: the time limit, the function's timeout, and the queue's visibility timeout."""

import re
from pathlib import Path

import pytest
import yaml
from support.deployments import CONFIGURATION, ROOT

from transcriber.jobs.leases import LEASE_MARGIN_MINUTES
from transcriber.settings import DEFAULT_TIME_LIMIT_SECONDS

# What the platform ends a request after where no timeout is set.
PLATFORM_TIMEOUT_SECONDS = 300
# Time for the answer between the time limit and the timeout.
ANSWER_SECONDS = 10

FUNCTION = yaml.safe_load(CONFIGURATION.read_text())["functions"]["transcribe"]
TIMEOUT_SECONDS = int(FUNCTION["timeout"].removesuffix("s"))
TIME_LIMIT_SECONDS = int(FUNCTION["env"]["TIME_LIMIT"])
ELSEWHERE = {".venv", ".cache", "node_modules"}
READMES = sorted(path for path in ROOT.rglob("README.md") if ELSEWHERE.isdisjoint(path.parts))


def test_function_answers_before_it_is_stopped() -> None:
    """The time limit ends a request ten seconds before the platform does, as deployed and by default."""
    assert TIME_LIMIT_SECONDS + ANSWER_SECONDS <= TIMEOUT_SECONDS
    assert DEFAULT_TIME_LIMIT_SECONDS + ANSWER_SECONDS <= PLATFORM_TIMEOUT_SECONDS


def test_lease_outlasts_the_request() -> None:
    """The lease of a recording ends after the platform has stopped its request, and not before."""
    assert TIME_LIMIT_SECONDS + 60 * LEASE_MARGIN_MINUTES > TIMEOUT_SECONDS


@pytest.mark.parametrize("path", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_visibility_timeout_outlasts_the_function(path: Path) -> None:
    """Every visibility timeout in a README is over the function's timeout: else a message is delivered twice."""
    text = " ".join(path.read_text().split())
    named = [int(seconds) for seconds in re.findall(r"visibility timeout[^.]{0,40}?(\d+) s\b", text)]
    assert all(seconds > TIMEOUT_SECONDS for seconds in named)
    if path.parent.name == "deploy_tools":
        assert named


@pytest.mark.parametrize("path", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_readmes_name_the_times_that_are_deployed(path: Path) -> None:
    """A README that names the deployed timeout or time limit names the one of serverless.yml."""
    text = path.read_text()
    assert {int(seconds) for seconds in re.findall(r"\btimeout=(\d+)s", text)} <= {TIMEOUT_SECONDS}
    assert {int(seconds) for seconds in re.findall(r"function's `timeout` of (\d+) s", text)} <= {TIMEOUT_SECONDS}
    assert {int(s) for s in re.findall(r"(?:TIME_LIMIT=|deployed with )(\d+)", text)} <= {TIME_LIMIT_SECONDS}
