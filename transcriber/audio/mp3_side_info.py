"""The side information of MP3 frames: where the fields of loudness are, by the header, and their scale."""

from math import log10
from typing import NamedTuple

from transcriber.audio import mp3

# The step of the quantiser grows by the fourth root of two with each unit of gain: 1.505 dB, the unit of levels here.
DECIBELS_OF_LEVEL = 1.505
# A checksum of two bytes follows the header where this bit is 0.
PROTECTION_SHIFT = 16
_PROTECTION_BYTES = 2
# The fields of a granule's channel: 12 bits of length, 9 of big values, 8 of gain, then the compression of scale
# factors, and, in 16 bits, whether the window is switched and which code books are used.
LENGTH_MASK = 0xFFF
GAIN_MASK = 0xFF
BOOKS_MASK = 0xFFFF
_BOOKS_BITS = 16
_LENGTH_AND_GAIN_BITS = 29
# The largest value of each code book (ISO/IEC 11172-3, table B.7); the last sixteen add this number of bits to 15.
_SMALL_BOOKS = (0, 1, 2, 2, 0, 3, 3, 5, 5, 5, 7, 7, 7, 15, 0, 15)
_ADDED_BITS = (1, 2, 3, 4, 6, 8, 10, 13, 4, 5, 6, 7, 8, 9, 11, 13)


class Shape(NamedTuple):
    """The consequences of a frame's header: its size, and the places of the loudness in its side information."""

    size_bytes: int
    side_start: int
    side_end: int
    reservoir_shift: int
    length_shift: int
    gain_shift: int
    books_shifts: tuple[int, ...]


def shape_of(frame: mp3.Frame, *, is_protected: bool) -> Shape:
    """The places of a frame's fields by ISO/IEC 11172-3 (2.4.1.7) and 13818-3 (2.4.1.7).

    Of the two granules of MPEG 1, the first is enough: no word begins and ends within 13 ms.
    """
    is_stereo = frame.channels == 2  # noqa: PLR2004 # the meaning of stereo
    side_start = mp3.HEADER_BYTES + (_PROTECTION_BYTES if is_protected else 0)
    side_bits = mp3.side_bytes(frame) * 8
    if frame.mpeg1:
        reservoir_bits, fields_start, field_bits, compression_bits = 9, 20 if is_stereo else 18, 59, 4
    else:
        reservoir_bits, fields_start, field_bits, compression_bits = 8, 10 if is_stereo else 9, 63, 9
    gain_shift = compression_bits + _BOOKS_BITS
    read_bits = _LENGTH_AND_GAIN_BITS + gain_shift
    starts = [fields_start + channel * field_bits for channel in range(frame.channels)]
    return Shape(
        size_bytes=frame.size_bytes,
        side_start=side_start,
        side_end=side_start + side_bits // 8,
        reservoir_shift=side_bits - reservoir_bits,
        length_shift=gain_shift + 17,
        gain_shift=gain_shift,
        books_shifts=tuple(side_bits - start - read_bits for start in starts),
    )


def books_level(books: int) -> int:
    """The level, above the step, of the largest value that the code books hold: three of 5 bits, two in short blocks.

    A value is raised to 4/3 when it is multiplied with the step.
    """
    is_switched = books >> 15
    numbers = (books >> 7 & 31, books >> 2 & 31) if is_switched else (books >> 10 & 31, books >> 5 & 31, books & 31)
    largest = max(_SMALL_BOOKS[n] if n < len(_SMALL_BOOKS) else 14 + 2 ** _ADDED_BITS[n - 16] for n in numbers)
    return round(20 * 4 / 3 * log10(max(largest, 0.5)) / DECIBELS_OF_LEVEL)


def channel_level(field: int, shape: Shape) -> int:
    """The level of a granule's channel, whose fields end where `field` does; 0 where it is empty."""
    if not field >> shape.length_shift & LENGTH_MASK:
        return 0
    return (field >> shape.gain_shift & GAIN_MASK) + books_level(field & BOOKS_MASK)
