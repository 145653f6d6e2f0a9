"""Leases: of many instances, one transcribes a version, and the result that remains is the newest version's."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from support.object_storage import ACCESS_KEY, BUCKET, REGION, SECRET_KEY, empty

from transcriber.cloud.object_storage import ObjectStorage, StoredObject
from transcriber.jobs.layout import FAILURE, OLD_LEASE, TRANSCRIPT, ResultKeys, Version
from transcriber.jobs.lease_record import KILLED, MAX_ATTEMPTS, WAIT_MINUTES, Lease
from transcriber.jobs.leases import LEASE_MARGIN_MINUTES, InProgress, Leases, Objects, Waiting
from transcriber.settings import Account

KEYS = ResultKeys(BUCKET, "transcripts/", "a.mp3")
REQUEST = {"bucket": BUCKET, "key": "a.mp3"}
LIMIT_SECONDS = 60.0


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_lease(self) -> None:
        self.pass_minutes((LIMIT_SECONDS + 1) / 60 + LEASE_MARGIN_MINUTES)

    def pass_minutes(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)


class Memory:
    """A storage with conditional writes, in memory."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.objects: dict[str, tuple[StoredObject, bytes]] = {}
        self._clock = clock
        self._writes = 0

    def head(self, bucket: str, key: str) -> StoredObject | None:
        assert bucket == BUCKET
        return self.objects[key][0] if key in self.objects else None

    def get(self, bucket: str, key: str) -> bytes:
        assert bucket == BUCKET
        return self.objects[key][1]

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


def acquire(
    leases: Leases, version: Version, *, keys: ResultKeys = KEYS, parts: int = 0, ignores_waits: bool = False
) -> Lease | InProgress | Waiting:
    return leases.acquire(keys, version, REQUEST, count_parts=lambda: parts, ignores_waits=ignores_waits)


def win(leases: Leases, version: Version, *, parts: int = 0) -> Lease:
    lease = acquire(leases, version, parts=parts)
    assert isinstance(lease, Lease)
    return lease


def stored(objects: Objects) -> StoredObject:
    lease = objects.head(BUCKET, KEYS.lease)
    assert lease
    return lease


V1, V2 = Version("one"), Version("two")


def test_one_of_many_wins(leases: Leases) -> None:
    """While one instance has the lease, the others find it in progress; when it is given up, the next one gets it."""
    lease = win(leases, V1)
    assert isinstance(acquire(leases, V1), InProgress)
    assert leases.write(lease, TRANSCRIPT, b"{}", {})
    leases.release(lease)
    win(leases, V1)


def test_lease_is_taken_over_when_it_is_over(leases: Leases, clock: Clock) -> None:
    """The lease of a killed instance is taken over when its time is over, and its owner then writes nothing."""
    first = win(leases, V1)
    clock.pass_lease()
    second = win(leases, V1)
    assert (second.attempts, second.reason) == (2, KILLED)
    assert not leases.write(first, TRANSCRIPT, b"first", {})
    leases.release(first)  # which leaves the second's alone
    assert leases.write(second, TRANSCRIPT, b"second", {})


def test_newer_version_takes_over_at_once(leases: Leases) -> None:
    """New audio does not wait for the transcription of the old, whose result is then not written."""
    old = win(leases, V1)
    new = win(leases, V2)
    assert leases.write(new, TRANSCRIPT, b"new", {})
    assert not leases.write(old, TRANSCRIPT, b"old", {})


def test_options_have_leases_of_their_own(leases: Leases) -> None:
    """Requests with other options work on the same audio at the same time, and write beside each other."""
    plain = win(leases, V1)
    french = acquire(leases, Version("one", "0123456789abcdef"), keys=replace(KEYS, name="a.mp3.0123456789abcdef"))
    assert isinstance(french, Lease)
    assert leases.write(french, TRANSCRIPT, b"french", {})
    assert leases.write(plain, TRANSCRIPT, b"plain", {})


def test_attempts_that_add_nothing_are_counted(leases: Leases, clock: Clock) -> None:
    """Each attempt that is ended by a kill counts, after longer and longer waits, until the last one is exhausted."""
    for attempt in range(1, MAX_ATTEMPTS + 1):
        lease = win(leases, V1)
        assert (lease.attempts, lease.is_exhausted) == (attempt, False)
        clock.pass_lease()
        if attempt > 1:
            assert isinstance(acquire(leases, V1), Waiting)
        clock.pass_minutes(WAIT_MINUTES[attempt - 1])
    assert win(leases, V1).is_exhausted


def test_part_begins_the_count_anew(leases: Leases, clock: Clock) -> None:
    """An attempt that was killed after it had added a part is no failure."""
    for parts in range(1, 2 * MAX_ATTEMPTS):
        assert win(leases, V1, parts=parts).attempts == 1
        clock.pass_lease()


