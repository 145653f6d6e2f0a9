"""Makes recordings of any size: MP3 frames with valid headers and random content."""

import base64
import hashlib
import random
from functools import cache
from typing import Final

# MPEG 1 layer III, 128 kbit/s, 44.1 kHz, stereo: 417 bytes a frame, or with padding 418.
_FRAME_HEADER: Final = bytes.fromhex("fffb9000")
_PADDED_HEADER: Final = bytes.fromhex("fffb9200")
_FRAME_BYTES: Final = 417
_TAG_HEADER_BYTES: Final = 10

# The function repeats a call whose text has fewer letters than the audio has seconds, which are 1,800 at most.
TEXT_LETTERS: Final = 2_000
WORD_LETTERS: Final = 8

# What padding cannot take of a size is a tag; of some sources the function sends the frames alone.
MIN_SIZE_BYTES: Final = _TAG_HEADER_BYTES + 3 * _FRAME_BYTES


@cache
def recording(size_bytes: int) -> bytes:
    """A recording of exactly `size_bytes`, the same one each time; 25 MB play 26 minutes."""
    if size_bytes < MIN_SIZE_BYTES:
        raise ValueError(f"A recording has at least {MIN_SIZE_BYTES} bytes")
    frames, padded = divmod(size_bytes, _FRAME_BYTES)
    tag_bytes = 0
    if padded > frames:
        tag_bytes, padded = padded, 0
        if tag_bytes < _TAG_HEADER_BYTES:
            frames, tag_bytes = frames - 1, tag_bytes + _FRAME_BYTES
    # No two frames are alike, so that bytes in a wrong order have another digest.
    step = _FRAME_BYTES - len(_FRAME_HEADER)
    noise = random.Random(size_bytes).randbytes(frames * step)  # noqa: S311 # no secret
    sound = [noise[start : start + step] for start in range(0, len(noise), step)]
    longer = [_PADDED_HEADER + data + b"\0" for data in sound[:padded]]
    body = b"".join([*longer, *(_FRAME_HEADER + data for data in sound[padded:])])
    return (_tag(tag_bytes) if tag_bytes else b"") + body


def expected_transcript(audio: bytes, *, in_base64: bool) -> str:
    """What the benchmark's API answers for `audio`: a fact about each byte that it got, in the form it got them in."""
    sent = base64.b64encode(audio) if in_base64 else audio
    return transcript(len(sent), hashlib.sha256(sent).hexdigest())


def transcript(size_bytes: int, digest: str) -> str:
    """The text that stands for audio, or its base64, of this size and SHA-256; long enough for half an hour of it."""
    letters = hashlib.shake_256(digest.encode()).hexdigest(TEXT_LETTERS // 2)
    words = (letters[start : start + WORD_LETTERS] for start in range(0, TEXT_LETTERS, WORD_LETTERS))
    return f"{size_bytes} bytes with the digest {digest} {' '.join(words)}"


def _tag(size_bytes: int) -> bytes:
    """An ID3v2.3 tag of this size, all padding; its length field has seven bits a byte."""
    length = size_bytes - _TAG_HEADER_BYTES
    return b"ID3\x03\x00\x00" + bytes(length >> shift & 0x7F for shift in (21, 14, 7, 0)) + bytes(length)
