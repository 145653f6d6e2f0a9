"""The order and selection of tests, and object storage: one server for a module, an empty bucket for each test."""

import os
from collections.abc import Iterator
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from support.shared import VARIABLE

# Files with a test that is marked `long` have a shorter form of it, which is always run.
ALL = "--all"
LEFT_OUT = f"tests that take long are left out; what they show, shorter ones show, too: scripts/test {ALL} runs them"

# Of several workers, each takes the next file: those that take longest come first, so that none is left alone with one.
LONGEST_FIRST = (
    "tests/system/test_function_on_platform.py",
    "tests/system/test_long_audio.py",
    "tests/system/test_real_speech.py",
    "tests/system/test_commands.py",
    "tests/system/",
    "tests/clients/",
    "tests/page/",
    "tests/deployment/test_deploy.py",
    "tests/build/test_build.py",
    "tests/emulator/generative/test_server.py",
    "tests/emulator/recognisers/",
    "tests/test_soak.py",
    "tests/bench/",
)

# No test hangs on how fast a machine is, or how busy.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("any machine"), max_examples=10)
settings.load_profile("any machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(ALL, action="store_true", help="run the tests that are marked `long`, too")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the run's first process, and not one of pytest-xdist's workers
        folder = TemporaryDirectory(prefix="tests-")
        config.add_cleanup(folder.cleanup)
        os.environ[VARIABLE] = folder.name


def pytest_report_header(config: pytest.Config) -> str | None:
    return None if config.getoption(ALL) else LEFT_OUT


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        found = (number for number, start in enumerate(LONGEST_FIRST) if item.nodeid.startswith(start))
        return next(found, len(LONGEST_FIRST))

    items.sort(key=place)
    if config.getoption(ALL):
        return
    long = [item for item in items if item.get_closest_marker("long") and not _is_named(item)]
    config.hook.pytest_deselected(items=long)
    left_out = set(long)
    items[:] = [item for item in items if item not in left_out]


def _is_named(item: pytest.Item) -> bool:
    """Whether an argument names this very test, which then runs however long it takes; others beside it do not."""
    folder, own_name = item.config.invocation_params.dir, item.nodeid.partition("::")[2]
    named = (argument.partition("::") for argument in item.config.args if "::" in argument)
    return any((folder / path).resolve() == item.path and own_name.startswith(name) for path, _, name in named)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    from support.object_storage import moto  # noqa: PLC0415 # a second, which most tests do without

    with moto() as url:
        yield url


@pytest.fixture
def s3(server: str) -> Any:
    from support.object_storage import empty  # noqa: PLC0415 # the same

    return empty(server)
