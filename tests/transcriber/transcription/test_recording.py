"""Recordings: from a source to a transcript, by the right models, in time, and with nothing left after a failure."""

import base64
import gc
import io
import json
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest
from support.loopback import Loopback, Peer, serve
from support.recordings import hum

from transcriber.api.backend import Usage
from transcriber.api.chat import ChatBackend
from transcriber.api.client import GenerativeApi
from transcriber.api.models import ModelCatalog
from transcriber.api.transcriptions import TranscriptionsBackend
from transcriber.chunks.chunk import BytesPayload
from transcriber.deadline import Deadline
from transcriber.errors import (
    ApiFailedError,
    ApiRefusedError,
    ApiTimeoutError,
    ModelNotFoundError,
    TranscriberError,
    UnsupportedAudioError,
)
from transcriber.request.base64_text import read_base64
from transcriber.request.options import TranscriptionOptions
from transcriber.request_log import JsonLogger, RequestReport
from transcriber.request_scope import RequestScope
from transcriber.response_format import ResponseFormat
from transcriber.retry import RetryPolicy
from transcriber.settings import ApiKind, Settings
from transcriber.sources.inline import InlineSource
from transcriber.spans import Span
from transcriber.transcription.chunk_result import ChunkResult
from transcriber.transcription.recording import Transcriber, _log_fields
from transcriber.transcription.transcript import Transcript

DEFAULTS = TranscriptionOptions()
CHAT, OTHER = "voxtral-small-24b-2507", "whisper-large-v3"
WORDS = "ask not what your country can do for you"
CHUNK_SECONDS = 15.0


class Apis:
    """Both APIs with two models; each call is answered by the next of its model's texts, and noted."""

    def __init__(self, **texts: list[str]) -> None:
        self.texts = {CHAT: texts.get("chat", []), OTHER: texts.get("other", [])}
        self.called: list[str] = []

    def __call__(self, peer: Peer) -> None:
        if peer.path == "/models":
            peer.answer(json.dumps({"data": [{"id": model} for model in self.texts]}).encode())
            return
        model = CHAT if peer.path == "/chat/completions" else OTHER
        self.called.append(model)
        text = self.texts[model].pop(0)
        choice = {"message": {"content": text}, "finish_reason": "stop"}
        peer.answer(json.dumps({"text": text, "choices": [choice]}).encode())


def transcriber_of(server: Loopback, *, parallel_calls: int = 1, retry: RetryPolicy | None = None) -> Transcriber:
    settings = Settings(
        api_key="key",
        api_url=server.url,
        models=(CHAT, OTHER),
        parallel_calls=parallel_calls,
        chunk_seconds=CHUNK_SECONDS,
        prices={CHAT: 0.6},
    )
    return Transcriber(
        settings,
        GenerativeApi(settings, retry=retry or RetryPolicy(max_attempts=1)),
        ModelCatalog(settings),
        {ApiKind.CHAT: ChatBackend(), ApiKind.TRANSCRIPTIONS: TranscriptionsBackend()},
        max_memory_bytes=10**9,
    )


def source_of(data: bytes) -> InlineSource:
    return InlineSource(read_base64(base64.b64encode(data).decode(), param=None), max_bytes=10**9)


class KeptChunks:
    """A store that has what came of all chunks before a time, and keeps nothing."""

    def __init__(self, text: str, *, end_seconds: float) -> None:
        self.text, self.end_seconds = text, end_seconds

    def expect(self, duration_seconds: float) -> None:
        assert duration_seconds > self.end_seconds

    def has(self, span: Span) -> bool:
        return span.end_seconds <= self.end_seconds

    def load(self, span: Span) -> Sequence[ChunkResult]:
        return (ChunkResult(span, f"{self.text} {span.start_seconds}", CHAT, sound_seconds=span.duration_seconds),)

    def keep(self, span: Span, results: Sequence[ChunkResult]) -> Sequence[ChunkResult]:
        assert not self.has(span)
        return results

    def keep_refusal(self, span: Span, error: TranscriberError) -> None:
        raise AssertionError(span) from error


