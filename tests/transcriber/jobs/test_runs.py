"""Runs: kills, overwritten audio, duplicates and faults in any order, and each chunk is paid for once all the same."""

import hashlib
import io
import wave
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from support.object_storage import BUCKET

from transcriber.api.backend import CallContext
from transcriber.api.models import ModelCatalog
from transcriber.api.request_body import FormBody, RequestBody
from transcriber.api.transcriptions import TranscriptionsBackend
from transcriber.cloud.object_storage import StoredObject
from transcriber.deadline import Deadline
from transcriber.delivery.answer import Answer
from transcriber.dispatch.dispatcher import Dispatcher
from transcriber.errors import (
    ApiRefusedError,
    ApiTimeoutError,
    BudgetExhaustedError,
    SourceChangedError,
    SourceNotFoundError,
    TranscriberError,
    UnexpectedError,
)
from transcriber.jobs.leases import Leases
from transcriber.jobs.stores import Stores
from transcriber.request.options import TranscriptionOptions
from transcriber.request.s3_events import ObjectReference, UploadEvent
from transcriber.request.sweep_request import SweepRequest
from transcriber.request.transcription_request import TranscriptionRequest
from transcriber.request_log import JsonLogger, RequestReport
from transcriber.request_scope import RequestScope
from transcriber.response_format import ResponseFormat
from transcriber.services import Services
from transcriber.settings import ApiKind
from transcriber.transcription.recording import Transcriber

KEY = "incoming/a.wav"
RESULT = f"transcripts/{KEY}.json"
RECORD = f"transcripts/{KEY}.error.json"
RATE_HZ = 8_000
# Twelve seconds, in four chunks of three.
SECONDS, CHUNK_MINUTES = 12, 0.05
ENVIRONMENT = {
    "GENERATIVE_API_KEY": "an-invented-key",
    "MODELS": "whisper-large-v3",
    "TIME_LIMIT": "60",
    "CHUNK_MINUTES": str(CHUNK_MINUTES),
    "PARALLEL_CALLS": "1",  # so that the order of calls is the same in each repetition
    "S3_ACCESS_KEY": "an-access-key",
    "S3_SECRET_KEY": "a-secret-key",
}
PLAIN = TranscriptionOptions()
OPTIONS = (PLAIN, TranscriptionOptions(language="fr"), TranscriptionOptions(prompt="Names", temperature=0.5))
# Longer than any lease, and any wait between two attempts.
LONG_MINUTES = 61.0


class Killed(BaseException):
    """The instance is gone; each further step of it raises this, too."""


@dataclass(frozen=True)
class Fault:
    """What happens at the `number`th call of the API, or write to the storage: before its effect, or after it."""

    kind: str = "none"
    number: int = 0
    is_after: bool = False

    def at(self, kind: str, number: int, *, is_after: bool = False) -> bool:
        return (self.kind, self.number, self.is_after) == (kind, number, is_after)


FAULTS = st.one_of(
    st.just(Fault()),
    st.builds(Fault, st.just("kill in call"), st.integers(1, 5), st.booleans()),
    st.builds(Fault, st.just("kill in write"), st.integers(1, 14), st.booleans()),
    st.builds(
        Fault,
        st.sampled_from(["times out", "refused", "no budget", "overwrite", "duplicate", "overtaken"]),
        st.integers(1, 5),
    ),
)
API_ERRORS: Mapping[str, Callable[[], TranscriberError]] = {
    "times out": lambda: ApiTimeoutError("No time is left."),
    "refused": lambda: ApiRefusedError("This audio is refused.", api_status=400),
    "no budget": lambda: BudgetExhaustedError("The budget is used up."),
}


@dataclass
class Run:
    """One instance at one request: what happens to it, and what it has paid for and not written yet."""

    fault: Fault = field(default_factory=Fault)
    calls: int = 0
    writes: int = 0
    is_killed: bool = False
    in_flight: list[str] = field(default_factory=list)

    def check(self) -> None:
        if self.is_killed:
            raise Killed

    def kill(self) -> None:
        self.is_killed = True
        raise Killed


