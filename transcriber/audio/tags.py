"""The tags that programs write around recordings, at their beginning and at their end: how long each is."""

from typing import Final

from transcriber.audio import mp3

# A header or footer of an APE tag: its name, version, size without a header, number of items, and flags.
APE_MARK_BYTES: Final = 32
_APE_NAME: Final = b"APETAGEX"
_APE_HAS_HEADER: Final = 0x8000_0000
ID3V1_BYTES: Final = 128
# What has to be there of the end of a file to find a tag.
END_BYTES: Final = ID3V1_BYTES + APE_MARK_BYTES


def tag_bytes(head: bytes) -> int:
    """The length of the tag that `head` begins with; 0 without one."""
    if head.startswith(_APE_NAME) and len(head) >= APE_MARK_BYTES:
        return APE_MARK_BYTES + int.from_bytes(head[12:16], "little")
    return mp3.tag_bytes(head)


def end_tag_bytes(tail: bytes | bytearray) -> int:
    """The length of the tags at the end of a file that ends with `tail`: an APE tag, and the oldest kind of tag."""
    oldest = ID3V1_BYTES if tail[-ID3V1_BYTES:].startswith(b"TAG") and len(tail) >= ID3V1_BYTES else 0
    end = len(tail) - oldest
    mark = tail[max(0, end - APE_MARK_BYTES) : end]
    if not mark.startswith(_APE_NAME) or len(mark) < APE_MARK_BYTES:
        return oldest
    has_header = int.from_bytes(mark[20:24], "little") & _APE_HAS_HEADER
    return oldest + int.from_bytes(mark[12:16], "little") + (APE_MARK_BYTES if has_header else 0)
