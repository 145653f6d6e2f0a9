"""What an MP4's index claims is checked against its bytes before a decoder believes it."""

import struct

import pytest
from support.cutting import OnceSource, chunks_of_source, source_of
from support.encoding import encode
from support.long_recordings import real_speech

from transcriber.audio.mp4_claims import FREE_SAMPLES, MAX_SAMPLES, SampleClaims
from transcriber.errors import AudioTooLargeError, UnsupportedAudioError


def box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), name) + body


def table(name: bytes, *numbers: int) -> bytes:
    return box(name, struct.pack(f">{len(numbers)}I", *numbers))


def index(samples: int, *, tracks: int = 1, ticks: int = 1024, size: int = 1) -> bytes:
    """An index whose tracks claim so many samples, each of one `size`."""
    tables = table(b"stts", 0, 1, samples, ticks) + table(b"stsz", 0, size, samples)
    return box(b"moov", *[box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", tables)))) for _ in range(tracks)])


def fragment(samples: int) -> bytes:
    return box(b"moof", box(b"traf", table(b"trun", 0, samples, 0))) + box(b"mdat", bytes(100))


def feed(claims: SampleClaims, data: bytes, block_bytes: int) -> None:
    for position in range(0, len(data), block_bytes):
        claims.feed(position, data[position : position + block_bytes])


BRAND = box(b"ftyp", b"M4A \x00\x00\x00\x00M4A ")
MEDIA = box(b"mdat", bytes(4_000))
CLAIMING = {
    "one track": BRAND + MEDIA + index(30_000_000),
    "an index at the start": BRAND + index(30_000_000) + MEDIA,
    "many tracks": BRAND + index(90_000, tracks=60) + MEDIA,
    "a fragment": BRAND + index(0) + fragment(30_000_000),
    "many fragments": BRAND + index(0) + fragment(90_000) * 60,
    "a table at the end, without times": BRAND + MEDIA + box(b"moov", box(b"trak", table(b"stsz", 0, 1, 30_000_000))),
}


@pytest.mark.parametrize("name", CLAIMING)
@pytest.mark.parametrize("block_bytes", [1, 7, 100, 65_536])
def test_claims_beyond_the_bytes_are_refused(name: str, block_bytes: int) -> None:
    """An index with more samples than the file can hold is an error that says so, in whatever blocks it arrives."""
    data = CLAIMING[name]
    with pytest.raises(UnsupportedAudioError, match=r"claims [\d,]+ samples, and the file has [\d,]+ bytes"):
        feed(SampleClaims(len(data)), data, block_bytes)


@pytest.mark.parametrize("name", CLAIMING)
def test_claiming_files_are_errors_from_end_to_end(name: str) -> None:
    """Such a file is refused when it is cut, whether its size is known or not."""
    data = CLAIMING[name]
    with pytest.raises(UnsupportedAudioError, match="claims"):
        chunks_of_source(source_of(data), 300)
    with pytest.raises((UnsupportedAudioError, AudioTooLargeError)):
        chunks_of_source(OnceSource(data), 300)


def test_claims_beyond_the_memory_are_too_large() -> None:
    """Where the size of a file is not known, or bears its claim out, memory limits the samples."""
    for size_bytes in (None, 10**10):
        with pytest.raises(AudioTooLargeError, match="at most 4,000,000 are read"):
            SampleClaims(size_bytes).feed(0, index(MAX_SAMPLES + 1))
        SampleClaims(size_bytes).feed(0, index(MAX_SAMPLES))


def test_samples_of_pcm_have_no_entries() -> None:
    """An hour of PCM has 173 million samples, and no entry for each; few samples are never too many."""
    SampleClaims(10**9).feed(0, index(173_000_000, ticks=1, size=4))
    SampleClaims(1_000).feed(0, index(FREE_SAMPLES))


def test_honest_files_pass() -> None:
    """Recordings of silence, which have the fewest bytes for a sample, of speech and of PCM pass."""
    samples = real_speech(1, seed=1).samples
    for container, codec in (("ipod", "aac"), ("mov", "pcm_s16le"), ("ipod", "alac"), ("3gp", "aac")):
        for each in (samples, samples * 0):
            data = encode(each, container, codec)
            assert chunks_of_source(source_of(data), 300)[-1].span.end_seconds == pytest.approx(60, abs=0.2)
