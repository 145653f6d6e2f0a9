"""Reads the size that a container states of itself, which says whether it is cut off; sound may be shorter by right."""

from typing import Final

_SEGMENT_ID: Final = b"\x18\x53\x80\x67"
# The properties of a Windows Media file: their identifier, and what stands before the size of the file in them.
_ASF_PROPERTIES: Final = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_SIZE_OFFSET: Final = 16 + 8 + 16


def stated_size_bytes(head: bytes) -> int | None:
    """The size of the file that begins with `head`, as a Matroska or Windows Media container states it."""
    segment = head.find(_SEGMENT_ID)
    if head.startswith(b"\x1aE\xdf\xa3") and segment >= 0:
        start = segment + len(_SEGMENT_ID)
        first = head[start] if start < len(head) else 0
        length = 9 - first.bit_length()  # of the number: one byte, and one more for each leading zero bit
        value = int.from_bytes(head[start : start + length], "big") & ((1 << 7 * length) - 1)
        is_unknown = value == (1 << 7 * length) - 1
        return None if not first or is_unknown else start + length + value
    properties = head.find(_ASF_PROPERTIES)
    if properties >= 0:
        at = properties + _ASF_SIZE_OFFSET
        return int.from_bytes(head[at : at + 8], "little") or None
    return None