class World:
    """The bucket, the clock, and the API's bill."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.objects: dict[str, tuple[StoredObject, bytes]] = {}
        self.paid: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self.versions = 0
        self.complaints: list[str] = []
        self.part_words: dict[str, str] = {}
        self.upload()

    def upload(self) -> None:
        self.versions += 1
        self.put(KEY, audio(self.versions), {})

    def put(self, key: str, body: bytes, metadata: Mapping[str, str]) -> str:
        stored = StoredObject(key, hashlib.md5(body).hexdigest(), len(body), self.now, dict(metadata))  # noqa: S324 # an ETag
        self.objects[key] = (stored, body)
        return stored.etag

    def text_of(self, key: str) -> str | None:
        return None if key not in self.objects else self.objects[key][1].decode()

    def services(self, run: Run) -> Services:
        """A new instance, whose storage and API are this world's."""
        services = Services(ENVIRONMENT)
        storage: Any = Storage(self, run)

        def stores(deadline: Deadline) -> Stores:
            made = Stores(storage.within(deadline), services.settings)
            made.__dict__["leases"] = Leases(storage, time_limit_seconds=60, now=lambda: self.now)
            return made

        parts: dict[str, Any] = {"storage": storage, "stores": stores}
        parts["transcriber"] = Transcriber(
            settings=services.settings,
            api=Api(self, run),
            catalog=ModelCatalog(services.settings),
            backends={ApiKind.TRANSCRIPTIONS: TranscriptionsBackend()},
            max_memory_bytes=0,
        )
        services.__dict__.update(parts)
        return services


class Storage:
    """Object Storage in memory, as one instance reaches it."""

    def __init__(self, world: World, run: Run) -> None:
        self._world, self._run = world, run

    def within(self, deadline: Deadline) -> "Storage":
        assert not deadline.has_passed()
        return self

    def head(self, bucket: str, key: str) -> StoredObject | None:
        self._run.check()
        assert bucket == BUCKET
        return self._world.objects[key][0] if key in self._world.objects else None

    def get(self, bucket: str, key: str) -> bytes:
        if self.head(bucket, key) is None:
            raise SourceNotFoundError(f"There is no object {key}.")
        return self._world.objects[key][1]

    def read(self, bucket: str, key: str, *, etag: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        for place in range(start, min(len(self._world.objects[key][1]), end or 1 << 40), 1 << 16):
            stored = self.head(bucket, key)
            if stored is None or stored.etag != etag:
                raise SourceChangedError("The object changed while it was read.")
            yield self._world.objects[key][1][place : place + (1 << 16)]

    def pages(
        self, bucket: str, prefix: str = "", *, after: str = "", deadline: Deadline | None = None
    ) -> Iterator[Sequence[StoredObject]]:
        assert deadline is None or not deadline.has_passed()
        self._run.check()
        assert bucket == BUCKET
        found = [self._world.objects[key][0] for key in sorted(self._world.objects) if key > after]
        yield [
            StoredObject(each.key, each.etag, each.size_bytes, each.modified_at)
            for each in found
            if each.key.startswith(prefix)
        ]

    def put(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]) -> str:
        assert bucket == BUCKET
        return self._write(lambda: self._world.put(key, body, metadata)) or ""

    def create(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]) -> str | None:
        def write() -> str | None:
            if self.head(bucket, key):
                return None
            if "/parts/" in key and not key.endswith(".refused"):
                self._world.part_words[key] = self._run.in_flight[-1] if self._run.in_flight else ""
                self._run.in_flight.clear()
            return self._world.put(key, body, metadata)

        return self._write(write)

    def replace(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str], *, etag: str) -> str | None:
        def write() -> str | None:
            there = self.head(bucket, key)
            return self._world.put(key, body, metadata) if there and there.etag == etag else None

        return self._write(write)

    def delete(self, bucket: str, key: str) -> None:
        def write() -> str | None:
            assert bucket == BUCKET
            words = self._world.part_words.get(key) if key in self._world.objects else None
            if words and not any(
                words.encode() in body for name, (_, body) in self._world.objects.items() if ".work/" not in name
            ):
                self._world.complaints.append(f"{words} was removed, and is in no transcript")
            self._world.objects.pop(key, None)
            return None

        self._write(write)

    def _write(self, write: Callable[[], str | None]) -> str | None:
        self._run.check()
        self._run.writes += 1
        number, fault = self._run.writes, self._run.fault
        if fault.at("kill in write", number):
            self._run.kill()
        written = write()
        if fault.at("kill in write", number, is_after=True):
            self._run.kill()
        return written


