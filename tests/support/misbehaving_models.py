"""Models that misbehave over recordings whose words and their times are known, at the seam of the backends.

A recording is words with times and a wave as loud as they are; a model is a function from the words of a chunk to the
words that it returns. Each fault is the model's nature: it has it in every call, and so halves and slices have it, too.
"""

import random
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from support.speech import speak

from transcriber.api.backend import CallContext, ChunkTranscript, Usage
from transcriber.api.models import ModelCatalog
from transcriber.chunks.chunk import Chunk
from transcriber.chunks.cut_points import ChunkLimits
from transcriber.chunks.cutters import SampleCutter
from transcriber.deadline import Deadline
from transcriber.request.options import TranscriptionOptions
from transcriber.request_log import JsonLogger
from transcriber.settings import ApiKind, Settings
from transcriber.spans import Segment
from transcriber.transcription.chunk_calls import ChunkCalls
from transcriber.transcription.completeness import transcribe_chunk
from transcriber.transcription.transcript import Transcript, join

SAMPLE_RATE_HZ = 2_000
LOUD = 8_000

# The sentences of a chunk, with times from its first byte, and the chunk's length, become a model's sentences.
Fault = Callable[[Sequence[Segment], float], Sequence[Segment]]


@dataclass(frozen=True)
class KnownRecording:
    """Sentences with their times, and 16-bit mono samples of `SAMPLE_RATE_HZ` that are loud where words are said."""

    sentences: Sequence[Segment]
    samples: bytes = field(repr=False)

    def chunks(self, minutes: float) -> list[Chunk]:
        cutter = SampleCutter(ChunkLimits(minutes * 60), sample_rate_hz=SAMPLE_RATE_HZ, channels=1)
        return [*cutter.feed(self.samples), *cutter.finish()]

    def within(self, chunk: Chunk) -> list[Segment]:
        """The sentences of `chunk`; see `between`."""
        return self.between(chunk.origin_seconds, chunk.span.end_seconds)

    def between(self, start: float, end: float) -> list[Segment]:
        """The sentences of a part, from its first byte; one that is cut has the words that are said in it."""
        found = []
        for sentence in self.sentences:
            if sentence.end_seconds <= start or sentence.start_seconds >= end:
                continue
            words = sentence.text.split()
            seconds = (sentence.end_seconds - sentence.start_seconds) / len(words)
            times = [(sentence.start_seconds + place * seconds, word) for place, word in enumerate(words)]
            inside = [word for moment, word in times if start <= moment + seconds / 2 < end]
            if inside:
                first = max(start, sentence.start_seconds) - start
                found.append(Segment(first, min(end, sentence.end_seconds) - start, " ".join(inside)))
        return found


def simulated(seed: int, *, minutes: float, pace: float = 1.0) -> KnownRecording:
    """Sentences in invented words, each at a pace of its own, with pauses; `pace` is the speaker's."""
    speech = speak(seed, sentences=int(minutes * 60 / pace / 8) + 1)
    samples = array("h", bytes(2 * int((speech.end_seconds / pace + 1) * SAMPLE_RATE_HZ)))
    dice = random.Random(seed)  # noqa: S311 # a simulation, which has to be the same each time
    for span in speech.spans:
        first, last = (int(moment / pace * SAMPLE_RATE_HZ) for moment in (span.start_seconds, span.end_seconds))
        samples[first:last] = array("h", [dice.randint(-LOUD, LOUD) for _ in range(last - first)])
    sentences = [Segment(each.start_seconds / pace, each.end_seconds / pace, each.text) for each in speech.sentences]
    return KnownRecording(sentences, samples.tobytes())


@dataclass
class Misbehaving:
    """A backend whose first model has the fault, and whose others, if any, have none; `faulty` says in which chunks."""

    recording: KnownRecording
    fault: Fault
    gives_times: bool = False
    faulty: Callable[[Chunk], bool] = lambda _: True
    only_with_prompt: bool = False
    calls: list[tuple[str, float]] = field(default_factory=list)

    def is_verbatim(self, options: TranscriptionOptions) -> bool:  # noqa: ARG002 # the protocol's
        return True

    def transcribe(
        self, chunk: Chunk, *, model: str, options: TranscriptionOptions, wants_times: bool = False, **_: object
    ) -> ChunkTranscript:
        self.calls.append((model, chunk.duration_seconds))
        sentences: Sequence[Segment] = self.recording.within(chunk)
        if model == "first" and self.faulty(chunk) and (options.prompt or not self.only_with_prompt):
            sentences = self.fault(sentences, chunk.duration_seconds)
        usage = Usage(calls=1, audio_seconds=chunk.duration_seconds)
        text = " ".join(sentence.text for sentence in sentences)
        segments = tuple(sentences) if wants_times and self.gives_times else None
        return ChunkTranscript(text, model, segments=segments, usage=usage)


