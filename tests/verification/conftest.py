"""Emulated APIs, storage and queue, and the environment that names them."""

from collections.abc import Iterator

import pytest

from emulator.generative.server import GenerativeServer
from emulator.storage.server import StorageAccess, StorageServer

SECRET = "whsec_" + "c2VjcmV0" * 4  # invented


@pytest.fixture(scope="module")
def apis() -> Iterator[GenerativeServer]:
    with GenerativeServer(recogniser="stand-in") as server:
        yield server


@pytest.fixture(scope="module")
def storage() -> Iterator[StorageAccess]:
    """A storage and a queue that hides a message for as long as a function of 900 s needs."""
    with StorageServer(visibility_timeout_seconds=960) as server:
        server.wait_until_ready()
        yield server.access


@pytest.fixture
def environment(apis: GenerativeServer, storage: StorageAccess) -> dict[str, str]:
    """An environment with which everything is right."""
    apis.clear()
    return {
        "GENERATIVE_API_KEY": apis.key,
        "GENERATIVE_API_URL": apis.url,
        "CALLBACK_SECRET": SECRET,
        "PRICES": "whisper-large-v3=0.003",
        "SCW_DEFAULT_REGION": "fr-par",
        **storage.function_environment,
    }
