"""What a sweep leaves to the next one: its place, and what is queued, which never keeps a place for ever."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.object_storage import ACCESS_KEY, BUCKET, REGION, SECRET_KEY, all_keys

from transcriber.cloud.object_storage import ObjectStorage
from transcriber.jobs.sweep_state import MAX_QUEUED, QUEUED_MINUTES, SweepState
from transcriber.request.sweep_request import SweepRequest
from transcriber.settings import Account

NOW = datetime(2026, 11, 25, 12, 0, 0, 500_000, tzinfo=UTC)


class States:
    """The states that sweeps of one bucket read, one after the other."""

    def __init__(self, url: str) -> None:
        self._storage = ObjectStorage(url, REGION, Account(ACCESS_KEY, SECRET_KEY))

    def read(self, now: datetime = NOW) -> SweepState:
        return SweepState(
            self._storage, BUCKET, "transcripts/", SweepRequest(BUCKET), minute_seconds=60, now=lambda: now
        )


@pytest.fixture
def states(server: str, s3: Any) -> States:
    assert s3
    return States(server)


def test_state_is_read_back(states: States, s3: Any) -> None:
    """The place and what is queued reach the next sweep; when there is neither, no object stays."""
    state = states.read()
    state.after = "b.mp3"
    state.note_queued("a.mp3")
    state.write()
    state = states.read()
    assert (state.after, state.is_queued("a.mp3", done_at=None), state.is_queued("b.mp3", done_at=None)) == (
        *("b.mp3", True, False),
    )
    state.after = ""
    state.note_begun("a.mp3")
    state.write()
    assert all_keys(s3) == []


def test_recording_that_was_done_since_is_not_queued(states: States) -> None:
    """A marker of the same second or later shows that the message was carried out; an earlier one does not."""
    state = states.read()
    state.note_queued("a.mp3")
    assert state.is_queued("a.mp3", done_at=NOW - timedelta(seconds=1))
    assert not state.is_queued("a.mp3", done_at=NOW.replace(microsecond=0))


def test_lost_messages_do_not_keep_their_places(states: States) -> None:
    """What was queued and never begun is forgotten after its time, so that a sweep is not full for ever."""
    state = states.read()
    for number in range(MAX_QUEUED):
        state.note_queued(f"{number}.mp3")
    state.write()
    assert states.read().is_full
    later = states.read(NOW + timedelta(minutes=QUEUED_MINUTES))
    assert not later.is_full
    assert not later.is_queued("0.mp3", done_at=None)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"after": 1, "queued": {"x": "y"}}', b'{"queued": []}'])
def test_state_that_cannot_be_read(states: States, s3: Any, body: bytes) -> None:
    """A state that is none counts as lost: the sweep begins at the first key, with nothing queued."""
    state = states.read()
    state.after = "a"
    state.write()
    (key,) = all_keys(s3)
    s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    state = states.read()
    assert (state.after, state.is_full, state.is_queued("a.mp3", done_at=None)) == ("", False, False)
