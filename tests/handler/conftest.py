"""A handler whose API is a test's own."""

from collections.abc import Iterator

import pytest
from support.encoding import encode
from support.handling import KEY, FakeApi, Handle, forget_settings, new_instance
from support.long_recordings import LongRecording, marked_speech
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


@pytest.fixture(scope="module")
def minute() -> tuple[LongRecording, bytes]:
    """A minute of marked sentences, and the WAV file of it."""
    long = marked_speech(1, seed=7)
    return long, encode(long.samples, "wav", "pcm_s16le")


@pytest.fixture
def chunked(
    handle: Handle,  # noqa: ARG001 # it comes with the environment
    monkeypatch: pytest.MonkeyPatch,
) -> Handle:
    """The handler of an instance that cuts recordings into chunks of about 12 seconds."""
    monkeypatch.setenv("CHUNK_MINUTES", "0.2")
    monkeypatch.setenv("TIME_LIMIT", "30")
    return new_instance()