def scope_of(seconds: float = 30) -> RequestScope:
    return RequestScope(Deadline(seconds), JsonLogger(stream=io.StringIO()), RequestReport())


def transcribe(apis: Apis, options: TranscriptionOptions = DEFAULTS, *, data: bytes | None = None) -> Transcript:
    with serve(apis) as server, source_of(hum(CHUNK_SECONDS) if data is None else data) as source:
        return transcriber_of(server).transcribe(source, options, scope_of())


def test_chunks_of_an_earlier_run_are_part_of_the_pace() -> None:
    """A chunk with half the words of those that are kept is in doubt, though a slow speaker would say as many."""
    seconds = 30.0
    apis = Apis(chat=[" ".join([WORDS] * 5), " ".join(f"{WORDS} {number}" for number in range(9))])
    pauses = [(seconds * number - 0.5, seconds * number + 0.5) for number in (1, 2, 3)]
    with serve(apis) as server, source_of(hum(4 * seconds, pauses=pauses)) as source:
        transcriber = transcriber_of(server)
        transcriber = replace(transcriber, settings=replace(transcriber.settings, chunk_seconds=seconds))
        kept = KeptChunks(" ".join([WORDS] * 10), end_seconds=3.5 * seconds)
        transcript = transcriber.transcribe(source, DEFAULTS, scope_of(), kept)
    assert apis.called == [CHAT, CHAT]
    assert transcript.warnings == ()


def test_open_model() -> None:
    """Without a model in the request, one whose text is empty is followed by the next one, through its own API."""
    apis = Apis(chat=["", ""], other=[WORDS])
    transcript = transcribe(apis)
    assert (transcript.text, transcript.model) == (WORDS, OTHER)
    assert apis.called == [CHAT, CHAT, OTHER]


@pytest.mark.parametrize(("model", "name"), [(CHAT, "chat"), (OTHER, "other")])
def test_model_of_the_request_is_the_only_one(model: str, name: str) -> None:
    """A model in the request whose text is empty causes a warning, and no other one is called."""
    apis = Apis(**{name: ["", ""]})
    transcript = transcribe(apis, TranscriptionOptions(model=model))
    assert (transcript.text, len(transcript.warnings)) == ("", 1)
    assert apis.called == [model, model]


def test_model_that_does_not_exist_is_not_called() -> None:
    """A model in the request that the API's list disproves is an error without a call."""
    apis = Apis()
    with pytest.raises(ModelNotFoundError):
        transcribe(apis, TranscriptionOptions(model="whisper-huge"))
    assert apis.called == []


@pytest.mark.parametrize(("model", "name", "calls"), [(CHAT, "chat", 1), (OTHER, "other", 2)])
def test_prompt(model: str, name: str, calls: int) -> None:
    """A prompt is an instruction to a chat model, whose answer may be short; to another, it is words to expect."""
    apis = Apis(**{name: ["No.", WORDS]})
    transcribe(apis, TranscriptionOptions(model=model, prompt="Is it about money?"))
    assert len(apis.called) == calls


def test_text_of_messages_is_not_sent_to_a_model_that_only_transcribes() -> None:
    """As vocabulary, an instruction would appear as words in silence: it is left out, with a warning."""
    options = TranscriptionOptions(model=OTHER, prompt="Transcribe this audio", prompt_is_instruction=True)
    with serve(Apis(other=[WORDS])) as server, source_of(hum(CHUNK_SECONDS)) as source:
        transcript = transcriber_of(server).transcribe(source, options, scope_of())
        assert not any(b"Transcribe this audio" in request for request in server.requests)
    assert "only transcribes" in transcript.warnings[0]


