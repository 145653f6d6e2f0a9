"""Tells from its first bytes what something is, audio or not."""

import re
from enum import StrEnum


class Container(StrEnum):
    """The containers that the APIs take; the value is their label in a chat request and the extension of a file."""

    WAV = "wav"
    MP3 = "mp3"

    @property
    def content_type(self) -> str:
        """The registered media type: RFC 2361 for WAV, as everybody writes it, and RFC 3003 for MP3."""
        return "audio/wav" if self is Container.WAV else "audio/mpeg"


# How many first bytes tell what something is.
SIGNATURE_BYTES = 512

# What else people send, by its first bytes: each is a container's own signature, named as people know it.
_SIGNATURES: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), name)
    for pattern, name in (
        (rb"....ftyp(?:qt)", "a QuickTime movie"),
        (rb"....ftyp3g", "a 3GP recording"),
        (rb"....ftyp", "an MP4 container (m4a, mp4)"),
        (rb"OggS.{24}.{0,255}?OpusHead", "an Ogg container with Opus"),
        (rb"OggS", "an Ogg container"),
        (rb"fLaC", "FLAC"),
        (rb"\x1aE\xdf\xa3.{0,64}webm", "a WebM container"),
        (rb"\x1aE\xdf\xa3", "a Matroska container"),
        (rb"\xff[\xf0\xf1\xf8\xf9]", "AAC (ADTS)"),
        (rb"#!AMR", "AMR"),
        (rb"FORM....AIF", "AIFF"),
        (rb"RIFF....AVI ", "an AVI video"),
        (rb"caff", "Core Audio"),
        (rb"\.snd", "Sun audio"),
        (rb"0&\xb2u\x8ef\xcf\x11", "Windows Media"),
        (rb"FLV\x01", "a Flash video"),
        (rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF....WEBP", "a picture"),
        (rb"%PDF", "a PDF document"),
        (rb"PK\x03\x04", "a ZIP archive"),
        (rb"\x1f\x8b", "gzip data"),
        (rb"\s*(?:<!doctype html|<html)", "a web page"),
        (rb"\s*<\?xml", "XML"),
        (rb"\s*[{\[]", "JSON"),
        (rb"#EXTM3U", "a playlist"),
    )
)


def describe(head: bytes) -> str:
    """What `head` begins, in the words of a message: `a web page`, `FLAC`, `text`, `unknown bytes`."""
    if not head:
        return "nothing at all"
    for pattern, name in _SIGNATURES:
        if pattern.match(head if name != "a web page" else head.lower()):
            return name
    return "text" if re.fullmatch(rb"[\t\r\n\x20-\x7e]+", head[:SIGNATURE_BYTES]) else "unknown bytes"
