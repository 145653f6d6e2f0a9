"""Leases: of many instances, one transcribes a version, and the result that remains is the newest version's."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from support.object_storage import ACCESS_KEY, BUCKET, REGION, SECRET_KEY, empty

from transcriber.cloud.object_storage import ObjectStorage, StoredObject
from transcriber.jobs.leases import (
    FAILURE,
    LEASE,
    LEASE_MARGIN_SECONDS,
    TRANSCRIPT,
    Completed,
    InProgress,
    Lease,
    Leases,
    Objects,
    ResultKey,
    Version,
)
from transcriber.request.options import TranscriptionOptions
from transcriber.settings import Account

KEY = ResultKey(BUCKET, "transcripts/a.mp3")
LIMIT_SECONDS = 60.0


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_lease(self) -> None:
        self.now += timedelta(seconds=LIMIT_SECONDS + LEASE_MARGIN_SECONDS + 1)


class Memory:
    """A storage with conditional writes, in memory."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.objects: dict[str, tuple[StoredObject, bytes]] = {}
        self._clock = clock
        self._writes = 0

    def head(self, bucket: str, key: str) -> StoredObject | None:
        assert bucket == BUCKET
        return self.objects[key][0] if key in self.objects else None

    def create(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]) -> str | None:
        return None if self.head(bucket, key) else self._put(key, body, metadata)

    def replace(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str], *, etag: str) -> str | None:
        there = self.head(bucket, key)
        return self._put(key, body, metadata) if there and there.etag == etag else None

    def delete(self, bucket: str, key: str) -> None:
        assert bucket == BUCKET
        self.objects.pop(key, None)

    def _put(self, key: str, body: bytes, metadata: Mapping[str, str]) -> str:
        self._writes += 1
        stored = StoredObject(key, str(self._writes), len(body), self._clock(), dict(metadata))
        self.objects[key] = (stored, body)
        return stored.etag


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "storage"])
def objects(request: pytest.FixtureRequest, clock: Clock) -> Objects:
    if request.param == "memory":
        return Memory(clock)
    url = request.getfixturevalue("server")
    empty(url)
    return ObjectStorage(url, REGION, Account(ACCESS_KEY, SECRET_KEY))


@pytest.fixture
def leases(objects: Objects, clock: Clock) -> Leases:
    return Leases(objects, time_limit_seconds=LIMIT_SECONDS, now=clock)


def win(leases: Leases, version: Version) -> Lease:
    lease = leases.acquire(KEY, version)
    assert isinstance(lease, Lease)
    return lease


V1, V2 = Version("one"), Version("two")


def test_one_of_many_wins(leases: Leases) -> None:
    """While one instance has the lease, the others find it in progress; after its result, completed."""
    lease = win(leases, V1)
    assert isinstance(leases.acquire(KEY, V1), InProgress)
    assert leases.write(lease, TRANSCRIPT, b"{}", {})
    leases.release(lease)
    completed = leases.acquire(KEY, V1)
    assert isinstance(completed, Completed)
    assert not completed.is_failure
    assert leases.completed(KEY, V2) is None


def test_released_lease_is_free(leases: Leases) -> None:
    """After a failure that a retry may cure, the next instance gets the lease."""
    leases.release(win(leases, V1))
    win(leases, V1)


def test_lease_is_taken_over_when_it_is_over(leases: Leases, clock: Clock) -> None:
    """The lease of a killed instance is taken over when its time is over, and its owner then writes nothing."""
    first = win(leases, V1)
    clock.pass_lease()
    second = win(leases, V1)
    assert not leases.write(first, TRANSCRIPT, b"first", {})
    leases.release(first)  # which leaves the second's alone
    assert leases.write(second, TRANSCRIPT, b"second", {})


def test_newer_version_takes_over_at_once(leases: Leases) -> None:
    """New audio does not wait for the transcription of the old, whose result is then not written."""
    old = win(leases, V1)
    new = win(leases, V2)
    assert leases.write(new, TRANSCRIPT, b"new", {})
    assert not leases.write(old, TRANSCRIPT, b"old", {})
    assert leases.completed(KEY, V2)


def test_result_of_an_old_version_is_written_over(leases: Leases) -> None:
    """A version is transcribed anew where another one's transcript is, and its own replaces that."""
    for version in (V1, V2):
        lease = win(leases, version)
        assert leases.write(lease, TRANSCRIPT, version.etag.encode(), {})
        leases.release(lease)
    assert leases.completed(KEY, V1) is None
    assert leases.completed(KEY, V2)