@dataclass
class _Listing:
    names: frozenset[str]

    def models(self, *, deadline: Deadline) -> frozenset[str]:  # noqa: ARG002 # the protocol's
        return self.names

    def expected_seconds(self, *_: object, **__: object) -> float:
        return 0.0

    def post(self, *_: object, **__: object) -> Any:
        raise AssertionError


def transcribed(
    backend: Misbehaving,
    chunks: Sequence[Chunk],
    *,
    models: tuple[str, ...] = ("first",),
    options: TranscriptionOptions | None = None,
) -> Transcript:
    """The transcript of the chunks, one after the other, by a backend of the Transcriptions API if it gives times."""
    kind = ApiKind.TRANSCRIPTIONS if backend.gives_times or backend.only_with_prompt else ApiKind.CHAT
    settings = Settings(api_key="key", models=models, model_apis=dict.fromkeys(models, kind))
    calls = ChunkCalls(
        settings=settings,
        api=_Listing(frozenset(models)),
        catalog=ModelCatalog(settings),
        backends={kind: backend},
        options=options or TranscriptionOptions(),
        context=CallContext(Deadline(600), log=JsonLogger("error")),
    )
    results = [result for chunk in chunks for result in transcribe_chunk(chunk, calls)]
    return join(results, model="first", language=None)


def drop(first: float, last: float) -> Fault:
    """Loses the words between two shares of the chunk's length."""

    def fault(sentences: Sequence[Segment], seconds: float) -> list[Segment]:
        return [
            each
            for each in sentences
            if not first * seconds <= (each.start_seconds + each.end_seconds) / 2 < last * seconds
        ]

    return fault


def drop_seconds(share: float, length_seconds: float) -> Fault:
    """Loses the words of `length_seconds` at a share of the chunk's length."""

    def fault(sentences: Sequence[Segment], seconds: float) -> list[Segment]:
        start = share * max(0.0, seconds - length_seconds)
        return [
            each
            for each in sentences
            if not start <= (each.start_seconds + each.end_seconds) / 2 < start + length_seconds
        ]

    return fault


def keep_two(sentences: Sequence[Segment], seconds: float) -> Sequence[Segment]:  # noqa: ARG001 # a fault's
    """Loses all but the first two sentences, as a summary or an answer does."""
    return sentences[:2]


def twice(sentences: Sequence[Segment], seconds: float) -> Sequence[Segment]:  # noqa: ARG001 # a fault's
    """Says everything twice."""
    return [*sentences, *sentences]


def answer(sentences: Sequence[Segment], seconds: float) -> Sequence[Segment]:  # noqa: ARG001 # a fault's
    """Answers a question instead."""
    text = "The capital of France is Paris. It has been the capital for most of the time since the tenth century."
    return [Segment(0.0, 10.0, text)] if sentences else []


def invents(sentences: Sequence[Segment], seconds: float) -> Sequence[Segment]:
    """Appends what was not said."""
    return [*sentences, Segment(seconds, seconds, "Thank you for watching. Please subscribe to the channel.")]


def last_window(sentences: Sequence[Segment], seconds: float) -> Sequence[Segment]:
    """Keeps the words of the last 30 seconds alone."""
    return [each for each in sentences if each.end_seconds > seconds // 30 * 30]


FAULTS: Mapping[str, Fault] = {
    **{f"drop fifth {number + 1}": drop(number / 5, (number + 1) / 5) for number in range(5)},
    "drop first half": drop(0, 0.5),
    "drop second half": drop(0.5, 1),
    "all but two sentences": keep_two,
    "answer to a question": answer,
    "text twice": twice,
    "last window alone": last_window,
}
