"""The deployment: the framework and Scaleway's plugin themselves, by scripts/deploy, to an API on loopback."""

import json
import shutil
import ssl
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from support.deployments import (
    ACCESS_TOKEN,
    API_KEY,
    CONFIGURATION,
    FILES,
    PROJECT_ID,
    ROOT,
    SECRET_KEY,
    TIMEOUT_SECONDS,
    archive_of,
    deploy,
    environment_for,
    needs_node,
    with_triggers,
)
from support.functions_api import FunctionsApi, functions_api

from deploy_tools.node import OSLS, find_node, install_tools

pytestmark = [needs_node(), pytest.mark.timeout(TIMEOUT_SECONDS)]

PLAIN_VARIABLES = {
    "GENERATIVE_API_URL": "https://api.scaleway.ai/v1",
    "MODELS": "whisper-large-v3,voxtral-small-24b-2507",
    "MAX_AUDIO_MB": "500",
    "MAX_AUDIO_MINUTES": "300",
    "TIME_LIMIT": "890",
    "CHUNK_MINUTES": "5",
    "PARALLEL_CALLS": "8",
    "LOG_LEVEL": "info",
    "S3_ENDPOINT": "https://s3.fr-par.scw.cloud",
    "S3_REGION": "fr-par",
    "OUTPUT_PREFIX": "transcripts/",
    "JOB_DAYS": "7",
}
FUNCTION = {
    "name": "transcribe",
    "runtime": "python311",
    "handler": "handler.handle",
    "description": "Turns audio into text with Generative APIs",
    "memory_limit": 256,
    "min_scale": 0,
    "max_scale": 20,
    "timeout": "900s",
    "sandbox": "v2",
    "privacy": "private",
    "http_option": "redirected",
    "environment_variables": PLAIN_VARIABLES,
}


@pytest.fixture
def api() -> Iterator[FunctionsApi]:
    with functions_api(token=SECRET_KEY, project_id=PROJECT_ID) as running:
        yield running


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return archive_of(FILES, tmp_path / "function.zip")


@pytest.fixture
def triggered(tmp_path: Path) -> Path:
    """The configuration with its triggers enabled."""
    path = tmp_path / "triggered.yml"
    path.write_text(with_triggers(CONFIGURATION.read_text()))
    return path


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FunctionsApi, Path, str]]:
    """An API after one deployment with all secrets set, the archive, and what was printed."""
    archive = archive_of(FILES, tmp_path_factory.mktemp("first") / "function.zip")
    with functions_api(token=SECRET_KEY, project_id=PROJECT_ID) as api:
        done = deploy("--archive", archive, environment=environment_for(api, ACCESS_TOKEN=ACCESS_TOKEN))
        assert done.returncode == 0, done.stdout
        yield api, archive, done.stdout


def test_first_deployment(first: tuple[FunctionsApi, Path, str]) -> None:
    """A namespace and a function with every field are made, and the given archive is uploaded byte for byte."""
    api, archive, printed = first
    assert "https://transcribe.functions.example" in printed
    (namespace,) = api.namespaces.values()
    assert (namespace["name"], namespace["project_id"]) == ("transcriber", PROJECT_ID)
    created = dict(api.sent("POST", "/functions")[0])
    secrets = created.pop("secret_environment_variables")
    assert created == FUNCTION | {"namespace_id": namespace["id"]}
    assert {secret["key"]: secret["value"] for secret in secrets} == {
        "GENERATIVE_API_KEY": API_KEY,
        "ACCESS_TOKEN": ACCESS_TOKEN,
    }
    assert list(api.deployed.values()) == [archive.read_bytes()]
    assert (api.crons, api.triggers) == ({}, {})


def test_secrets_travel_as_secrets_only(first: tuple[FunctionsApi, Path, str]) -> None:
    """The function's secrets are in one request, in the field for secrets; no secret is in what is printed."""
    api, _, printed = first
    for secret in (API_KEY, ACCESS_TOKEN):
        carriers = [entry for entry in api.received if secret in json.dumps(entry.body, default=repr) + entry.path]
        assert [(entry.method, entry.path) for entry in carriers] == [("POST", "/functions")]
        (body,) = (dict(entry.body) for entry in carriers)
        assert secret in json.dumps(body.pop("secret_environment_variables"))
        assert secret not in json.dumps(body)
    for secret in (API_KEY, ACCESS_TOKEN, SECRET_KEY):
        assert secret not in printed


def test_second_deployment_changes_only_what_changed(api: FunctionsApi, tmp_path: Path) -> None:
    """Nothing is made twice; of the secrets, the changed one alone is sent, and one that is gone is taken away."""
    first, second = (archive_of(FILES | {"handler.py": text}, tmp_path / f"{text!r}.zip") for text in (b"1", b"2"))
    for archive, variables, changed in (
        (first, {"ACCESS_TOKEN": ACCESS_TOKEN}, None),
        (first, {"ACCESS_TOKEN": ACCESS_TOKEN}, []),
        (second, {"ACCESS_TOKEN": "another"}, [{"key": "ACCESS_TOKEN", "value": "another"}]),
        (second, {"LOG_LEVEL": "debug"}, [{"key": "ACCESS_TOKEN", "value": None}]),
    ):
        api.received.clear()
        done = deploy("--archive", archive, environment=environment_for(api, **variables))
        assert done.returncode == 0, done.stdout
        assert list(api.deployed.values()) == [archive.read_bytes()]
        if changed is None:
            continue
        assert not {("POST", "/namespaces"), ("POST", "/functions")} & {(e.method, e.path) for e in api.received}
        (update,) = api.sent("PATCH", "/functions/")
        assert update.pop("secret_environment_variables") == changed
        assert update.pop("redeploy") is False
        plain = PLAIN_VARIABLES | {name: value for name, value in variables.items() if name in PLAIN_VARIABLES}
        expected = FUNCTION | {"environment_variables": plain}
        assert {"name": "transcribe"} | update == expected
    (secrets,) = api.secrets.values()
    assert secrets == {"GENERATIVE_API_KEY": API_KEY}


