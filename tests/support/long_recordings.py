"""Recordings of any length whose words are known, with when each sentence is said; made in seconds.

What is encoded is one block of it; the file is that block again and again, packet by packet, with no encoding in
between. Each block begins and ends in a pause, so that what a codec needs from before is silence.
"""

import io
import random
import wave
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

import av
import numpy as np
from support.recordings import WORDS, recording

from emulator.recognisers.markers import SAMPLE_RATE_HZ, Samples, sentence_samples, silence_samples, vocabulary

SHORTEST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 2.0

# A sentence's words, and its sound.
Sentence = tuple[str, Samples]


@dataclass(frozen=True)
class Spoken:
    """A sentence: its words, in lower case and without punctuation, and when it is said."""

    words: str
    start_seconds: float
    end_seconds: float

    def later(self, seconds: float) -> "Spoken":
        return Spoken(self.words, self.start_seconds + seconds, self.end_seconds + seconds)


@dataclass(frozen=True)
class LongRecording:
    """Mono samples at 16 kHz, and every sentence in them, in order."""

    samples: Samples
    sentences: tuple[Spoken, ...]

    @property
    def words(self) -> str:
        return " ".join(sentence.words for sentence in self.sentences)


@dataclass(frozen=True)
class LongFile:
    """A file, how long it plays, and every sentence in it, in order."""

    data: bytes
    duration_seconds: float
    sentences: tuple[Spoken, ...]

    @property
    def words(self) -> str:
        return " ".join(sentence.words for sentence in self.sentences)


def real_speech(minutes: float, *, seed: int = 0, noise_dbfs: float | None = None) -> LongRecording:
    """The sentences of tests/audio in any order, never one twice running, with pauses of 0.5 to 2 s between them."""
    sentences = [(WORDS[name], _wav_samples(name)) for name in sorted(WORDS) if name.endswith(".wav")]
    dice = random.Random(seed)  # noqa: S311 # the same recording every time, and nothing secret
    before = -1

    def next_sentence() -> Sentence:
        nonlocal before
        before = dice.choice([number for number in range(len(sentences)) if number != before])
        return sentences[before]

    return _recording(next_sentence, minutes, dice, noise_dbfs)


def marked_speech(minutes: float, *, seed: int = 0, noise_dbfs: float | None = None) -> LongRecording:
    """Sentences of 3 to 12 words, written as tones, with pauses of 0.5 to 2 s between them."""
    dice = random.Random(seed)  # noqa: S311 # the same recording every time, and nothing secret
    known = vocabulary()

    def next_sentence() -> Sentence:
        words = dice.choices(known, k=dice.randint(3, 12))
        return " ".join(words), sentence_samples(words)

    return _recording(next_sentence, minutes, dice, noise_dbfs)


def repeat(
    block: LongRecording,
    encoded: bytes,
    times: int,
    *,
    container: str,
    options: Mapping[str, str] | None = None,
) -> LongFile:
    """`block`, which is encoded as `encoded`, repeated in one file; its packets are copied as they are."""
    with (
        NamedTemporaryFile() as file,
        av.open(io.BytesIO(encoded), "r") as source,
        av.open(file.name, "w", format=container, container_options=dict(options or {})) as output,
    ):
        stream = source.streams.audio[0]
        assert stream.time_base is not None
        packets = [packet for packet in source.demux(stream) if packet.size]
        held = [(bytes(packet), packet.duration or 0) for packet in packets]
        copy = output.add_stream_from_template(stream)
        now = 0
        for _ in range(times):
            for data, duration in held:
                packet = av.Packet(data)
                packet.stream, packet.time_base = copy, stream.time_base
                packet.pts = packet.dts = now
                packet.duration = duration
                output.mux(packet)
                now += duration
        output.close()
        whole = Path(file.name).read_bytes()
    block_seconds = float(now / times * stream.time_base)
    later = (sentence.later(turn * block_seconds) for turn in range(times) for sentence in block.sentences)
    return LongFile(whole, block_seconds * times, tuple(later))


def _recording(
    next_sentence: Callable[[], Sentence], minutes: float, dice: random.Random, noise_dbfs: float | None
) -> LongRecording:
    whole = np.zeros(round(minutes * 60 * SAMPLE_RATE_HZ), np.int16)
    spoken: list[Spoken] = []
    position = 0
    while True:
        position += len(silence_samples(dice.uniform(SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)))
        words, samples = next_sentence()
        end = position + len(samples)
        if end + round(SHORTEST_PAUSE_SECONDS * SAMPLE_RATE_HZ) > len(whole):
            break
        whole[position:end] = samples
        spoken.append(Spoken(words, position / SAMPLE_RATE_HZ, end / SAMPLE_RATE_HZ))
        position = end
    if noise_dbfs is not None:
        noise = np.random.default_rng(dice.getrandbits(32)).standard_normal(len(whole), np.float32)
        noisy = whole + noise * np.float32(32768 * 10 ** (noise_dbfs / 20))
        whole = np.clip(np.rint(noisy), -32768, 32767).astype(np.int16)
    return LongRecording(whole, tuple(spoken))


def _wav_samples(name: str) -> Samples:
    with wave.open(io.BytesIO(recording(name))) as reader:
        return np.frombuffer(reader.readframes(reader.getnframes()), np.int16)