class Api:
    """An API whose words name the audio and the options, and which counts what is paid."""

    def __init__(self, world: World, run: Run) -> None:
        self._world, self._run = world, run

    def models(self, *, deadline: Deadline) -> frozenset[str]:
        assert not deadline.has_passed()
        return frozenset({"whisper-large-v3"})

    def expected_seconds(self, audio_seconds: float) -> float:
        return min(1.0, audio_seconds)

    def post(
        self,
        path: str,
        make_body: Callable[[], RequestBody],
        read: Callable[[Mapping[str, Any]], Any],
        *,
        context: CallContext,
        audio_seconds: float = 0.0,
    ) -> Any:
        assert path == "/audio/transcriptions"
        assert audio_seconds > 0
        context.cancellation.check()
        self._run.check()
        self._run.calls += 1
        number, fault = self._run.calls, self._run.fault
        if fault.at("kill in call", number):
            self._run.kill()
        if fault.at(fault.kind, number):
            if make_error := API_ERRORS.get(fault.kind):
                raise make_error()
            if fault.kind in {"overwrite", "overtaken"}:
                self._world.upload()
            if fault.kind in {"duplicate", "overtaken"}:
                deliver(self._world, Run())
        words = words_of(make_body())
        self._world.paid[words] += 1
        self._run.in_flight.append(words)
        if fault.at("kill in call", number, is_after=True):
            self._run.kill()
        return read({"text": words})


def words_of(body: RequestBody) -> str:
    """A word for the audio, and one for the options."""
    assert isinstance(body, FormBody)
    samples = b""
    while block := body.file.read(0):
        samples += block
    body.close()
    options = "".join(body.fields.get(name, "-") for name in ("language", "prompt", "temperature"))
    return f"sound{hashlib.sha256(samples).hexdigest()[:8]} {hashlib.sha256(options.encode()).hexdigest()[:8]}"


@cache
def audio(version: int) -> bytes:
    """A WAV file with another tone in each second, and in each version; every other quarter of a second is quieter."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE_HZ)
        for second in range(SECONDS):
            for level in (8_000 + 10 * version, 2_000) * 2:
                half = 8 + second
                period = half * level.to_bytes(2, "little") + half * (-level).to_bytes(2, "little", signed=True)
                writer.writeframes((period * RATE_HZ)[: RATE_HZ // 2])
    return file.getvalue()


@cache
def words(version: int, options: TranscriptionOptions) -> str:
    """The transcript of a version, by a run without faults."""
    world = World()
    world.put(KEY, audio(version), {})
    answer = ask(world, Run(), options)
    assert world.paid.total() == SECONDS / (CHUNK_MINUTES * 60)
    return answer.body


def scope() -> RequestScope:
    return RequestScope(Deadline(60), JsonLogger(stream=io.StringIO()), RequestReport())


def ask(world: World, run: Run, options: TranscriptionOptions) -> Answer:
    """A client's request."""
    asked = TranscriptionOptions(
        language=options.language,
        prompt=options.prompt,
        temperature=options.temperature,
        response_format=ResponseFormat.TEXT,
    )
    request = TranscriptionRequest(ObjectReference(BUCKET, KEY), asked)
    return Dispatcher(world.services(run)).transcription(request, scope())


