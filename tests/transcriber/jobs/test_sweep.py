"""A sweep finds the recordings without a transcript by a few listings alone, whatever the order of keys."""

from typing import Any

import pytest
from support.loopback import serve
from support.object_storage import ACCESS_KEY, BUCKET, REGION, SECRET_KEY

from bench_suite.bucket_server import MISSING_EACH, keys_of, page
from transcriber.cloud.object_storage import ObjectStorage
from transcriber.deadline import Deadline
from transcriber.jobs.layout import ResultKeys, Version
from transcriber.jobs.lease_record import Lease
from transcriber.jobs.leases import Leases
from transcriber.jobs.sweep import Sweep
from transcriber.request.s3_events import ObjectReference
from transcriber.request.sweep_request import SweepRequest
from transcriber.settings import Account, Settings

ACCOUNT = Account(ACCESS_KEY, SECRET_KEY)
LIMIT_SECONDS = 60.0


class Bucket:
    """A bucket with recordings, some of which have results."""

    def __init__(self, url: str, s3: Any, **outputs: str) -> None:
        self.settings = Settings(
            api_key="key",
            storage=ACCOUNT,
            storage_url=url,
            storage_region=REGION,
            **outputs,  # type: ignore[arg-type] # two texts
        )
        self.storage = ObjectStorage(url, REGION, ACCOUNT)
        self.leases = Leases(self.storage, time_limit_seconds=LIMIT_SECONDS)
        self._s3 = s3

    def upload(self, *names: str) -> None:
        for name in names:
            self._s3.put_object(Bucket=BUCKET, Key=name, Body=b"audio")

    def acquire(self, name: str) -> Lease:
        stored = self.storage.head(BUCKET, name)
        assert stored
        keys = ResultKeys.of(ObjectReference(BUCKET, name), self.settings)
        lease = self.leases.acquire(keys, Version(stored.etag), {}, count_parts=lambda: 0)
        assert isinstance(lease, Lease)
        return lease

    def transcribe(self, *names: str, suffix: str = ".json") -> None:
        for name in names:
            lease = self.acquire(name)
            self.leases.write(lease, suffix, b"{}", {})
            self._s3.put_object(Bucket=BUCKET, Key=lease.keys.done(lease.version.etag), Body=b"")
            self.leases.release(lease)

    def sweep(self, prefix: str = "", after: str = "") -> Sweep:
        return Sweep(SweepRequest(BUCKET, prefix), self.storage, self.settings, after=after)

    def missing(self, prefix: str = "", after: str = "") -> list[str]:
        swept = self.sweep(prefix, after).objects(Deadline(10))
        return [each.reference.key for each in swept if each.is_missing]


NAMES = ["a", "a-b.mp3", "a.mp3", "a/b.mp3", "a.mp3.wav", "é.mp3"]


@pytest.mark.parametrize("outputs", [{}, {"output_prefix": ""}])
def test_recordings_with_a_result_are_skipped(server: str, s3: Any, outputs: dict[str, str]) -> None:
    """With results for any part of the recordings, the others are missing, although results are ordered otherwise."""
    bucket = Bucket(server, s3, **outputs)
    bucket.upload(*NAMES, "notes.txt", "folder/")
    assert bucket.missing() == sorted(NAMES)
    for number, name in enumerate(NAMES, 1):
        bucket.transcribe(name, suffix=".error.json" if number % 2 else ".json")
        assert bucket.missing() == sorted(NAMES[number:])
    assert [swept.is_missing for swept in bucket.sweep().objects(Deadline(10))] == [False] * len(NAMES)


def test_prefix(server: str, s3: Any) -> None:
    """A sweep keeps to its prefix."""
    bucket = Bucket(server, s3)
    bucket.upload("in/1.mp3", "in/2.mp3", "in2.mp3")
    bucket.transcribe("in/1.mp3")
    assert bucket.missing(prefix="in/") == ["in/2.mp3"]


def test_recording_with_a_lease_is_left_alone(server: str, s3: Any) -> None:
    """A recording that is in work, or waits, is not missing."""
    bucket = Bucket(server, s3)
    bucket.upload("a.mp3", "b.mp3")
    bucket.acquire("a.mp3")
    assert bucket.missing() == ["b.mp3"]


def test_result_that_was_removed_is_made_again(server: str, s3: Any) -> None:
    """A recording whose transcript or record of failure was removed is missing, whatever the marker says."""
    bucket = Bucket(server, s3)
    bucket.upload("a.mp3")
    bucket.transcribe("a.mp3", suffix=".error.json")
    s3.delete_object(Bucket=BUCKET, Key="transcripts/a.mp3.error.json")
    assert bucket.missing() == ["a.mp3"]


def test_sweep_goes_on_from_a_place(server: str, s3: Any) -> None:
    """A sweep from a key begins after it, and comes to each recording once."""
    bucket = Bucket(server, s3)
    bucket.upload("a.mp3", "b.mp3", "c.mp3", "d.mp3")
    assert bucket.missing(after="b.mp3") == ["c.mp3", "d.mp3", "a.mp3", "b.mp3"]


def test_what_only_work_needs_is_passed_over(server: str, s3: Any) -> None:
    """Parts that lie between the results of the recordings are not read through, nor taken for recordings."""
    bucket = Bucket(server, s3, output_prefix="")
    bucket.upload("-.mp3", "z.mp3")
    for number in range(3):
        s3.put_object(Bucket=BUCKET, Key=f".work/parts/x/{number}.mp3", Body=b"")
    bucket.transcribe("-.mp3", "z.mp3")
    assert bucket.missing() == []
    assert len(list(bucket.sweep().objects(Deadline(10)))) == 2


def test_new_audio_is_found(server: str, s3: Any) -> None:
    """Audio that replaced transcribed audio is missing; the same audio uploaded again is not."""
    bucket = Bucket(server, s3)
    bucket.upload("a.mp3")
    bucket.transcribe("a.mp3")
    bucket.upload("a.mp3")
    assert bucket.missing() == []
    s3.put_object(Bucket=BUCKET, Key="a.mp3", Body=b"other audio")
    assert bucket.missing() == ["a.mp3"]


def test_a_page_costs_a_few_listings() -> None:
    """Thousands of recordings are compared with their results by listings alone, a few for each thousand."""
    keys = keys_of(3_000)
    with serve(lambda peer: peer.answer(page(keys, peer.path))) as server:
        settings = Settings(api_key="key", storage=ACCOUNT, storage_url=server.url)
        sweep = Sweep(SweepRequest(BUCKET), ObjectStorage.from_settings(settings), settings)
        found = [swept.reference.key for swept in sweep.objects(Deadline(60)) if swept.is_missing]
    assert found == [key for number, key in enumerate(keys[:3_000]) if number % MISSING_EACH == 0]
    assert len(server.requests) <= 3 * 4 + 2  # and none of the pages of results that are no recordings'


def test_time_ends_a_sweep() -> None:
    """A sweep whose time is over stops where it is."""
    keys = keys_of(10)
    with serve(lambda peer: peer.answer(page(keys, peer.path))) as server:
        settings = Settings(api_key="key", storage=ACCOUNT, storage_url=server.url)
        sweep = Sweep(SweepRequest(BUCKET), ObjectStorage.from_settings(settings), settings)
        assert not list(sweep.objects(Deadline(0)))
