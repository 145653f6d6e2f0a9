"""A function on the local platform, with a token, a storage and signed callbacks, for clients of others."""

import os
from collections.abc import Iterator

import pytest
from support.client_packages import CALLBACK_SECRET, TOKEN

from emulator.local_platform import LocalPlatform, PlatformOptions


@pytest.fixture(scope="module")
def platform() -> Iterator[LocalPlatform]:
    environment = {
        "PATH": os.environ["PATH"],
        "ACCESS_TOKEN": TOKEN,
        "ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
        "CALLBACK_SECRET": CALLBACK_SECRET,
        "TIME_LIMIT": "30",
        # No queue: a request with a callback is carried out, and called back, before its answer.
        "QUEUE_ACCESS_KEY": "none",
        "QUEUE_SECRET_KEY": "none",
    }
    with LocalPlatform(PlatformOptions(recogniser="stand-in", storage=True), environment) as running:
        yield running


@pytest.fixture
def base_url(platform: LocalPlatform) -> str:
    assert platform.apis is not None
    platform.apis.clear()
    return f"{platform.function.url}/v1"
