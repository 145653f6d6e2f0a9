"""Makes long recordings whose words are known, cheap to make, to cut and to recognise; uploads nothing.

A recording is minutes out of a pool, in an order of its own: each minute is encoded once, and a file is their frames
one after the other. Most of a minute is silence between short sentences, since only words cost a recogniser anything.
"""

import io
import random
from dataclasses import dataclass
from typing import Final

import av
import numpy as np

from emulator.recognisers.markers import SAMPLE_RATE_HZ, Samples, sentence_samples, silence_samples, vocabulary
from soak_run.backlog import PREFIX

BLOCK_SECONDS: Final = 60.0
# Enough that no two recordings have five minutes alike.
POOL_BLOCKS: Final = 24
SENTENCES_IN_BLOCK: Final = 12
WORDS_IN_SENTENCE: Final = (1, 3)
# The least that a coder of speech is used with, and the least for marked words.
ENCODED_RATE_HZ: Final = 8_000
BITS_PER_SECOND: Final = 8_000
FRAME_SAMPLES: Final = 576


@dataclass(frozen=True)
class Hour:
    """A recording of `seconds`, as MP3, and the words in it."""

    key: str
    body: bytes
    words: str
    seconds: float


@dataclass(frozen=True)
class _Block:
    """An encoded minute, and its words."""

    body: bytes
    words: str
    seconds: float


def hours(count: int, *, seconds: float, seed: int) -> list[Hour]:
    """`count` recordings of `seconds` (rounded up to whole minutes), in which hardly any five minutes are alike."""
    dice = random.Random(seed)  # noqa: S311 # a run that can be repeated
    blocks_each = max(1, -int(-seconds // BLOCK_SECONDS))
    pool = [_block(dice) for _ in range(min(POOL_BLOCKS, count * blocks_each))]
    return [_hour(number, dice.choices(pool, k=blocks_each)) for number in range(count)]


def encoded_seconds(size_bytes: int) -> float:
    """How long this number of bytes of such a recording plays."""
    return size_bytes * 8 / BITS_PER_SECOND


def _hour(number: int, blocks: list[_Block]) -> Hour:
    return Hour(
        key=f"{PREFIX}{number:05}.mp3",
        body=b"".join(block.body for block in blocks),
        words=" ".join(block.words for block in blocks),
        seconds=sum(block.seconds for block in blocks),
    )


def _block(dice: random.Random) -> _Block:
    """A minute that begins and ends in silence, so that frames of another one may come before and after it."""
    known = vocabulary()
    sentences = [dice.choices(known, k=dice.randint(*WORDS_IN_SENTENCE)) for _ in range(SENTENCES_IN_BLOCK)]
    place = round(BLOCK_SECONDS / SENTENCES_IN_BLOCK * SAMPLE_RATE_HZ)
    parts: list[Samples] = []
    for words in sentences:
        spoken = sentence_samples(words)
        before = silence_samples((place - len(spoken)) / SAMPLE_RATE_HZ / 2)
        parts += [before, spoken, silence_samples((place - len(spoken) - len(before)) / SAMPLE_RATE_HZ)]
    body, frames = _encode(np.concatenate(parts))
    return _Block(
        body, " ".join(word for words in sentences for word in words), frames * FRAME_SAMPLES / ENCODED_RATE_HZ
    )


def _encode(samples: Samples) -> tuple[bytes, int]:
    """MP3 frames that depend on no frame before them, and their number."""
    context = av.CodecContext.create("libmp3lame", "w")
    assert isinstance(context, av.AudioCodecContext)  # noqa: S101 # for the type checker
    context.sample_rate, context.layout, context.format = ENCODED_RATE_HZ, "mono", "s16p"
    context.bit_rate = BITS_PER_SECOND
    context.options = {"reservoir": "0"}
    resampler = av.AudioResampler("s16p", "mono", ENCODED_RATE_HZ, frame_size=FRAME_SAMPLES)
    frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
    frame.sample_rate = SAMPLE_RATE_HZ
    file, count = io.BytesIO(), 0
    for part in (*resampler.resample(frame), *resampler.resample(None), None):
        for packet in context.encode(part):
            file.write(bytes(packet))
            count += 1
    return file.getvalue(), count
