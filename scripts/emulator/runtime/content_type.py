"""The content type that Go's server detects in a body that has none: its whole table; pure.

The table is that of the WHATWG's MIME sniffing standard as `net/http.DetectContentType` has it: the first row that
matches decides.
"""

import re

# Go examines this many bytes.
_EXAMINED_BYTES = 512
_WHITESPACE = rb"[\t\n\x0c\r ]*"
# A body with one of these bytes is not text.
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")

TEXT = "text/plain; charset=utf-8"
BINARY = "application/octet-stream"

_HTML_TAGS = rb"!DOCTYPE HTML|HTML|HEAD|SCRIPT|IFRAME|H1|DIV|FONT|TABLE|A|STYLE|TITLE|B|BODY|BR|P|!--"
_ROWS = [
    (re.compile(_WHITESPACE + rb"<(?i:" + _HTML_TAGS + rb")[ >]"), "text/html; charset=utf-8"),
    (re.compile(_WHITESPACE + rb"<\?xml"), "text/xml; charset=utf-8"),
    *[
        (re.compile(pattern, re.DOTALL), kind)
        for pattern, kind in (
            (rb"%PDF-", "application/pdf"),
            (rb"%!PS-Adobe-", "application/postscript"),
            (rb"\xfe\xff..", "text/plain; charset=utf-16be"),
            (rb"\xff\xfe..", "text/plain; charset=utf-16le"),
            (rb"\xef\xbb\xbf.", TEXT),
            (rb"\x00\x00[\x01\x02]\x00", "image/x-icon"),
            (rb"BM", "image/bmp"),
            (rb"GIF8[79]a", "image/gif"),
            (rb"RIFF....WEBPVP", "image/webp"),
            (rb"\x89PNG\r\n\x1a\n", "image/png"),
            (rb"\xff\xd8\xff", "image/jpeg"),
            (rb"FORM....AIFF", "audio/aiff"),
            (rb"ID3", "audio/mpeg"),
            (rb"OggS\x00", "application/ogg"),
            (rb"MThd\x00\x00\x00\x06", "audio/midi"),
            (rb"RIFF....AVI ", "video/avi"),
            (rb"RIFF....WAVE", "audio/wave"),
        )
    ],
]
_LATER_ROWS = [
    (re.compile(pattern, re.DOTALL), kind)
    for pattern, kind in (
        (rb"\x1a\x45\xdf\xa3", "video/webm"),
        (rb".{34}LP", "application/vnd.ms-fontobject"),
        (rb"\x00\x01\x00\x00", "font/ttf"),
        (rb"OTTO", "font/otf"),
        (rb"ttcf", "font/collection"),
        (rb"wOFF", "font/woff"),
        (rb"wOF2", "font/woff2"),
        (rb"\x1f\x8b\x08", "application/x-gzip"),
        (rb"PK\x03\x04", "application/zip"),
        (rb"Rar!\x1a\x07(?:\x00|\x01\x00)", "application/x-rar-compressed"),
        (rb"\x00asm", "application/wasm"),
    )
]
# An MP4 names its brands in its first box, four bytes each; the second of them is a version.
_SHORTEST_MP4 = 12


def content_type_of(body: bytes) -> str:
    """The detected content type of `body`, which is not empty."""
    start = body[:_EXAMINED_BYTES]
    for pattern, kind in _ROWS:
        if pattern.match(start):
            return kind
    if _is_mp4(start):
        return "video/mp4"
    for pattern, kind in _LATER_ROWS:
        if pattern.match(start):
            return kind
    return BINARY if _BINARY.search(start) else TEXT


def _is_mp4(start: bytes) -> bool:
    if len(start) < _SHORTEST_MP4 or start[4:8] != b"ftyp":
        return False
    size = int.from_bytes(start[:4])
    if size > len(start) or size % 4:
        return False
    positions = [position for position in range(8, size, 4) if position != _SHORTEST_MP4]
    return any(start[position : position + 3] == b"mp4" for position in positions)
