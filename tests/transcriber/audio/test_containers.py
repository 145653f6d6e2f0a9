"""Containers: what the first bytes of a file say it is."""

import pytest
from support.kinds import Kind, kinds

from emulator.recognisers.markers import silence_samples
from transcriber.audio.containers import SIGNATURE_BYTES, UNKNOWN, Container, sniff


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"", "nothing at all"),
        (b"\x00\x00\x00\x20ftypM4A ", "an MP4 container (m4a, mp4)"),
        (b"\x00\x00\x00\x14ftypqt  ", "a QuickTime movie"),
        (b"\x00\x00\x00\x14ftyp3gp4", "a 3GP recording"),
        (b"OggS\x00\x02" + bytes(22) + b"OpusHead", "an Ogg container with Opus"),
        (b"OggS\x00\x02", "an Ogg container"),
        (b"fLaC\x00", "FLAC"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\x82\x84webm", "a WebM container"),
        (b"\xff\xf1\x50\x80", "AAC (ADTS)"),
        (b"#!AMR\n", "AMR"),
        (b"\n<!DOCTYPE html><title>Sign in</title>", "a web page"),
        (b"<HTML>", "a web page"),
        (b'{"error": "no"}', "JSON"),
        (b"\x89PNG\r\n", "a picture"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "a picture"),
        (b"%PDF-1.7", "a PDF document"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"Hello there\n", "text"),
        (b"\x00\x01\x02\x03", "unknown bytes"),
    ],
)
def test_recognises_what_people_send(head: bytes, what: str) -> None:
    """What is no WAV and no MP3 is named as people know it."""
    assert sniff(head).name == what


@pytest.mark.parametrize(
    "head",
    [b"#EXTM3U\n", b"ffconcat version 1.0\n", b"<?xml version='1.0'?><MPD/>", b"<html>", b"%PDF-1.7", b"PK\x03\x04"],
)
def test_what_leads_elsewhere_has_no_demuxer(head: bytes) -> None:
    """Playlists, scripts and whatever else names further files are never given to a decoder."""
    assert sniff(head).demuxer is None


@pytest.mark.parametrize("kind", kinds(), ids=str)
def test_every_kind_but_mp3_is_known_by_its_beginning(kind: Kind) -> None:
    """Each container has a demuxer by its first bytes; MPEG audio has no signature, and none is seen in it."""
    finding = sniff(kind.make(silence_samples(0.5))[:SIGNATURE_BYTES])
    if kind.filename.endswith(("mp3", "mp2")):
        assert finding == UNKNOWN
    else:
        assert finding.demuxer is not None


def test_labels_come_with_their_registered_types() -> None:
    """The content types are the registered ones."""
    assert (Container.WAV.content_type, Container.MP3.content_type) == ("audio/wav", "audio/mpeg")
