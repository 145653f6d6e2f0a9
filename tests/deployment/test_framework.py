"""The framework's run: bounded in time, in a folder of its own."""

import os
from pathlib import Path

import pytest
from support.deployments import (
    CONFIGURATION,
    FILES,
    PROJECT_ID,
    SECRET_KEY,
    TIMEOUT_SECONDS,
    archive_of,
    environment_for,
    needs_node,
)
from support.functions_api import functions_api

from deploy_tools.errors import DeploymentError
from deploy_tools.framework import deploy_archive
from deploy_tools.node import find_node, install_tools


@needs_node()
@pytest.mark.timeout(TIMEOUT_SECONDS)
def test_function_that_is_never_ready(tmp_path: Path) -> None:
    """A deployment that does not end is ended, and is a failed one."""
    archive = archive_of(FILES, tmp_path / "function.zip")
    install_tools()
    with functions_api(token=SECRET_KEY, project_id=PROJECT_ID) as api:
        api.outcome = ("pending", None)
        with pytest.raises(DeploymentError, match="not done after 8 s"):
            deploy_archive(
                archive,
                CONFIGURATION,
                node=find_node(),
                environment=environment_for(api),
                secrets=(SECRET_KEY,),
                timeout_seconds=8,
            )


def test_configuration_without_a_service(tmp_path: Path) -> None:
    """A file that names no service is no configuration."""
    archive = archive_of(FILES, tmp_path / "function.zip")
    (tmp_path / "empty.yml").write_text("functions: {}\n")
    with pytest.raises(DeploymentError, match="names no service"):
        deploy_archive(archive, tmp_path / "empty.yml", node="node", environment=os.environ, secrets=())
