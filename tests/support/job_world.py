"""A bucket, a queue, a clock and an API in memory, and instances of the function that may be ended at any step."""

import hashlib
import io
import json
import wave
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from support.object_storage import BUCKET

from transcriber.api.backend import CallContext
from transcriber.api.models import ModelCatalog
from transcriber.api.request_body import FormBody, RequestBody
from transcriber.api.transcriptions import TranscriptionsBackend
from transcriber.cloud.object_storage import StoredObject
from transcriber.deadline import Deadline
from transcriber.delivery.answer import Answer
from transcriber.delivery.error_answers import error_answer
from transcriber.dispatch.dispatcher import Dispatcher
from transcriber.errors import SourceChangedError, SourceNotFoundError, TranscriberError
from transcriber.jobs.callbacks import CallbackStore
from transcriber.jobs.leases import Leases
from transcriber.jobs.records import JobStore
from transcriber.jobs.replays import ReplayStore
from transcriber.jobs.stores import Stores
from transcriber.jobs.sweep_state import SweepMark
from transcriber.request.base64_text import read_base64
from transcriber.request.event import HttpRequest
from transcriber.request.parse import read_request
from transcriber.request_log import JsonLogger, RequestReport
from transcriber.request_scope import RequestScope
from transcriber.services import Services
from transcriber.settings import ApiKind
from transcriber.sources.inline import InlineSource
from transcriber.transcription.recording import Transcriber

RATE_HZ = 8_000
# Six seconds, in three chunks of two.
SECONDS, CHUNK_SECONDS = 6, 2
TIME_LIMIT_SECONDS = 60
JOB_DAYS = 7
# After so many receptions, a queue drops a message.
MAX_RECEPTIONS = 4
ENVIRONMENT = {
    "GENERATIVE_API_KEY": "an-invented-key",
    "MODELS": "whisper-large-v3",
    "TIME_LIMIT": str(TIME_LIMIT_SECONDS),
    "CHUNK_MINUTES": str(CHUNK_SECONDS / 60),
    "PARALLEL_CALLS": "1",  # so that the order of calls is the same in each repetition
    "S3_ACCESS_KEY": "an-access-key",
    "S3_SECRET_KEY": "a-secret-key",
    "OUTPUT_BUCKET": BUCKET,
    "JOB_DAYS": str(JOB_DAYS),
    "QUEUE_URL": "http://127.0.0.1:9/queue",
    "QUEUE_ACCESS_KEY": "an-access-key",
    "QUEUE_SECRET_KEY": "a-secret-key",
}


class Killed(BaseException):
    """The instance is gone; each further step of it raises this, too."""


@dataclass
class Instance:
    """One instance at one request: it is ended at its `kill_at`th step, before its effect or after it.

    At its `meanwhile_at`th call of the API, `meanwhile` happens.
    """

    kill_at: int = 0
    kills_after: bool = False
    meanwhile_at: int = 0
    meanwhile: Callable[[], object] = lambda: None
    steps: int = 0
    calls: int = 0
    requests: int = 0
    is_killed: bool = False

    def step(self, act: Callable[[], Any]) -> Any:
        """Do one step that has an effect outside."""
        self.check()
        self.steps += 1
        if self.steps == self.kill_at and not self.kills_after:
            self.kill()
        done = act()
        if self.steps == self.kill_at:
            self.kill()
        return done

    def check(self) -> None:
        if self.is_killed:
            raise Killed

    def kill(self) -> None:
        self.is_killed = True
        raise Killed


@dataclass
class Message:
    """A message in the queue, and how often it was received."""

    body: str
    receptions: int = 0


