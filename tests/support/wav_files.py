"""WAV files byte by byte: right ones, and such as recorders leave behind."""

import struct
from typing import Final

from emulator.recognisers.markers import SAMPLE_RATE_HZ, Samples

PCM: Final = 1
EXTENSIBLE: Final = 0xFFFE
# What a recorder writes that does not know the length yet, or has no room for it.
UNKNOWN_SIZE: Final = 0xFFFF_FFFF

_PCM_GUID = struct.pack("<H", PCM) + bytes.fromhex("000000001000800000aa00389b71")


def chunk(name: bytes, body: bytes, *, size_bytes: int | None = None) -> bytes:
    """A RIFF chunk, padded to an even length; `size_bytes` is what it claims, if that is not the truth."""
    return struct.pack("<4sI", name, len(body) if size_bytes is None else size_bytes) + body + bytes(len(body) % 2)


def wav_file(
    samples: Samples, *, data_size_bytes: int | None = None, before: bytes = b"", after: bytes = b"", fmt: bytes = b""
) -> bytes:
    """16 bits, mono, 16 kHz; `data_size_bytes` is claimed for the data, `before` and `after` are chunks around it."""
    data = chunk(b"data", samples.astype("<i2").tobytes(), size_bytes=data_size_bytes)
    body = b"WAVE" + chunk(b"fmt ", fmt or pcm_format()) + before + data + after
    riff_size_bytes = len(body) if data_size_bytes is None else min(UNKNOWN_SIZE, data_size_bytes + 36)
    return chunk(b"RIFF", body, size_bytes=riff_size_bytes)


def pcm_format() -> bytes:
    return struct.pack("<HHIIHH", PCM, 1, SAMPLE_RATE_HZ, 2 * SAMPLE_RATE_HZ, 2, 16)


def extensible_format() -> bytes:
    """The long form, in which the codec stands at the end."""
    head = struct.pack("<HHIIHH", EXTENSIBLE, 1, SAMPLE_RATE_HZ, 2 * SAMPLE_RATE_HZ, 2, 16)
    return head + struct.pack("<HHI", 22, 16, 4) + _PCM_GUID


def odd_list() -> bytes:
    """A chunk of an odd length, which a byte of padding follows that its length does not count."""
    return chunk(b"LIST", b"INFO" + chunk(b"INAM", b"odd")[:-1])


def wav_claiming(seconds: float) -> bytes:
    """A header that promises so much sound, and one second of it."""
    return wav_file_of_silence(1.0, data_size_bytes=min(UNKNOWN_SIZE - 36, int(seconds * SAMPLE_RATE_HZ) * 2))


def wav_file_of_silence(seconds: float, *, data_size_bytes: int | None = None) -> bytes:
    data = chunk(b"data", bytes(int(seconds * SAMPLE_RATE_HZ) * 2), size_bytes=data_size_bytes)
    return chunk(b"RIFF", b"WAVE" + chunk(b"fmt ", pcm_format()) + data)