def long_recording(chunks: int = 3) -> bytes:
    """A recording of several chunks, cut in its pauses."""
    seconds = CHUNK_SECONDS * chunks
    return hum(seconds, pauses=[(CHUNK_SECONDS * n - 0.5, CHUNK_SECONDS * n + 0.5) for n in range(1, chunks)])


def test_times_only_where_they_are_requested() -> None:
    """There are segments for the formats with times, whichever API answers, and none for the others."""
    for options in (DEFAULTS, TranscriptionOptions(response_format=ResponseFormat.SRT)):
        transcript = transcribe(Apis(chat=[WORDS] * 3), options, data=long_recording())
        assert len(transcript.chunks) == 3
        starts = [segment.start_seconds for segment in transcript.segments]
        expected = [span.start_seconds for span in transcript.chunks] if options.wants_times else []
        assert starts == pytest.approx(expected, abs=1)


def test_no_chunk_is_begun_without_time() -> None:
    """When the time is over before the recording is, the next chunk is an error that names TIME_LIMIT."""
    with (
        serve(Apis()) as server,
        source_of(hum(1)) as source,
        pytest.raises(ApiTimeoutError, match=r"longer than 0 s \(TIME_LIMIT\)"),
    ):
        transcriber_of(server).transcribe(source, DEFAULTS, scope_of(0))


def test_report_has_facts_and_cost_but_no_words() -> None:
    """The log has the model, the seconds, the calls, the cost by PRICES and the spans; none of the words."""
    scope = scope_of()
    with serve(Apis(chat=[WORDS])) as server, source_of(hum(CHUNK_SECONDS)) as source:
        transcriber_of(server).transcribe(source, DEFAULTS, scope)
    facts = scope.report.log_fields
    assert (facts["model"], facts["seconds"], facts["calls"], facts["warnings"]) == (CHAT, 15.0, 1, 0)
    assert (facts["cost"], facts["chunks"], facts["not_sent"]) == (0.15, [[0.0, 15.0]], [])
    assert (facts["source"], facts["bytes"]) == ("inline", len(hum(CHUNK_SECONDS)))
    assert WORDS not in str(facts)


def test_log_fields_of_a_transcript() -> None:
    """The log fields are model, length, calls, tokens, cost, spans to a tenth of a second, and how many warnings."""
    transcript = Transcript(
        text="Is 1 < 2?",
        model="whisper-large-v3",
        duration_seconds=3725.5004,
        warnings=("top_p was not used",),
        usage=Usage(calls=14, audio_seconds=3000, prompt_tokens=900, completion_tokens=100),
        chunks=(Span(0, 300.04), Span(600, 3725.5)),
        silent_spans=(Span(300.04, 600),),
    )
    assert _log_fields(transcript, Settings(api_key="key", prices={"whisper-large-v3": 0.003})) == {
        "model": "whisper-large-v3",
        "seconds": 3725.5,
        "calls": 14,
        "tokens": 1000,
        "cost": 0.15,
        "chunks": [[0, 300.0], [600, 3725.5]],
        "not_sent": [[300.0, 600]],
        "warnings": 1,
    }


def test_source_is_reported_even_if_transcribing_fails() -> None:
    """The report has the kind, size and transfer time of a source although nothing could be transcribed."""
    scope = scope_of()
    with serve(Apis()) as server, source_of(b"x" * 100) as source, pytest.raises(UnsupportedAudioError):
        transcriber_of(server).transcribe(source, DEFAULTS, scope)
    facts = scope.report.log_fields
    assert (facts["source"], facts["bytes"]) == ("inline", 100)
    assert "download" in scope.report.phase_seconds


def test_line_of_the_log_stays_short() -> None:
    """However many chunks there are, the log fields of a transcript fit in a line of a few kilobytes."""
    spans = tuple(Span(360_000.0 + number, 360_001.0 + number) for number in range(10_000))
    transcript = Transcript("", "m", 1.0, chunks=spans, silent_spans=spans)
    assert len(json.dumps(_log_fields(transcript, Settings(api_key="key")))) < 8_000