@dataclass
class JobWorld:
    """All that outlives an instance."""

    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    objects: dict[str, tuple[StoredObject, bytes]] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    web: dict[str, bytes] = field(default_factory=dict)
    log: io.StringIO = field(default_factory=io.StringIO)

    def put(self, key: str, body: bytes, metadata: Mapping[str, str] | None = None) -> str:
        etag = hashlib.md5(body).hexdigest()  # noqa: S324 # an ETag
        self.objects[key] = (StoredObject(key, etag, len(body), self.now, dict(metadata or {})), body)
        return etag

    def expire(self) -> None:
        """What the lifecycle rules of the bucket do."""
        for key, (stored, _) in list(self.objects.items()):
            is_over = self.now >= stored.modified_at + timedelta(days=JOB_DAYS)
            if is_over and key.startswith(("transcripts/.work/jobs/", "transcripts/.work/uploads/")):
                del self.objects[key]

    def call(
        self, instance: Instance, method: str, path: str, body: Mapping[str, Any] | str = "", **headers: str
    ) -> Answer:
        """The answer of an instance to an event; errors are answered as the handler does."""
        text = body if isinstance(body, str) else json.dumps(body)
        http_request = HttpRequest(method, path, headers, {}, text, "an-id")
        services = self._services(instance)
        scope = RequestScope(Deadline(TIME_LIMIT_SECONDS), JsonLogger(stream=self.log), RequestReport())
        dispatcher = Dispatcher(services)
        request: Any = None
        try:
            request = read_request(http_request, services.settings)
            match type(request).__name__:
                case "TranscriptionRequest":
                    return dispatcher.transcription(request, scope)
                case "SweepRequest":
                    return dispatcher.sweep(request, scope)
                case "UploadEvent":
                    return dispatcher.uploads(request, scope)
                case _:
                    return dispatcher.job_call(request, scope)
        except TranscriberError as error:
            return error_answer(error) if request is None else error_answer(error, request.trigger)

    def deliver(self, message: Message, instance: Instance) -> None:
        """Have an instance receive a message; it stays in the queue where that fails, for a few times."""
        message.receptions += 1
        if message.receptions >= MAX_RECEPTIONS and message in self.messages:
            self.messages.remove(message)
        if self.call(instance, "POST", "/", message.body).status < 300 and message in self.messages:  # a success
            self.messages.remove(message)

    def _services(self, instance: Instance) -> Services:
        """A new instance, whose storage, queue, addresses and API are this world's."""
        services = Services(ENVIRONMENT)
        storage: Any = _Storage(self, instance)

        def stores(deadline: Deadline) -> Stores:
            made = Stores(storage.within(deadline), services.settings)
            now, prefix = lambda: self.now, services.settings.output_prefix
            made.__dict__.update(
                leases=Leases(storage, time_limit_seconds=TIME_LIMIT_SECONDS, now=now),
                callbacks=CallbackStore(storage, prefix=prefix, minute_seconds=60, now=now),
                jobs=JobStore(storage, BUCKET, prefix=prefix, days=JOB_DAYS, now=now),
                sweep_mark=SweepMark(storage, BUCKET, prefix, now=now),
                replays=ReplayStore(
                    storage, BUCKET, prefix=prefix, days=JOB_DAYS, time_limit_seconds=TIME_LIMIT_SECONDS, now=now
                ),
            )
            return made

        services.__dict__.update(
            storage=storage,
            stores=stores,
            queue=_Queue(self, instance),
            open_url=lambda reference, _, version=None: _WebSource(self.web, reference.url, version),
            transcriber=Transcriber(
                settings=services.settings,
                api=_Api(instance),
                catalog=ModelCatalog(services.settings),
                backends={ApiKind.TRANSCRIPTIONS: TranscriptionsBackend()},
                max_memory_bytes=0,
            ),
        )
        return services


class _Queue:
    def __init__(self, world: JobWorld, instance: Instance) -> None:
        self._world, self._instance = world, instance

    def send(self, messages: Sequence[str], *, deadline: Deadline) -> None:
        assert not deadline.has_passed()
        self._instance.step(lambda: self._world.messages.extend(map(Message, messages)))