def deliver(world: World, run: Run, times: int = 1) -> None:
    """An event of the upload, which may name it several times."""
    event = UploadEvent((ObjectReference(BUCKET, KEY),) * times)
    with expected_errors():
        Dispatcher(world.services(run)).uploads(event, scope())


def sweep(world: World, run: Run) -> None:
    """A sweep without a queue."""
    with expected_errors():
        Dispatcher(world.services(run)).sweep(SweepRequest(BUCKET), scope())


@contextmanager
def expected_errors() -> Iterator[None]:
    """Errors that are answered; none that code did not foresee."""
    try:
        yield
    except UnexpectedError as error:
        raise AssertionError(error) from error
    except TranscriberError:
        pass


class Runs(RuleBasedStateMachine):
    """Any number of requests, uploads and sweeps, each with a fault of its own, while the audio is replaced."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    @rule(options=st.sampled_from(OPTIONS), fault=FAULTS)
    def client(self, options: TranscriptionOptions, fault: Fault) -> None:
        """A client asks, and gets the words of its options and of a version that was there meanwhile, or an error."""
        before = self.world.versions
        answers: list[Answer] = []
        self._run(fault, lambda run: answers.append(ask(self.world, run, options)))
        for answer in answers:
            if answer.status == 200:
                allowed = [words(version, options) for version in range(before, self.world.versions + 1)]
                assert answer.body in allowed

    @rule(times=st.integers(1, 2), fault=FAULTS)
    def uploaded(self, times: int, fault: Fault) -> None:
        """The upload is announced, perhaps twice."""
        self._run(fault, lambda run: deliver(self.world, run, times))

    @rule(fault=FAULTS)
    def swept(self, fault: Fault) -> None:
        """A schedule fires."""
        self._run(fault, lambda run: sweep(self.world, run))

    @rule()
    def overwritten(self) -> None:
        """New audio is uploaded under the same key."""
        self.world.upload()

    @rule(minutes=st.sampled_from([1.0, 2.0, LONG_MINUTES]))
    def time_passes(self, minutes: float) -> None:
        """Leases end, and waits."""
        self.world.now += timedelta(minutes=minutes)

    @invariant()
    def no_chunk_is_paid_too_often(self) -> None:
        """A chunk is paid at most once more than it was in flight when its instance was killed."""
        for chunk, times in self.world.paid.items():
            assert times <= 1 + self.world.lost[chunk]

    @invariant()
    def what_is_paid_is_stored(self) -> None:
        """No part is removed whose words are in no transcript."""
        assert self.world.complaints == []

    @invariant()
    def results_are_of_their_options(self) -> None:
        """A stored transcript that names the present version has its words."""
        stored = self.world.objects.get(RESULT)
        if stored and stored[0].metadata["audio-etag"] == self.world.objects[KEY][0].etag:
            for word in words(self.world.versions, PLAIN).split():
                assert word in stored[1].decode()

    def teardown(self) -> None:
        """Without further faults, sweeps alone bring the recording to its transcript, or to a record."""
        for _ in range(8):
            self.world.now += timedelta(minutes=LONG_MINUTES)
            sweep(self.world, Run())
            self.no_chunk_is_paid_too_often()
        etag = self.world.objects[KEY][0].etag
        results = {
            key: self.world.objects[key][0].metadata["audio-etag"]
            for key in (RESULT, RECORD)
            if key in self.world.objects
        }
        assert list(results.values()) == [etag]
        assert f"transcripts/.work/done/{KEY}.{etag}" in self.world.objects
        assert [key for key in self.world.objects if "/leases/" in key] == []
        self.what_is_paid_is_stored()
        self.results_are_of_their_options()

    def _run(self, fault: Fault, do: Callable[[Run], object]) -> None:
        run = Run(fault)
        with suppress(Killed), expected_errors():
            do(run)
        if run.is_killed:
            self.world.lost.update(run.in_flight)
        else:
            assert run.in_flight == []  # each result that was paid for became a part


TestRuns = Runs.TestCase
TestRuns.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)
