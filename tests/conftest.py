"""Object storage for whoever asks for it: a server for a module, and an empty bucket for a test."""

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    from support.object_storage import moto  # noqa: PLC0415 # a second, which most tests do without

    with moto() as url:
        yield url


@pytest.fixture
def s3(server: str) -> Any:
    from support.object_storage import empty  # noqa: PLC0415 # the same

    return empty(server)
