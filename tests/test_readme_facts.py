"""The READMEs: the commands, files, options, settings and rights that they name are those that there are."""

import re
import tomllib
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import pytest
from support.deployments import CONFIGURATION
from support.handling import WHISPER, forget_settings, new_instance
from support.loopback import serve
from support.object_storage import ACCESS_KEY, BUCKET, SECRET_KEY
from support.readme_blocks import README, READMES, ROOT, blocks, first_cells, section, shown_json, steps
from support.serverless_file import read
from support.triggering import TALK, Api, event, post, upload

from bench_suite.rows import ROWS, select
from bench_suite.table import render

MAX_LINES: Final = 200


def test_readme_is_read_in_one_sitting() -> None:
    """The first README has at most 200 lines."""
    assert len(README.read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    """Each link to a file of the repository, and to a heading, has its target."""
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", path.read_text()):
        name, _, heading = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        assert file.exists(), target
        headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE) if heading else []
        assert not heading or heading in {title.lower().replace(" ", "-") for title in headings}, target


def test_figures_are_of_rows_that_exist() -> None:
    """The table of figures is one that scripts/bench prints, of rows that it has, by the commands that are shown."""
    path = ROOT / "scripts" / "bench_suite" / "README.md"
    (table,) = (block.text for block in blocks("text") if block.path == path)
    header, _, *lines = table.splitlines()
    assert header.split() == render([]).splitlines()[0].split()
    assert {line.split()[0] for line in lines} <= {row.name for row in ROWS}
    for command in re.findall(r"`scripts/bench ([^`]*)`", path.read_text()):
        names = [word for word in command.split() if re.fullmatch(r"[a-z][a-z0-9-]+", word)]
        assert all(select(ROWS, [name], is_quick=False) for name in names), command


def test_architecture_is_the_one_that_is_there() -> None:
    """The layout names each package of the function, in the order in which they may import each other."""
    (layout,) = (block.text for block in blocks("text") if block.path.parent.name == "transcriber")
    names = re.findall(r"^  (\w+)/", layout, re.MULTILINE)
    folder = ROOT / "transcriber"
    assert set(names) == {package.parent.name for package in folder.glob("*/__init__.py")}
    assert all((folder / name).is_file() for name in re.findall(r"^  (\w+\.py)", layout, re.MULTILINE))
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (each["layers"] for each in contracts if each.get("layers", [""])[0].startswith("transcriber."))
    depth = {
        module.strip().rpartition(".")[2]: index for index, layer in enumerate(layers) for module in layer.split("|")
    }
    assert [depth[name] for name in names] == sorted(depth[name] for name in names)


