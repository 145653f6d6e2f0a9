"""Jobs in any order of events: whatever happens, progress never falls, and what is completed or deleted stays so."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from support.job_world import JOB_DAYS, Instance, JobWorld, audio, may_be_killed
from support.object_storage import BUCKET

JOBS = "/v1/audio/transcriptions"
KEY = "incoming/a.wav"
UPLOAD = "transcripts/.work/uploads/{:032x}/talk.wav"
SOURCES = ("object", "upload", "inline", "url")
# Longer than any lease, and any wait between two attempts.
LONG_MINUTES = 61.0
ORDER = ("queued", "in_progress", "completed", "failed")

MEANWHILE = ("delete", "again", "expire")
INSTANCES = st.builds(Instance, kill_at=st.integers(0, 30), kills_after=st.booleans())


@dataclass
class Job:
    """What a client knows of its job."""

    id: str
    source: str
    text: str
    key: str = ""
    looks: list[dict[str, Any]] = field(default_factory=list)
    is_deleted: bool = False

    @property
    def path(self) -> str:
        return f"{JOBS}/{self.id}"


class JobHistories(RuleBasedStateMachine):
    """Any number of jobs, which are created, worked on, looked at, deleted and expire, by instances that are ended."""

    jobs = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.world = JobWorld()
        self.known: list[Job] = []
        self.recordings = 0
        self.world.put(KEY, audio(0))

    @rule(target=jobs, source=st.sampled_from(SOURCES), kill_at=st.integers(0, 6))
    def create(self, source: str, kill_at: int) -> Job | None:
        """A client asks for a job; where the instance is ended, it has none."""
        self.recordings += source != "object"
        version = 0 if source == "object" else self.recordings
        key, body = "", {}
        match source:
            case "object":
                body = {"bucket": BUCKET, "key": KEY}
            case "upload":
                key = UPLOAD.format(version)
                self.world.put(key, audio(version))
                body = {"bucket": BUCKET, "key": key}
            case "inline":
                body = {"audio": base64.b64encode(audio(version)).decode()}
            case _:
                self.world.web[f"http://example.com/{version}"] = audio(version)
                body = {"url": f"http://example.com/{version}"}
        with may_be_killed():
            answer = self.world.call(Instance(kill_at), "POST", "/", {**body, "async": True})
            assert answer.status == 202
            job = Job(json.loads(answer.body)["id"], source, words(version), key)
            self.known.append(job)
            return job
        return None

    @rule(number=st.integers(0, 9), instance=INSTANCES, times=st.integers(1, 2))
    def work(self, number: int, instance: Instance, times: int) -> None:
        """The queue delivers a message, perhaps twice."""
        if self.world.messages:
            message = self.world.messages[number % len(self.world.messages)]
            for _ in range(times):
                with may_be_killed():
                    self.world.deliver(message, instance)

    @rule(
        number=st.integers(0, 9), call=st.integers(1, 3), job=jobs, what=st.sampled_from(["delete", "again", "expire"])
    )
    def work_while(self, number: int, call: int, job: Job | None, what: str) -> None:
        """While an instance is at work, a job is deleted, another one is at it too, or its time is over."""
        if not self.world.messages:
            return
        message = self.world.messages[number % len(self.world.messages)]
        meanwhile: dict[str, Callable[[], object]] = {
            "delete": lambda: self._delete(job, Instance()),
            "again": lambda: self.world.deliver(message, Instance()),
            "expire": self.expire,
        }
        self.world.deliver(message, Instance(meanwhile_at=call, meanwhile=meanwhile[what]))

    @rule(number=st.integers(0, 9))
    def lose(self, number: int) -> None:
        """The queue drops a message."""
        if self.world.messages:
            self.world.messages.pop(number % len(self.world.messages))

    @rule(instance=INSTANCES)
    def sweep(self, instance: Instance) -> None:
        """A schedule fires."""
        with may_be_killed():
            self.world.call(instance, "POST", "/", {"sweep": {"bucket": BUCKET, "prefix": "elsewhere/"}})

    @rule(instance=INSTANCES)
    def client(self, instance: Instance) -> None:
        """A client waits for the transcript of the object that jobs are about, too."""
        with may_be_killed():
            self.world.call(instance, "POST", "/", {"bucket": BUCKET, "key": KEY})

    @rule(job=consumes(jobs), kill_at=st.integers(0, 8))
    def delete(self, job: Job | None, kill_at: int) -> None:
        """A client deletes its job, again where the instance is ended."""
        with may_be_killed():
            self._delete(job, Instance(kill_at))
            return
        self._delete(job, Instance())  # a 404 where the tombstone is there: a sweep removes the rest

    @rule(minutes=st.sampled_from([1.0, 6.0, LONG_MINUTES]))
    def time_passes(self, minutes: float) -> None:
        """Leases end, and waits."""
        self.world.now += timedelta(minutes=minutes)

    @rule()
    def expire(self) -> None:
        """Days pass, and the bucket's rules end what is old."""
        self.world.now += timedelta(days=JOB_DAYS)
        self.world.expire()
        for job in self.known:
            job.is_deleted = True

    @invariant()
    def looks_agree(self) -> None:
        """Progress never falls, a final status stays, a deleted job is a 404, and a look is two requests at most."""
        for job in self.known:
            instance = Instance()
            answer = self.world.call(instance, "GET", job.path)
            assert instance.requests <= 2
            assert answer.status == (404 if job.is_deleted else 200)
            if job.is_deleted:
                continue
            found = json.loads(answer.body)
            if job.looks:
                before = job.looks[-1]
                assert ORDER.index(found["status"]) >= ORDER.index(before["status"])
                assert (found["progress"] or 0) >= (before["progress"] or 0)
                assert found["progress"] is not None or before["progress"] is None
                if before["status"] in {"completed", "failed"}:
                    assert found == before
            assert (found["progress"] == 100) == (found["status"] == "completed")
            job.looks.append(found)
            assert found["status"] != "failed", found["error"]
            if found["status"] == "completed":
                self._check_content(job)

    @invariant()
    def nobody_reads_without_the_id(self) -> None:
        """No other id opens anything."""
        for job in self.known:
            other = job.path[:-1] + ("0" if job.path[-1] != "0" else "1")
            for path in (other, f"{other}/content"):
                assert self.world.call(Instance(), "GET", path).status == 404

    @invariant()
    def no_id_is_in_the_log(self) -> None:
        """No line of the log has an id, and no job has met a fault that code did not foresee."""
        log = self.world.log.getvalue()
        assert not [job.id for job in self.known if job.id in log]
        assert "met a fault" not in log

    def teardown(self) -> None:
        """Without further faults, sweeps and the queue complete each job, and what is deleted leaves a tombstone."""
        for _ in range(12):
            self.world.now += timedelta(minutes=LONG_MINUTES)
            self.world.call(Instance(), "POST", "/", {"sweep": {"bucket": BUCKET, "prefix": "elsewhere/"}})
            for message in list(self.world.messages):
                self.world.deliver(message, Instance())
            self.looks_agree()
        assert self.world.messages == []
        for job in self.known:
            if not job.is_deleted:
                assert job.looks[-1]["status"] == "completed"
                continue
            tombstone = f"transcripts/.work/jobs/{job.id}/job.json"
            left = [key for key in self.world.objects if job.id in key or (job.key and job.key in key)]
            assert set(left) <= {tombstone}
            if tombstone in self.world.objects:
                assert b"example.com" not in self.world.objects[tombstone][1]
        assert KEY in self.world.objects
        self.no_id_is_in_the_log()

    def _check_content(self, job: Job) -> None:
        instance = Instance()
        answer = self.world.call(instance, "GET", f"{job.path}/content")
        assert instance.requests <= 2
        assert (answer.status, json.loads(answer.body)["text"]) == (200, job.text)

    def _delete(self, job: Job | None, instance: Instance) -> None:
        if job is None:
            return
        answer = self.world.call(instance, "DELETE", job.path)
        assert answer.status == 200 or job.is_deleted or instance.is_killed or answer.status == 404
        job.is_deleted = True


def words(version: int) -> str:
    """The transcript of a recording, by a request without faults."""
    world = JobWorld()
    world.put(KEY, audio(version))
    answer = world.call(Instance(), "POST", "/", {"bucket": BUCKET, "key": KEY})
    assert answer.status == 200
    return str(json.loads(answer.body)["text"])


TestJobHistories = JobHistories.TestCase
TestJobHistories.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)
