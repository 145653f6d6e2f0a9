"""Notices where an AAC stream (ADTS) goes on with another rate or other channels, which decoders do not follow."""

from typing import Final

# The bits of a frame's header (ISO/IEC 13818-7, 6.2) with the profile, the rate and the channels.
_KIND_BITS: Final = bytes((0xFF, 0xF0, 0xFD, 0xC0))
_SYNC_BYTE: Final = 0xFF


class AdtsKind:
    """The kind of the frames of a stream."""

    def __init__(self) -> None:
        self._kind: bytes | None = None

    def changes_with(self, header: bytes) -> bool:
        """Whether the frame that begins with `header` is of another kind than the one before."""
        if len(header) < len(_KIND_BITS) or header[0] != _SYNC_BYTE:
            return False
        kind = bytes(byte & bits for byte, bits in zip(header, _KIND_BITS, strict=False))
        before, self._kind = self._kind, kind
        return before is not None and before != kind