def test_lease_that_waits(leases: Leases, objects: Objects, clock: Clock) -> None:
    """A lease that was given up for later is due then, for triggers; a client does not wait for that."""
    lease = win(leases, V1)
    leases.wait(lease, attempts=0, minutes=5, reason="The API answered 503.", parts=0)
    waiting = acquire(leases, V1)
    assert isinstance(waiting, Waiting)
    assert waiting.reason == "The API answered 503."
    assert 290 < waiting.seconds <= 300
    assert not leases.is_due(stored(objects), queued_minutes=30)
    client = acquire(leases, V1, ignores_waits=True)
    assert isinstance(client, Lease)
    leases.wait(client, attempts=0, minutes=5, reason="again", parts=0)
    clock.pass_minutes(5)
    assert leases.is_due(stored(objects), queued_minutes=30)
    assert leases.request_of(stored(objects), BUCKET) == REQUEST
    assert win(leases, V1).attempts == 1


def test_due_lease_is_queued_once_in_a_while(leases: Leases, objects: Objects, clock: Clock) -> None:
    """What one sweep has queued is left to the queue by those that follow, and its message may begin at once."""
    win(leases, V1)
    assert not leases.is_due(stored(objects), queued_minutes=30)
    clock.pass_lease()
    due = stored(objects)
    assert leases.is_due(due, queued_minutes=30)
    assert leases.mark_queued(due, BUCKET, REQUEST)
    assert not leases.mark_queued(due, BUCKET, REQUEST)  # another sweep at the same time
    assert not leases.is_due(stored(objects), queued_minutes=30)
    clock.pass_minutes(31)
    assert leases.is_due(stored(objects), queued_minutes=30)
    lease = win(leases, V1)
    assert (lease.attempts, lease.reason) == (2, KILLED)


def test_lease_of_an_earlier_version_is_respected(leases: Leases, objects: Objects, clock: Clock) -> None:
    """The lease of a function that was deployed before holds until it is over, and is then removed."""
    old = {"audio-etag": "one", "audio-owner": "other"}
    objects.create(BUCKET, KEYS.with_suffix(OLD_LEASE), b"{}", old)
    assert isinstance(acquire(leases, V1), InProgress)
    clock.pass_lease()
    win(leases, V1)
    assert objects.head(BUCKET, KEYS.with_suffix(OLD_LEASE)) is None


class LosingAnswers(Memory):
    """A storage that loses its answer to the first write, so that the client tries again."""

    def create(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]) -> str | None:
        first = super().create(bucket, key, body, metadata)
        return super().create(bucket, key, body, metadata) if first == "1" else first


def test_own_lease_is_recognised(clock: Clock) -> None:
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
        self.best: dict[str, int] = {}

    @rule(parts=st.integers(0, 3))
    def reported(self, parts: int) -> None:
        """The audio, in its present version, is reported to an instance."""
        version = Version(str(self.current))
        lease = acquire(self.leases, version, parts=parts)
        if isinstance(lease, Lease):
            self.working.append(lease)
            self.began[version.etag] = self.began.get(version.etag, 0) + 1
            assert 1 <= lease.attempts <= MAX_ATTEMPTS + 1
        else:
            assert self.memory.head(BUCKET, KEYS.lease)

    @precondition(lambda self: bool(self.working))
    @rule(data=st.data(), result=st.sampled_from([TRANSCRIPT, FAILURE]))
    def finish(self, data: st.DataObject, result: str) -> None:
        """One of the working instances writes its result and releases its lease."""
        self._end(data, lambda lease: self.leases.write(lease, result, lease.version.etag.encode(), {}))

    @precondition(lambda self: bool(self.working))
    @rule(data=st.data(), minutes=st.sampled_from([0.0, 5.0]))
    def fail(self, data: st.DataObject, minutes: float) -> None:
        """One of the working instances fails, in a way that a retry may cure."""
        self._end(
            data,
            lambda lease: self.leases.wait(
                lease, attempts=lease.attempts, minutes=minutes, reason="x", parts=lease.parts
            ),
        )

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
            result = self.memory.head(BUCKET, KEYS.with_suffix(suffix))
            if result:
                assert int(result.metadata["audio-etag"]) >= self.best.get(suffix, 0)
                self.best[suffix] = int(result.metadata["audio-etag"])

    @invariant()
    def work_is_done_by_one_at_a_time(self) -> None:
        """A version is begun once, and once more for each end of a lease, and each lease whose time was over."""
        for etag, times in self.began.items():
            assert times <= 1 + self.allowed.get(etag, 0)

    def _end(self, data: st.DataObject, how: Callable[[Lease], object]) -> None:
        lease = self.working.pop(data.draw(st.integers(0, len(self.working) - 1)))
        how(lease)
        self.leases.release(lease)
        self.allowed[lease.version.etag] = self.allowed.get(lease.version.etag, 0) + 1


TestInstances = Instances.TestCase
TestInstances.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
