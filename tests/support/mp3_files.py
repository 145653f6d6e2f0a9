"""What people's MP3 files carry beside the sound: tags, pictures, and no word about their length."""

import struct
from typing import Final

COVER_SIZE_BYTES: Final = 1_200_000


def id3v2_with_cover(size_bytes: int = COVER_SIZE_BYTES) -> bytes:
    """A tag with a title and a picture of this many bytes, among them some that look like a frame's start."""
    picture = b"\xff\xd8\xff\xe0" + (b"\xff\xfb\x90\x00" + bytes(60)) * (size_bytes // 64) + b"\xff\xd9"
    frames = _id3_frame(b"TIT2", b"\x03A talk") + _id3_frame(b"APIC", b"\x00image/jpeg\x00\x03\x00" + picture)
    return b"ID3\x03\x00\x00" + _seven_bits(len(frames)) + frames


def id3v1_after_ape() -> bytes:
    """An APE tag with a header and a footer, and the oldest tag of all behind it."""
    item = struct.pack("<II", 6, 0) + b"Title\x00A talk"
    footer = struct.pack("<8sIIII8x", b"APETAGEX", 2000, len(item) + 32, 1, 0)
    header = struct.pack("<8sIIII8x", b"APETAGEX", 2000, len(item) + 32, 1, 0xA000_0000)
    return header + item + footer + b"TAG" + b"A talk".ljust(124, b"\x00") + b"\xff"


def _id3_frame(name: bytes, body: bytes) -> bytes:
    return name + struct.pack(">IH", len(body), 0) + body


def _seven_bits(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))