@pytest.mark.parametrize(
    ("readme", "folder", "heading"),
    [("tests/README.md", "tests", "Layout"), ("scripts/emulator/README.md", "scripts/emulator", "Layout")],
)
def test_layouts_are_those_that_are_there(readme: str, folder: str, heading: str) -> None:
    """The tables of folders name each folder, and no other one."""
    named = set(re.findall(r"`(\w+)/`", " ".join(first_cells(section(ROOT / readme, heading)))))
    there = {path.name for path in (ROOT / folder).iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert named == there


SCRIPTS: Final = {
    path.name: module[1] if "." in module[1] else f"{module[1]}.__main__"
    for path in (ROOT / "scripts").iterdir()
    if path.is_file() and (module := re.search(r"-m ([a-z_.]+) \"\$@\"", path.read_text()))
}


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_options_exist(name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each option that a README shows with a command is one; those of scripts/emulate are all shown."""
    monkeypatch.setattr("sys.argv", [name, "--help"])
    with pytest.raises(SystemExit):
        import_module(SCRIPTS[name]).main()
    there = set(re.findall(r"^  (--[a-z-]+)", capsys.readouterr().out, re.MULTILINE))
    shown = {
        option
        for path in READMES
        for line in re.findall(rf"scripts/{name}\b((?:(?!scripts/)[^`|;])*)", path.read_text())
        for option in re.findall(r"(?<![\w-])--[a-z-]+", line)
    }
    assert shown - {"--help"} <= there
    if name == "emulate":
        table = first_cells((ROOT / "scripts" / "emulator" / "README.md").read_text())
        assert {option for cell in table for option in re.findall(r"`(--[a-z-]+)", cell)} == there


def test_every_setting_is_listed() -> None:
    """Every variable that the settings read is in the table, and none other is; those with a star are secrets."""
    found = re.findall(r'values\.(\w+)\(\s*"([A-Z0-9_]+)"', (ROOT / "transcriber" / "settings.py").read_text())
    read_ones = {(name, kind == "secret") for kind, name in found if not name.startswith("SCW_")}
    cells = " ".join(first_cells(section(README, "Settings")))
    assert {(name, star == "*") for name, star in re.findall(r"`([A-Z][A-Z0-9_]+)`(\*?)", cells)} == read_ones


def test_command_line_of_scaleway_deploys_the_same() -> None:
    """What `scw` is given is what serverless.yml has."""
    (create,) = (
        step.command for block in blocks("console") for step in steps(block) if "scw function function" in step.command
    )
    given = dict(word.split("=", 1) for word in create.split() if "=" in word)
    file = read(CONFIGURATION.read_text())
    function = file.functions["transcribe"]
    assert given == {
        "namespace-id": "NAMESPACE_ID",
        "name": "transcribe",
        "runtime": file.provider.runtime,
        "handler": function.handler,
        "memory-limit": str(function.memory_limit),
        "min-scale": str(function.min_scale),
        "max-scale": str(function.max_scale),
        "timeout": function.timeout,
        "privacy": function.privacy,
        "http-option": function.http_option,
        "sandbox": function.sandbox,
        "environment-variables.TIME_LIMIT": function.env["TIME_LIMIT"],
        "secret-environment-variables.0.key": "GENERATIVE_API_KEY",
        "secret-environment-variables.0.value": '"$GENERATIVE_API_KEY"',
    }


def test_bucket_policy_allows_exactly_what_is_used(
    s3: Any, server: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The policy allows each request of the function to the storage, and has no action or resource that none needs."""
    used: set[tuple[int, str, str]] = set()
    for action, resource in requests_to_storage(s3, server, monkeypatch, caplog):
        allowing = {
            (number, action, pattern)
            for number, statement in enumerate(function_statements())
            for pattern in statement["Resource"]
            if action in statement["Action"] and fnmatch(resource, pattern)
        }
        assert allowing, (action, resource)
        used |= allowing
    for number, statement in enumerate(function_statements()):
        assert {action for which, action, _ in used if which == number} == set(statement["Action"])
        assert {pattern for which, _, pattern in used if which == number} == set(statement["Resource"])


def function_statements() -> list[dict[str, Any]]:
    """The statements of the bucket policy about the function."""
    return [each for each in shown_json("Statement")["Statement"] if "application_id:ID" in each["Principal"].values()]


def requests_to_storage(
    s3: Any, server: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> set[tuple[str, str]]:
    """What the function does to the bucket at uploads and a sweep, as actions and resources of a policy."""
    forget_settings(monkeypatch)
    found = set()
    with serve(Api()) as api, caplog.at_level("INFO", "werkzeug"):
        for name, value in {
            "GENERATIVE_API_KEY": "an-invented-key",
            "GENERATIVE_API_URL": api.url,
            "MODELS": WHISPER,
            "S3_ENDPOINT": server,
            "S3_ACCESS_KEY": ACCESS_KEY,
            "S3_SECRET_KEY": SECRET_KEY,
        }.items():
            monkeypatch.setenv(name, value)
        handle = new_instance()
        for body in (b"no audio at all", None):  # the transcript of the second upload removes the record of the first
            upload(s3, TALK, body)
            for asked in (event("upload"), post({"sweep": {"bucket": BUCKET}})):
                caplog.clear()
                assert handle(asked, None)["statusCode"] == 200
                found |= {action_and_resource(message) for message in caplog.messages}
    return found


def action_and_resource(message: str) -> tuple[str, str]:
    """The action and the resource of a request, by its line in the server's log."""
    match = re.search(r'"(\w+) /([^ ?]*)(\S*) HTTP', re.sub(r"\x1b\[\d+m", "", message))  # without its colours
    assert match, message
    bucket, _, key = unquote(match[2]).partition("/")
    if not key:
        assert match[1] == "GET"
        assert "list-type=2" in match[3]
        return "s3:ListBucket", bucket
    verb = {"GET": "Get", "HEAD": "Get", "PUT": "Put", "DELETE": "Delete"}[match[1]]
    return f"s3:{verb}Object", f"{bucket}/{key}"
