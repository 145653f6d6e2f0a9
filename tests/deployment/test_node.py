"""Node: a missing or too old one is reported before anything is built or sent."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.deployments import FILES, PROJECT_ID, ROOT, SECRET_KEY, archive_of, deploy, environment_for
from support.functions_api import FunctionsApi, functions_api

from deploy_tools.node import is_supported


@pytest.fixture
def api() -> Iterator[FunctionsApi]:
    with functions_api(token=SECRET_KEY, project_id=PROJECT_ID) as running:
        yield running


def write_command(folder: Path, name: str, says: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\necho {says}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("version", "supported"),
    [
        ("v20.18.3", False),
        ("v20.19.0", True),
        ("v20.20.2", True),
        ("v21.7.0", False),
        ("v22.12.0", False),
        ("v22.13.1", True),
        ("v23.11.0", False),
        ("v24.0.0", True),
        ("v26.1.0", True),
        ("v8.17.0", False),
        ("nothing", False),
    ],
)
def test_versions(version: str, *, supported: bool) -> None:
    """The versions that the tools run on are those that they name, and no others."""
    assert is_supported(version) is supported


def test_lock_names_the_range() -> None:
    """The range known here is the one that the locked framework has."""
    lock = json.loads((ROOT / "scripts" / "deploy_tools" / "package-lock.json").read_text())
    assert lock["packages"]["node_modules/osls"]["engines"]["node"] == "^20.19.0 || ^22.13.0 || >=24"


@pytest.mark.parametrize(
    ("commands", "told"),
    [
        ({}, "Node and npm are needed"),
        ({"node": "v24.0.0"}, "Node and npm are needed"),
        ({"node": "v18.20.0", "npm": "10.0.0"}, "this is v18.20.0"),
    ],
    ids=["no Node", "no npm", "too old"],
)
def test_missing_node(api: FunctionsApi, tmp_path: Path, commands: dict[str, str], told: str) -> None:
    """Without a Node that serves, the message says so and names the ways without it; nothing is sent."""
    for name, says in commands.items():
        write_command(tmp_path, name, says)
    archive = archive_of(FILES, tmp_path / "function.zip")
    done = deploy("--archive", archive, environment=environment_for(api, PATH=str(tmp_path)), tree=ROOT)
    assert (done.returncode, api.received) == (1, [])
    assert told in done.stdout
    assert "console" in done.stdout