def test_failure_on_record_is_a_result(leases: Leases) -> None:
    """A recording that cannot be transcribed is not tried again; the record keeps its metadata."""
    lease = win(leases, V1)
    assert leases.write(lease, FAILURE, b"{}", {"status": "415"})
    leases.release(lease)
    completed = leases.acquire(KEY, V1)
    assert isinstance(completed, Completed)
    assert (completed.is_failure, completed.result.metadata["status"]) == (True, "415")


def test_options_make_a_version(leases: Leases) -> None:
    """A request with options is transcribed anew; one without any is served by the transcript that is there."""
    french = Version.of("one", TranscriptionOptions(language="fr"))
    lease = win(leases, V1)
    leases.write(lease, TRANSCRIPT, b"{}", {})
    leases.release(lease)
    lease = win(leases, french)
    leases.write(lease, TRANSCRIPT, b"{}", {})
    leases.release(lease)
    assert isinstance(leases.acquire(KEY, V1), Completed)
    assert isinstance(leases.acquire(KEY, french), Completed)


class LosingAnswers(Memory):
    """A storage that loses its answer to the first write, so that the client tries again."""

    def create(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]) -> str | None:
        first = super().create(bucket, key, body, metadata)
        return super().create(bucket, key, body, metadata) if first == "1" else first


def test_own_claim_is_recognised(clock: Clock) -> None:
    """An instance whose answer was lost, and which finds its own lease there, has it all the same."""
    win(Leases(LosingAnswers(clock), time_limit_seconds=LIMIT_SECONDS, now=clock), V1)


class Instances(RuleBasedStateMachine):
    """Any number of instances that acquire, write, fail and die in any order, while the audio is replaced."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.memory = Memory(self.clock)
        self.leases = Leases(self.memory, time_limit_seconds=LIMIT_SECONDS, now=self.clock)
        self.current = 1
        self.working: list[Lease] = []
        self.began: dict[str, int] = {}
        self.allowed: dict[str, int] = {}

    @rule()
    def reported(self) -> None:
        """The audio, in its present version, is reported to an instance."""
        version = Version(str(self.current))
        lease = self.leases.acquire(KEY, version)
        if isinstance(lease, Lease):
            self.working.append(lease)
            self.began[version.etag] = self.began.get(version.etag, 0) + 1
        else:
            assert isinstance(lease, Completed) or self.memory.head(BUCKET, KEY.with_suffix(LEASE))

    @precondition(lambda self: bool(self.working))
    @rule(data=st.data(), result=st.sampled_from([TRANSCRIPT, FAILURE]))
    def finish(self, data: st.DataObject, result: str) -> None:
        """One of the working instances writes its result and releases its lease."""
        lease = self.working.pop(data.draw(st.integers(0, len(self.working) - 1)))
        self.leases.write(lease, result, lease.version.etag.encode(), {})
        self.leases.release(lease)

    @precondition(lambda self: bool(self.working))
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        """One of the working instances fails, in a way that a retry may cure."""
        lease = self.working.pop(data.draw(st.integers(0, len(self.working) - 1)))
        self.leases.release(lease)
        self.allowed[lease.version.etag] = self.allowed.get(lease.version.etag, 0) + 1

    @rule()
    def lease_passes(self) -> None:
        """All working instances exceed their time, as dead ones do."""
        self.clock.pass_lease()
        for lease in self.working:
            self.allowed[lease.version.etag] = self.allowed.get(lease.version.etag, 0) + 1

    @rule()
    def replace_audio(self) -> None:
        """New audio is uploaded under the old key."""
        self.current += 1

    @invariant()
    def newest_result_is_never_written_over(self) -> None:
        """Each file is of the newest version that was ever written to it."""
        for suffix in (TRANSCRIPT, FAILURE):
            stored = self.memory.head(BUCKET, KEY.with_suffix(suffix))
            if stored:
                best = getattr(self, f"best{suffix}", 0)
                assert int(stored.metadata["audio-etag"]) >= best
                setattr(self, f"best{suffix}", int(stored.metadata["audio-etag"]))

    @invariant()
    def work_is_done_once(self) -> None:
        """A version is begun once, and once more for each failure and each lease whose time was over."""
        for etag, times in self.began.items():
            assert times <= 1 + self.allowed.get(etag, 0)


TestInstances = Instances.TestCase
TestInstances.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)


def test_failure_with_options_is_theirs(leases: Leases) -> None:
    """A recording that failed with options may succeed without, and is tried; with the same options, it is not."""
    french = Version.of("one", TranscriptionOptions(language="fr"))
    lease = win(leases, french)
    leases.write(lease, FAILURE, b"{}", {})
    leases.release(lease)
    assert isinstance(leases.acquire(KEY, french), Completed)
    win(leases, V1)