def test_triggers(api: FunctionsApi, archive: Path, triggered: Path) -> None:
    """The schedule and the queue arrive with their inputs, and there is one of each after a second deployment, too."""
    for _ in range(2):
        done = deploy("--archive", archive, "--config", triggered, environment=environment_for(api))
        assert done.returncode == 0, done.stdout
        (function_id,) = api.functions
        (cron,) = api.crons.values()
        assert {name: value for name, value in cron.items() if name != "id"} == {
            "function_id": function_id,
            "schedule": "0,5,10,15,20,25,30,35,40,45,50,55 * * * *",
            "args": {"sweep": {"bucket": "recordings", "prefix": "incoming/"}},
        }
        (trigger,) = api.triggers.values()
        assert {name: value for name, value in trigger.items() if name != "id"} == {
            "function_id": function_id,
            "name": "uploads",
            "scw_sqs_config": {"queue": "uploads", "mnq_project_id": PROJECT_ID, "mnq_region": "fr-par"},
        }


@pytest.mark.parametrize("refused", ["POST /namespaces", "POST /functions", "POST /crons"])
def test_refusal_of_the_api(api: FunctionsApi, archive: Path, triggered: Path, refused: str) -> None:
    """What the API refuses ends the deployment as failed, with its reason, less the secrets that the reason quotes."""
    api.refusals[refused] = (409, f"not like this: {API_KEY} of {SECRET_KEY}")
    done = deploy("--archive", archive, "--config", triggered, environment=environment_for(api))
    assert done.returncode == 1
    assert "not like this: […] of […]" in done.stdout
    assert done.stdout.endswith("The deployment failed; what the framework said is above.\n")
    for hidden in (API_KEY, SECRET_KEY, "X-Auth-Token"):
        assert hidden not in done.stdout


def test_function_that_does_not_start(api: FunctionsApi, archive: Path) -> None:
    """A function that the platform finds wrong after the upload is a failed deployment."""
    api.outcome = ("error", "the image could not be made")
    done = deploy("--archive", archive, environment=environment_for(api))
    assert done.returncode == 1
    assert "the image could not be made" in done.stdout


def test_certificate_is_verified(archive: Path, tmp_path: Path) -> None:
    """An API with an untrusted certificate gets no request, and so no key; with a trusted one, it is deployed to."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with functions_api(token=SECRET_KEY, project_id=PROJECT_ID, tls=tls) as api:
        refused = deploy("--archive", archive, environment=environment_for(api))
        assert refused.returncode == 1
        assert "certificate" in refused.stdout
        assert api.received == []
        trusting = environment_for(api, NODE_EXTRA_CA_CERTS=str(tmp_path / "authority.pem"))
        done = deploy("--archive", archive, environment=trusting)
        assert done.returncode == 0, done.stdout
        assert list(api.deployed.values()) == [archive.read_bytes()]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what deploys, whose `scripts/build` a test writes itself."""
    folder = tmp_path / "tree"
    ignored = shutil.ignore_patterns("node_modules", "__pycache__")
    for name in ("scripts/deploy_tools", "scripts/build_archive", "transcriber"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy(CONFIGURATION, folder)
    install_tools()
    (folder / "scripts" / "deploy_tools" / "node_modules").symlink_to(OSLS.parents[2])
    return folder


def write_build(tree: Path, script: str) -> None:
    build = tree / "scripts" / "build"
    build.write_text(f"#!/bin/sh\n{script}\n")
    build.chmod(0o755)


def test_what_is_built_is_deployed(api: FunctionsApi, archive: Path, tree: Path) -> None:
    """Without an archive given, one is built, and that is what is uploaded."""
    write_build(tree, f'[ "$1" = --output ] && cp {archive} "$2"')
    done = deploy(environment=environment_for(api), tree=tree)
    assert done.returncode == 0, done.stdout
    assert list(api.deployed.values()) == [archive.read_bytes()]


def test_failing_build(api: FunctionsApi, tree: Path) -> None:
    """When the build fails, its reason is shown, and nothing is sent."""
    write_build(tree, "echo there is no wheel for this; exit 1")
    done = deploy(environment=environment_for(api), tree=tree)
    assert (done.returncode, api.received) == (1, [])
    assert done.stdout == "there is no wheel for this\nscripts/build failed, so nothing was deployed.\n"


def test_framework_packs_the_function_and_nothing_else(tmp_path: Path) -> None:
    """Run by itself in the repository, the framework packs what the function is made of, whatever else lies there."""
    libraries = {"package/dependency.libs/libdependency.so": b"", "package/dependency/compiled.so": b""}
    others = {
        ".env": b"",
        ".venv/a.py": b"",
        "tests/a.py": b"",
        "requirements.txt": b"",
        "function.zip": b"",
        "a.mp3": b"",
    }
    for name, content in (FILES | libraries | others).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    shutil.copy(CONFIGURATION, tmp_path)
    (tmp_path / "scripts" / "deploy_tools").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "deploy_tools" / "careful.cjs", tmp_path / "scripts" / "deploy_tools")
    install_tools()
    with functions_api(token=SECRET_KEY, project_id=PROJECT_ID) as api:
        done = subprocess.run(  # noqa: S603 # the tools that are locked
            [find_node(), str(OSLS), "package"],
            cwd=tmp_path,
            env=environment_for(api),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / ".serverless" / "transcriber.zip") as packed:
        assert set(packed.namelist()) == set(FILES | libraries)
