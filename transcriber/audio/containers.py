"""Recognises the type of a file, audio or not, by its first bytes."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Container(StrEnum):
    """The containers that the APIs take; the value is their label in a chat request and the extension of a file."""

    WAV = "wav"
    MP3 = "mp3"

    @property
    def content_type(self) -> str:
        """The media type: for WAV the usual form of RFC 2361's, for MP3 that of RFC 3003."""
        return "audio/wav" if self is Container.WAV else "audio/mpeg"


# The number of first bytes that decide on the type.
SIGNATURE_BYTES = 1024


@dataclass(frozen=True)
class FileType:
    """A type of file: its common name, and FFmpeg's demuxer for it if there can be sound in it."""

    name: str
    demuxer: str | None = None


UNKNOWN: Final = FileType("unknown bytes")
# These have no signature: what shows them are frames that follow each other.
LOAS_AUDIO: Final = FileType("AAC (LOAS)", "loas")
# MPEG frames have no signature; these are of layer I or II where they are not MP3.
MPEG_AUDIO: Final = FileType("MPEG audio", "mp3")

# The types that people send beside WAV and MP3, by the container's own signature. The demuxer is named, never guessed:
# some of FFmpeg's, such as those for playlists, open further files and addresses.
_SIGNATURES: tuple[tuple[re.Pattern[bytes], FileType], ...] = tuple(
    (re.compile(pattern, re.DOTALL), FileType(name, demuxer))
    for pattern, name, demuxer in (
        (rb"....ftypqt|....(?:moov|mdat|wide|pnot|uuid)", "a QuickTime movie", "mov"),
        (rb"....ftyp3g", "a 3GP recording", "mov"),
        (rb"....ftyp|....(?:free|skip|styp)", "an MP4 container (m4a, mp4)", "mov"),
        (rb"OggS.{24}.{0,255}?OpusHead", "an Ogg container with Opus", "ogg"),
        (rb"OggS", "an Ogg container", "ogg"),
        (rb"fLaC", "FLAC", "flac"),
        (rb"\x1aE\xdf\xa3.{0,64}webm", "a WebM container", "matroska"),
        (rb"\x1aE\xdf\xa3", "a Matroska container", "matroska"),
        (rb"\xff[\xf0\xf1\xf8\xf9]", "AAC (ADTS)", "aac"),
        (rb"#!AMR", "AMR", "amr"),
        (rb"FORM....AIF", "AIFF", "aiff"),
        (rb"RIFF....AVI ", "an AVI video", "avi"),
        (rb"RIFF....WAVE|RF64....WAVE|BW64....WAVE", "WAV", "wav"),
        (rb"RIFX....WAVE", "WAV (big-endian)", "wav"),
        (rb"RIFF....XWMA", "Xbox audio (xWMA)", "xwma"),
        (rb"RIFF....QLCM", "a QCELP recording", "qcp"),
        (rb"riff\x2e\x91\xcf\x11", "Wave64", "w64"),
        (rb"caff", "Core Audio", "caf"),
        (rb"\.snd", "Sun audio", "au"),
        (rb"0&\xb2u\x8ef\xcf\x11", "Windows Media", "asf"),
        (rb"FLV\x01", "a Flash video", "flv"),
        (rb"\x0b\x77...[\x58-\x87]", "Dolby Digital Plus (E-AC-3)", "eac3"),
        (rb"\x0b\x77", "Dolby Digital (AC-3)", "ac3"),
        (rb"\x7f\xfe\x80\x01|\xfe\x7f\x01\x80|\x1f\xff\xe8\x00|\xff\x1f\x00\xe8", "DTS", "dts"),
        (rb"wvpk", "WavPack", "wv"),
        (rb"\x00\x00\x01\xba", "an MPEG program stream", "mpeg"),
        # A packet may have four bytes of time before it (AVCHD, Blu-ray), or sixteen of correction after it.
        (rb"(?:....)?(?:G.{187}G.{187}G|G.{191}G.{191}G|G.{203}G.{203}G)", "an MPEG transport stream", "mpegts"),
        (rb"[\x02\x03]dss", "a dictation (DSS)", "dss"),
        (rb"\.RMF|\.ra\xfd", "RealAudio", "rm"),
        (rb"Creative Voice File\x1a", "Creative Voice", "voc"),
        (rb"TTA[12]", "True Audio (TTA)", "tta"),
        (rb"MAC ", "Monkey's Audio", "ape"),
        (rb"MP\+", "Musepack", "mpc"),
        (rb"MPCK", "Musepack", "mpc8"),
        (rb"tBaK", "TAK", "tak"),
        (rb"DSD ", "DSD (DSF)", "dsf"),
        (rb"FORM....8SVX", "IFF (8SVX)", "iff"),
        (rb"\x06\x0e\x2b\x34\x02\x05\x01\x01", "an MXF video", "mxf"),
        (rb"\x1f\x07\x00", "a DV video", "dv"),
        (rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF....WEBP", "a picture", None),
        (rb"%PDF", "a PDF document", None),
        (rb"PK\x03\x04", "a ZIP archive", None),
        (rb"\x1f\x8b", "gzip data", None),
        (rb"7z\xbc\xaf\x27\x1c|Rar!|BZh[1-9]|\xfd7zXZ", "an archive", None),
        (rb"MThd", "notes without sound (MIDI)", None),
        (rb"\x7fELF|MZ.{38}", "a program", None),
        (rb"SQLite format 3", "a database", None),
        (rb"(?i:\s*(?:<!doctype html|<html))", "a web page", None),
        (rb"\s*<\?xml", "XML", None),
        (rb"\s*[{\[]", "JSON", None),
        (rb"#EXTM3U", "a playlist", None),
    )
)


def sniff(head: bytes) -> FileType:
    """The type of a file that begins with `head`; its name fits a message: `a web page`, `FLAC`, `text`."""
    if not head:
        return FileType("nothing at all")
    for pattern, finding in _SIGNATURES:
        if pattern.match(head):
            return finding
    return FileType("text") if re.fullmatch(rb"[\t\r\n\x20-\x7e]+", head[:SIGNATURE_BYTES]) else UNKNOWN