def test_cost_only_where_the_price_is_known() -> None:
    """A model without a price has no cost, and an API that bills by the second no tokens."""
    fields = _log_fields(Transcript("", "whisper-large-v3", 1.0), Settings(api_key="key"))
    assert (fields["cost"], fields["tokens"]) == (None, None)


@contextmanager
def threads_that_end() -> Iterator[None]:
    """Fail if a thread that begins in the block is alive at its end, but for those of the test's server."""
    before = set(threading.enumerate())
    yield
    left = [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("chunk")]
    assert left == []


class HalfBroken:
    """An API that fails one call at once, and lets the others wait: before an answer, or before a retry."""

    def __init__(self, *, others: str) -> None:
        self.others = others
        self.calls = 0
        self.lock = threading.Lock()
        self.waiting = threading.Semaphore(0)

    def __call__(self, peer: Peer) -> None:
        if peer.path == "/models":
            peer.answer(json.dumps({"data": [{"id": CHAT}]}).encode())
            return
        with self.lock:
            self.calls += 1
            is_first = self.calls == 1
        if is_first:
            # Of three calls, the third one waits for its turn, until one of the others ends.
            for _ in range(1 if self.others == "wait for an answer" else 2):
                assert self.waiting.acquire(timeout=20)
            time.sleep(0.1)  # so that the others have begun to wait
            peer.answer(b'{"error": {"message": "no"}}', status="400 X")
        else:
            self.waiting.release()
            if self.others == "wait for an answer":
                peer.wait()
            else:
                peer.answer(b"{}", status="503 X", Retry_After="25")


@pytest.mark.parametrize("others", ["wait for an answer", "wait for a retry"])
def test_failure_leaves_no_thread_and_no_chunk(others: str) -> None:
    """After a failed request its threads have ended, even those that waited, and its chunks are gone from memory.

    Collected without the garbage collector: the chunks of four such requests had made 400 MB.
    """
    payloads: list[weakref.ref[BytesPayload]] = []
    original = BytesPayload.__init__

    def noting(self: BytesPayload, *arguments: object) -> None:
        payloads.append(weakref.ref(self))
        original(self, *arguments)  # type: ignore[arg-type] # as it was called

    gc.collect()
    gc.disable()
    try:
        with pytest.MonkeyPatch.context() as patch, serve(HalfBroken(others=others)) as server:
            patch.setattr(BytesPayload, "__init__", noting)
            transcriber = transcriber_of(server, parallel_calls=3, retry=RetryPolicy(max_attempts=3))
            started = time.monotonic()
            with threads_that_end(), source_of(long_recording()) as source, pytest.raises(ApiRefusedError) as caught:
                transcriber.transcribe(source, DEFAULTS, scope_of())
            assert time.monotonic() - started < 20
            assert caught.value.message.startswith("The API answered 400")
            assert len(payloads) >= 3
            assert [payload() for payload in payloads] == [None] * len(payloads)
    finally:
        gc.enable()


def test_failure_is_not_retried_by_the_others() -> None:
    """Chunks that were in flight when one failed are not sent again."""
    api = HalfBroken(others="wait for a retry")
    with serve(api) as server, source_of(long_recording()) as source:
        transcriber = transcriber_of(server, parallel_calls=3, retry=RetryPolicy(max_attempts=3))
        with pytest.raises(ApiRefusedError, match="The API answered 400"):
            transcriber.transcribe(source, DEFAULTS, scope_of())
        assert api.calls == 3


def test_unreachable_api_is_named() -> None:
    """When the API cannot be reached, the error names its host and why."""
    with serve(Apis()) as server:
        port = server.port
    unreachable = Loopback(port)
    with source_of(hum(1)) as source, pytest.raises(ApiFailedError) as caught:
        transcriber_of(unreachable).transcribe(source, DEFAULTS, scope_of())
    assert caught.value.message == f"The API at 127.0.0.1:{port} cannot be reached: it refuses connections."
