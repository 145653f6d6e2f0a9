"""A handler whose API is a test's own."""

from collections.abc import Iterator

import pytest
from support.handling import KEY, FakeApi, Handle, forget_settings, new_instance
from support.loopback import Loopback, serve


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def api_server(api: FakeApi) -> Iterator[Loopback]:
    with serve(api) as server:
        yield server


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch, api_server: Loopback) -> Handle:
    """The handler of a new instance whose environment names the API of this test."""
    forget_settings(monkeypatch)
    monkeypatch.setenv("GENERATIVE_API_KEY", KEY)
    monkeypatch.setenv("GENERATIVE_API_URL", api_server.url)
    monkeypatch.setenv("TIME_LIMIT", "3")
    return new_instance()
