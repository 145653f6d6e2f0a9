"""Files as people have them, made from the recordings with known words: each kind in several variations is heard whole.

What is heard is compared with the recording by its loudness, in steps of 20 ms: no codec changes that.
"""

import io
import wave
from collections import Counter
from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from support.cutting import OnceSource, chunks_of_source, source_of, warnings_of
from support.encoding import decode
from support.file_kinds import FileKind, more_kinds
from support.recordings import recording

from emulator.recognisers.markers import SAMPLE_RATE_HZ, Samples
from transcriber.audio.containers import Container
from transcriber.chunks.chunk import Chunk

TALKS = ("austen-0870.wav", "austen-0880.wav", "austen-0930.wav")
STEPS_A_SECOND = 50
# Codecs of 8 bits and of telephones come to 0.9, joints within a fifth of the parts to 0.8, and noise to 0.2.
LEAST_CORRELATION = 0.75
# Kinds whose index is at the end, which a source that can be read once, of unknown size, cannot give.
NOT_ONCE = ("M4A of two rates", "MP4, ", "QuickTime, ", "Core Audio")


@cache
def talk() -> Samples:
    parts = []
    for name in TALKS:
        with wave.open(io.BytesIO(recording(name))) as reader:
            parts.append(np.frombuffer(reader.readframes(reader.getnframes()), np.int16))
    return np.concatenate(parts)


def heard(chunks: Sequence[Chunk]) -> Samples:
    """The samples of all chunks, one after the other, at 16 kHz."""
    parts = []
    for chunk in chunks:
        with chunk.payload.open() as reader:
            data = reader.read_fully(chunk.payload.size_bytes)
        samples = decode(data)
        preroll = round(chunk.preroll_seconds * SAMPLE_RATE_HZ)
        parts.append(samples[preroll:])
        assert chunk.container in Container
    return np.concatenate(parts)


def loudness(samples: Samples) -> NDArray[np.float64]:
    size = SAMPLE_RATE_HZ // STEPS_A_SECOND
    steps = samples[: len(samples) // size * size].astype(np.float64).reshape(-1, size)
    return np.asarray(np.sqrt((steps**2).mean(axis=1) + 100.0))


def correlation(found: Samples, expected: Samples) -> float:
    """How alike both are in their loudness: of parts of 1.5 s, each at its best fit within 0.3 s, all but a fifth.

    Encoders add some hundredths of a second at each end, which shift what follows in a joined file.
    """
    a, b = np.log(loudness(found)), np.log(loudness(expected))
    length, reach = STEPS_A_SECOND * 3 // 2, STEPS_A_SECOND * 3 // 10
    alike = []
    for start in range(reach, len(b) - length - reach, length):
        part = b[start : start + length]
        fits = (a[start + shift : start + shift + length] for shift in range(-reach, reach + 1))
        alike.append(max(float(np.corrcoef(fit, part)[0, 1]) for fit in fits if len(fit) == length))
    return float(np.percentile(alike, 20))


def check(kind: FileKind, chunks: Sequence[Chunk]) -> None:
    found, expected = heard(chunks), talk()
    lead = round(kind.lead_seconds * SAMPLE_RATE_HZ)
    if kind.lost_seconds:
        lost = len(expected) - len(found)
        assert lost < kind.lost_seconds * SAMPLE_RATE_HZ
        expected = expected[max(0, lost) :]
    assert len(found) - lead == pytest.approx(len(expected), abs=0.25 * SAMPLE_RATE_HZ)
    if lead:
        assert np.abs(found[: lead - SAMPLE_RATE_HZ // 5]).max() < 10
        assert chunks[0].loudness.speech[0].start_seconds == pytest.approx(kind.lead_seconds + 0.2, abs=0.4)
    assert correlation(found[lead:], expected) > LEAST_CORRELATION
    warnings = [warning for warning in warnings_of(chunks) if kind.kind != "tracks" or "audio tracks" not in warning]
    assert warnings == []


@pytest.mark.parametrize("kind", more_kinds(), ids=str)
def test_file_is_heard_whole(kind: FileKind) -> None:
    """Each file gives all of its sound, with its times, and no warning; its source can be read again, or once."""
    data = kind.make(talk())
    check(kind, chunks_of_source(source_of(data), 300))
    if kind.kind != "tracks" and not kind.name.startswith(NOT_ONCE):
        check(kind, chunks_of_source(OnceSource(data), 300))


@pytest.mark.parametrize("kind", [kind for kind in more_kinds() if kind.kind in {"joined", "tags behind"}], ids=str)
def test_file_is_heard_whole_in_several_chunks(kind: FileKind) -> None:
    """Cut into chunks of a few seconds, each joined file is as whole as in one."""
    chunks = chunks_of_source(source_of(kind.make(talk())), 4)
    assert len(chunks) > 2
    check(kind, chunks)
    ends = [chunk.span.end_seconds for chunk in chunks]
    assert [chunk.span.start_seconds for chunk in chunks[1:]] == pytest.approx(ends[:-1], abs=0.03)


def test_each_kind_has_variations() -> None:
    """There are at least four files of each kind."""
    counts = Counter(kind.kind for kind in more_kinds())
    assert min(counts.values()) >= 4, counts
