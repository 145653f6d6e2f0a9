"""Checks the samples that an MP4's index claims against the bytes of the file, while a demuxer reads the index.

The demuxer makes an entry of 36 bytes for each sample that the index claims, and a few bytes can claim any number of
equally large ones: 4.5 kB of MP4 with 30 million samples took 1.1 GB.
"""

from typing import Final

from transcriber.errors import AudioTooLargeError, UnsupportedAudioError

# Boxes that hold boxes, down to those with samples (ISO/IEC 14496-12).
_PARENTS: Final = frozenset(b"moov trak mdia minf stbl moof traf mvex dinf edts udta wide tref ipro sinf".split(b" "))
# Tables of samples by their length (moov), and runs of samples (moof).
_SAMPLE_TABLES: Final = frozenset({b"stsz", b"stz2", b"trun"})
# A table of times with one entry, of one tick for each sample: these are samples of PCM, which have no entries.
_TIMES: Final = b"stts"
_PCM_TIMES: Final = (1, 1)
# An index that is compressed itself says nothing before it is decompressed, to any size; programs of the nineties wrote
# such ones.
_COMPRESSED: Final = b"cmov"
_HEADER_BYTES: Final = 8
_LONG_HEADER_BYTES: Final = 16
# A header, a version, and two numbers: the beginning of a table.
_TABLE_BYTES: Final = 20
_LONG_SIZE: Final = 1
# Fewer samples than these are never too many.
FREE_SAMPLES: Final = 100_000
# A frame of AAC with silence has as many bytes, and pictures have more; all samples of a file have more on average.
FEWEST_BYTES_A_SAMPLE: Final = 6
# The entries of this many take 150 MB, more than is left of a small function's memory. They are a day of AAC, or five
# hours of video with three tracks of sound.
MAX_SAMPLES: Final = 4_000_000


class SampleClaims:
    """Follows the boxes of an MP4 of `size_bytes`, None if that is not known, in the blocks that a demuxer reads."""

    def __init__(self, size_bytes: int | None) -> None:
        self._size_bytes = size_bytes
        self._samples = 0
        self._is_pcm = False
        self._next_box = 0
        self._rest = b""
        self._rest_end = 0

    def feed(self, position: int, block: bytes) -> None:
        """Look at the block at `position`; `UnsupportedAudioError` for more samples than the bytes can hold.

        `AudioTooLargeError` for more than the memory can.
        """
        if self._rest and self._rest_end == position:
            block, position = self._rest + block, position - len(self._rest)
        self._rest = b""
        while 0 <= (offset := self._next_box - position) < len(block):
            box = block[offset : offset + _LONG_HEADER_BYTES + _TABLE_BYTES]
            if len(box) < self._needed_bytes(box):
                self._rest, self._rest_end = block[offset:], position + len(block)
                return
            self._read(box)

    @staticmethod
    def _needed_bytes(box: bytes) -> int:
        """The bytes of a box that have to be there to be read."""
        if len(box) < _HEADER_BYTES:
            return _HEADER_BYTES
        header = _LONG_HEADER_BYTES if int.from_bytes(box[:4], "big") == _LONG_SIZE else _HEADER_BYTES
        if box[4:8] == _TIMES:
            return min(header + 16, int.from_bytes(box[:4], "big"))
        if box[4:8] not in _SAMPLE_TABLES:
            return header
        return header + (8 if box[4:8] == b"trun" else _TABLE_BYTES - _HEADER_BYTES)

    def _read(self, box: bytes) -> None:
        size, name, header = int.from_bytes(box[:4], "big"), box[4:8], _HEADER_BYTES
        if size == _LONG_SIZE:
            size, header = int.from_bytes(box[8:16], "big"), _LONG_HEADER_BYTES
        if name == _COMPRESSED:
            raise UnsupportedAudioError("The index of the MP4 or QuickTime file is compressed, which is not read here.")
        table = box[header:]
        if name == b"trak":
            self._is_pcm = False
        elif name == _TIMES:
            self._is_pcm = (_number(table, 4), _number(table, 12)) == _PCM_TIMES
        elif name in _SAMPLE_TABLES and not self._is_pcm:
            self._count(_number(table, 4 if name == b"trun" else 8))
        # A size of 0 means the end of the file.
        self._next_box += header if name in _PARENTS else max(size, header) if size else 1 << 63

    def _count(self, samples: int) -> None:
        self._samples += samples
        if self._samples <= FREE_SAMPLES:
            return
        if self._size_bytes is not None and self._samples * FEWEST_BYTES_A_SAMPLE > self._size_bytes:
            raise UnsupportedAudioError(
                f"The index of the MP4 or QuickTime file claims {self._samples:,} samples, and the file has "
                f"{self._size_bytes:,} bytes: it is damaged."
            )
        if self._samples > MAX_SAMPLES:
            raise AudioTooLargeError(
                f"The index of the MP4 or QuickTime file has {self._samples:,} samples; at most {MAX_SAMPLES:,} are "
                "read. Send its sound without its pictures, or in parts."
            )


def _number(table: bytes, start: int) -> int:
    return int.from_bytes(table[start : start + 4], "big")