class _WebSource(InlineSource):
    """A recording at an address."""

    def __init__(self, web: Mapping[str, bytes], url: str, version: str | None) -> None:
        if url not in web:
            raise SourceNotFoundError("There is nothing at the url.", param="url")
        import base64  # noqa: PLC0415 # of this source alone

        super().__init__(read_base64(base64.b64encode(web[url]).decode(), param=None), max_bytes=10**9)
        self.version = version or "one"


class _Storage:
    """Object Storage in memory, as one instance reaches it; each request is counted."""

    def __init__(self, world: JobWorld, instance: Instance) -> None:
        self._world, self._instance = world, instance

    def within(self, deadline: Deadline) -> "_Storage":
        assert not deadline.has_passed()
        return self

    def head(self, bucket: str, key: str) -> StoredObject | None:
        self._request(bucket)
        return self._world.objects[key][0] if key in self._world.objects else None

    def get(self, bucket: str, key: str) -> bytes:
        return self.fetch(bucket, key)[1]

    def fetch(self, bucket: str, key: str) -> tuple[StoredObject, bytes]:
        self._request(bucket)
        if key not in self._world.objects:
            raise SourceNotFoundError(f"There is no object {key}.")
        return self._world.objects[key]

    def read(self, bucket: str, key: str, *, etag: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        self._request(bucket)
        if key not in self._world.objects:
            raise SourceNotFoundError(f"There is no object {key}.")
        stored, body = self._world.objects[key]
        if stored.etag != etag:
            raise SourceChangedError("The object changed while it was read.")
        yield body[start:end]

    def pages(
        self, bucket: str, prefix: str = "", *, after: str = "", deadline: Deadline | None = None
    ) -> Iterator[Sequence[StoredObject]]:
        assert deadline is None or not deadline.has_passed()
        self._request(bucket)
        yield [
            StoredObject(key, stored.etag, stored.size_bytes, stored.modified_at)
            for key, (stored, _) in sorted(self._world.objects.items())
            if key.startswith(prefix) and key > after
        ]

    def put(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]) -> str:
        self._request(bucket)
        return str(self._instance.step(lambda: self._world.put(key, body, metadata)))

    def create(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]) -> str | None:
        self._request(bucket)
        world = self._world
        written: str | None = self._instance.step(
            lambda: None if key in world.objects else world.put(key, body, metadata)
        )
        return written

    def replace(self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str], *, etag: str) -> str | None:
        self._request(bucket)
        world = self._world

        def write() -> str | None:
            is_there = key in world.objects and world.objects[key][0].etag == etag
            return world.put(key, body, metadata) if is_there else None

        written: str | None = self._instance.step(write)
        return written

    def delete(self, bucket: str, key: str) -> None:
        self._request(bucket)
        self._instance.step(lambda: self._world.objects.pop(key, None))

    def _request(self, bucket: str) -> None:
        assert bucket == BUCKET
        self._instance.check()
        self._instance.requests += 1


class _Api:
    """An API whose words name the audio."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

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
        self._instance.check()
        self._instance.calls += 1
        if self._instance.calls == self._instance.meanwhile_at:
            self._instance.meanwhile()
        return read({"text": _words(make_body())})


def _words(body: RequestBody) -> str:
    assert isinstance(body, FormBody)
    samples = b""
    while block := body.file.read(0):
        samples += block
    body.close()
    return f"sound{hashlib.sha256(samples).hexdigest()[:8]} word"


@cache
def audio(version: int) -> bytes:
    """A WAV file with another tone in each second, and in each version."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE_HZ)
        for second in range(SECONDS):
            half, level = 8 + second, 8_000 + 10 * version
            period = half * level.to_bytes(2, "little") + half * (-level).to_bytes(2, "little", signed=True)
            writer.writeframes((period * RATE_HZ)[: RATE_HZ * 2])
    return file.getvalue()


@contextmanager
def may_be_killed() -> Iterator[None]:
    """An instance that is ended answers nothing."""
    with suppress(Killed):
        yield
