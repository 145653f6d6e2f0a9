"""Claims: of all who are told of a version, one transcribes it, and what is left is the newest version's result."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from support.object_storage import ACCESS_KEY, BUCKET, REGION, SECRET_KEY, empty

from transcriber.cloud.object_storage import ObjectStorage, StoredObject
from transcriber.jobs.leases import (
    CLAIM,
    FAILURE,
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

PLACE = ResultKey(BUCKET, "transcripts/a.mp3")
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
def claims(objects: Objects, clock: Clock) -> Leases:
    return Leases(objects, time_limit_seconds=LIMIT_SECONDS, now=clock)


def win(claims: Leases, version: Version) -> Lease:
    claim = claims.claim(PLACE, version)
    assert isinstance(claim, Lease)
    return claim


V1, V2 = Version("one"), Version("two")


def test_one_of_many_wins(claims: Leases) -> None:
    """While one has the claim, the others are told so; after its result, they are told of that."""
    claim = win(claims, V1)
    assert isinstance(claims.claim(PLACE, V1), InProgress)
    assert claims.write(claim, TRANSCRIPT, b"{}", {})
    claims.release(claim)
    finished = claims.claim(PLACE, V1)
    assert isinstance(finished, Completed)
    assert not finished.is_failure
    assert claims.finished(PLACE, V2) is None


def test_claim_that_was_given_up_is_free(claims: Leases) -> None:
    """After a failure that may be cured, the next one who is told of the version works on it."""
    claims.release(win(claims, V1))
    win(claims, V1)


def test_lease_is_taken_over_when_it_is_over(claims: Leases, clock: Clock) -> None:
    """A claim left by a killed instance is taken over after its lease, and its owner then writes nothing."""
    first = win(claims, V1)
    clock.pass_lease()
    second = win(claims, V1)
    assert not claims.write(first, TRANSCRIPT, b"first", {})
    claims.release(first)  # which leaves the second's alone
    assert claims.write(second, TRANSCRIPT, b"second", {})


def test_newer_version_takes_over_at_once(claims: Leases) -> None:
    """New audio does not wait for the old one's transcription, whose result it then stays without."""
    old = win(claims, V1)
    new = win(claims, V2)
    assert claims.write(new, TRANSCRIPT, b"new", {})
    assert not claims.write(old, TRANSCRIPT, b"old", {})
    assert claims.finished(PLACE, V2)


def test_result_of_an_old_version_is_written_over(claims: Leases) -> None:
    """A version is transcribed anew where there is another one's transcript, and its own takes the place."""
    for version in (V1, V2):
        claim = win(claims, version)
        assert claims.write(claim, TRANSCRIPT, version.etag.encode(), {})
        claims.release(claim)
    assert claims.finished(PLACE, V1) is None
    assert claims.finished(PLACE, V2)


def test_failure_on_record_is_a_result(claims: Leases) -> None:
    """What cannot be transcribed is not tried again, with what was known of it kept."""
    claim = win(claims, V1)
    assert claims.write(claim, FAILURE, b"{}", {"status": "415"})
    claims.release(claim)
    finished = claims.claim(PLACE, V1)
    assert isinstance(finished, Completed)
    assert (finished.is_failure, finished.result.metadata["status"]) == (True, "415")


def test_options_make_a_version(claims: Leases) -> None:
    """A request with options of its own is transcribed anew; one without any takes the transcript that there is."""
    french = Version.of("one", TranscriptionOptions(language="fr"))
    claim = win(claims, V1)
    claims.write(claim, TRANSCRIPT, b"{}", {})
    claims.release(claim)
    claim = win(claims, french)
    claims.write(claim, TRANSCRIPT, b"{}", {})
    claims.release(claim)
    assert isinstance(claims.claim(PLACE, V1), Completed)
    assert isinstance(claims.claim(PLACE, french), Completed)


class Deaf(Memory):
    """A storage whose answer to the first write is lost, so that the client tries again."""

    def create(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]) -> str | None:
        first = super().create(bucket, key, body, metadata)
        return super().create(bucket, key, body, metadata) if first == "1" else first


def test_own_claim_is_recognised(clock: Clock) -> None:
    """Who wrote the claim, and was told that there is one because the answer was lost, has it all the same."""
    win(Leases(Deaf(clock), time_limit_seconds=LIMIT_SECONDS, now=clock), V1)


class Instances(RuleBasedStateMachine):
    """Any number of instances that claim, write, fail and die in any order, while the audio is replaced."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.memory = Memory(self.clock)
        self.claims = Leases(self.memory, time_limit_seconds=LIMIT_SECONDS, now=self.clock)
        self.current = 1
        self.working: list[Lease] = []
        self.began: dict[str, int] = {}
        self.allowed: dict[str, int] = {}

    @rule()
    def told(self) -> None:
        """An instance is told of the audio, as it is now."""
        version = Version(str(self.current))
        claim = self.claims.claim(PLACE, version)
        if isinstance(claim, Lease):
            self.working.append(claim)
            self.began[version.etag] = self.began.get(version.etag, 0) + 1
        else:
            assert isinstance(claim, Completed) or self.memory.head(BUCKET, PLACE.key(CLAIM))

    @precondition(lambda self: bool(self.working))
    @rule(data=st.data(), result=st.sampled_from([TRANSCRIPT, FAILURE]))
    def finish(self, data: st.DataObject, result: str) -> None:
        """One of those at work writes its result, and gives its claim up."""
        claim = self.working.pop(data.draw(st.integers(0, len(self.working) - 1)))
        self.claims.write(claim, result, claim.version.etag.encode(), {})
        self.claims.release(claim)

    @precondition(lambda self: bool(self.working))
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        """One of those at work fails, in a way that another try may cure."""
        claim = self.working.pop(data.draw(st.integers(0, len(self.working) - 1)))
        self.claims.release(claim)
        self.allowed[claim.version.etag] = self.allowed.get(claim.version.etag, 0) + 1

    @rule()
    def lease_passes(self) -> None:
        """All who are at work take longer than they may, as dead ones do."""
        self.clock.pass_lease()
        for claim in self.working:
            self.allowed[claim.version.etag] = self.allowed.get(claim.version.etag, 0) + 1

    @rule()
    def replace_audio(self) -> None:
        """New audio is uploaded under the old key."""
        self.current += 1

    @invariant()
    def newest_result_is_never_written_over(self) -> None:
        """Each file is of the newest version that was ever written to it."""
        for suffix in (TRANSCRIPT, FAILURE):
            stored = self.memory.head(BUCKET, PLACE.key(suffix))
            if stored:
                best = getattr(self, f"best{suffix}", 0)
                assert int(stored.metadata["audio-etag"]) >= best
                setattr(self, f"best{suffix}", int(stored.metadata["audio-etag"]))

    @invariant()
    def work_is_done_once(self) -> None:
        """A version is begun once, and once more for each failure and each lease that was over."""
        for etag, times in self.began.items():
            assert times <= 1 + self.allowed.get(etag, 0)


TestInstances = Instances.TestCase
TestInstances.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)


def test_failure_with_options_is_theirs(claims: Leases) -> None:
    """What failed with options of its own may succeed without, and is tried; with the same, it is not."""
    french = Version.of("one", TranscriptionOptions(language="fr"))
    claim = win(claims, french)
    claims.write(claim, FAILURE, b"{}", {})
    claims.release(claim)
    assert isinstance(claims.claim(PLACE, french), Completed)
    win(claims, V1)
