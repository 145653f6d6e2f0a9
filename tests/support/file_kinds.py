"""Files as people have them: tagged, joined, begun in the middle, with wrong headers, of several tracks.

Each stands for a kind, and has the sound of the samples that go in: mono, 16 kHz, 16 bits.
"""

import io
import random
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, cast

import av
import numpy as np
from support.encoding import add_video, encode, encode_tracks
from support.mp3_files import id3v1_after_ape, id3v2_with_cover
from support.wav_files import chunk, wav_file

from emulator.recognisers.markers import SAMPLE_RATE_HZ, Samples

Make = Callable[[Samples], bytes]

NO_TAG: Final = {"write_xing": "0", "id3v2_version": "0"}
ID3: Final = b"ID3\x04\x00\x00\x00\x00\x00\x0aTXXX" + bytes(6)
TS_BYTES: Final = 188


@dataclass(frozen=True)
class FileKind:
    """A file of a `kind`: its sound begins `lead_seconds` late, and up to `lost_seconds` of its start are not there."""

    kind: str
    name: str
    make: Make
    lead_seconds: float = 0.0
    lost_seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


def more_kinds() -> tuple[FileKind, ...]:
    """All of them."""
    return (
        *_tags_before(),
        *_tags_behind(),
        *_padding_and_garbage(),
        *_from_the_middle(),
        *_wav_headers(),
        *_joined(),
        *_tracks(),
        *_times(),
        *_rare_containers(),
    )


def of(container: str, codec: str, **options: Any) -> Make:
    return lambda samples: encode(samples, container, codec, **options)


MP3: Final = of("mp3", "libmp3lame", rate_hz=44_100, bit_rate=64_000, options=NO_TAG)
MP3_48: Final = of("mp3", "libmp3lame", rate_hz=48_000, bit_rate=64_000, options=NO_TAG)
FLAC: Final = of("flac", "flac")
OGG: Final = of("ogg", "libopus", rate_hz=48_000, bit_rate=32_000)
VORBIS: Final = of("ogg", "vorbis", rate_hz=44_100)
M4A: Final = of("ipod", "aac", rate_hz=44_100, options={"movflags": "+faststart"})
FRAGMENTS: Final = of("mp4", "aac", rate_hz=44_100, options={"movflags": "frag_keyframe+empty_moov"})
ADTS: Final = of("adts", "aac", rate_hz=44_100)
WEBM: Final = of("webm", "libopus", rate_hz=48_000)
AIFF: Final = of("aiff", "pcm_s16be")
AC3: Final = of("ac3", "ac3", bit_rate=96_000, rate_hz=48_000)
EAC3: Final = of("eac3", "eac3", bit_rate=96_000, rate_hz=48_000)
TS: Final = of("mpegts", "aac", rate_hz=44_100)
PS: Final = of("vob", "mp2", rate_hz=48_000, bit_rate=64_000)
FLV: Final = of("flv", "aac", rate_hz=44_100)
AMR: Final = of("amr", "libopencore_amrnb", rate_hz=8_000, bit_rate=12_200)


def garbage(size: int, *, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)  # noqa: S311 # the same bytes every time


def ape_tag(size: int, *, at_start: bool = False, version: int = 2000) -> bytes:
    """An APE tag with a picture of `size` bytes; without a header where it stands at the end."""
    item = struct.pack("<II", size, 2) + b"Cover Art (Front)\x00" + garbage(size)
    flags = 0xA000_0000 if at_start else 0
    mark = struct.pack("<8sIIII8x", b"APETAGEX", version, len(item) + 32, 1, flags)
    if not at_start:
        return item + mark
    return mark + item + struct.pack("<8sIIII8x", b"APETAGEX", version, len(item) + 32, 1, 0x8000_0000)


def _before(head: bytes, make: Make) -> Make:
    return lambda samples: head + make(samples)


def _behind(make: Make, tail: bytes) -> Make:
    return lambda samples: make(samples) + tail


def _tags_before() -> Sequence[FileKind]:
    wrong_size = b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + bytes(100)
    return [
        FileKind("tags before", name, _before(head, make))
        for name, head, make in (
            ("two ID3 tags, MP3", ID3 + id3v2_with_cover(20_000), MP3),
            ("three ID3 tags, the last with a picture of 5 MB, MP3", ID3 + ID3 + id3v2_with_cover(5_000_000), MP3),
            ("ID3 with a picture of 6 MB, M4A", id3v2_with_cover(6_000_000), M4A),
            ("two ID3 tags, FLAC", ID3 + id3v2_with_cover(20_000), FLAC),
            ("ID3, MP4 in fragments", ID3, FRAGMENTS),
            ("ID3, WAV", ID3, wav_file),
            ("ID3, Ogg", id3v2_with_cover(50_000), OGG),
            ("ID3, WebM", ID3, WEBM),
            ("ID3, AIFF", ID3, AIFF),
            ("APE tag with a cover, MP3", ape_tag(30_000, at_start=True), MP3),
            ("APE tag, Ogg", ape_tag(300, at_start=True), OGG),
            ("APE and ID3 tags, AAC", ape_tag(3_000, at_start=True) + ID3, ADTS),
            ("ID3 that claims 256 MB, MP3", wrong_size, MP3),
            ("ID3 that claims 256 MB, FLAC", wrong_size, FLAC),
        )
    ]


def _tags_behind() -> Sequence[FileKind]:
    oldest = b"TAG" + bytes(125)
    lyrics = b"LYRICSBEGIN" + b"LYR00005words" * 20 + b"000271LYRICS200"
    return [
        FileKind("tags behind", name, _behind(make, tail))
        for name, make, tail in (
            ("APE, version 1, MP3", MP3, ape_tag(20_000, version=1000)),
            ("APE without a header, MP3", MP3, ape_tag(500)),
            ("APE without a header and ID3v1, MP3", MP3, ape_tag(40_000) + oldest),
            ("APE with a header and ID3v1, MP3", MP3, id3v1_after_ape()),
            ("lyrics and ID3v1, MP3", MP3, lyrics + oldest),
            ("ID3v1, FLAC", FLAC, oldest),
            ("APE, AAC", ADTS, ape_tag(20_000)),
            ("ID3v1, Ogg", OGG, oldest),
            ("APE and ID3v1, WAV", wav_file, ape_tag(500) + oldest),
        )
    ]


def _padding_and_garbage() -> Sequence[FileKind]:
    answer = b"HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\nicy-name: Radio\r\n\r\n"
    return [
        FileKind("padding and garbage", name, _before(head, make))
        for name, head, make in (
            ("10 KB of zeros, MP3", bytes(10_000), MP3),
            ("zeros behind the tag, MP3", ID3 + bytes(10_000), MP3),
            ("zeros between two tags, MP3", ID3 + bytes(3_000) + ID3, MP3),
            ("zeros, FLAC", bytes(100_000), FLAC),
            ("zeros, M4A", bytes(4_097), M4A),
            ("garbage, Ogg", garbage(3_001), OGG),
            ("garbage, AIFF", garbage(30_000), AIFF),
            ("garbage, WAV", garbage(777), wav_file),
            ("garbage, MP3", garbage(50_000), MP3),
            ("garbage, AC-3", garbage(9_000), AC3),
            ("the head of an answer, MP3", answer, MP3),
            ("the head of an answer, AAC", answer, ADTS),
        )
    ]


def _cut(make: Make, start: int) -> Make:
    return lambda samples: make(samples)[start:]


def with_packets_of(make: Make, size: int) -> Make:
    """A transport stream in packets of 192 bytes, with four of time before, or of 204, with sixteen behind."""

    def packets(samples: Samples) -> bytes:
        data = make(samples)
        parts = (data[at : at + TS_BYTES] for at in range(0, len(data), TS_BYTES))
        if size == TS_BYTES:
            return data
        if size == TS_BYTES + 4:
            return b"".join(struct.pack(">I", number) + part for number, part in enumerate(parts))
        return b"".join(part + garbage(16, seed=number) for number, part in enumerate(parts))

    return packets


def _from_the_middle() -> Sequence[FileKind]:
    video_ts = of("mpegts", "mp2", rate_hz=48_000, video_codec="mpeg2video")
    return [
        FileKind("from the middle", name, _cut(make, start), lost_seconds=0.6)
        for name, make, start in (
            ("AAC (ADTS)", ADTS, 1_003),
            ("AC-3", AC3, 500),
            ("E-AC-3", EAC3, 500),
            ("MP3", MP3, 1_111),
            ("AAC (LOAS)", of("latm", "aac", rate_hz=44_100), 700),
            ("MPEG-TS", TS, 1_000),
            ("MPEG-TS of 192 bytes", with_packets_of(TS, 192), 1_001),
            ("MPEG-TS of 192 bytes, whole", with_packets_of(TS, 192), 0),
            ("MPEG-TS of 204 bytes", with_packets_of(TS, 204), 1_002),
            ("MPEG-TS with MP2 and pictures", video_ts, 1_000),
            ("MPEG-PS", PS, 3_000),
        )
    ]


def big_endian(samples: Samples, *, bits: int = 16) -> bytes:
    """A WAV file with all numbers big-endian (RIFX)."""
    values = samples.astype(np.int64) << (bits - 16)
    body = b"".join(int(value).to_bytes(bits // 8, "big", signed=True) for value in values)
    width = bits // 8
    fmt = struct.pack(">4sIHHIIHH", b"fmt ", 16, 1, 1, SAMPLE_RATE_HZ, width * SAMPLE_RATE_HZ, width, bits)
    data = struct.pack(">4sI", b"data", len(body)) + body
    return struct.pack(">4sI4s", b"RIFX", 4 + len(fmt) + len(data), b"WAVE") + fmt + data


def _stating(make: Make, data_bytes: Callable[[int], int]) -> Make:
    """A WAV file that states another length of its samples."""

    def changed(samples: Samples) -> bytes:
        data = make(samples)
        at = data.index(b"data") + 4
        (stated,) = struct.unpack_from("<I", data, at)
        return data[:at] + struct.pack("<I", data_bytes(stated)) + data[at + 4 :]

    return changed


def _wav_headers() -> Sequence[FileKind]:
    def half(stated: int) -> int:
        return stated // 2 // 256 * 256

    placeholders = (0, 0x7FFFF000, 0x7FFFFFDB, 0x80000024, 0xFFFFFFD3, 0xFFFFF000, 0x7FFFFFFF, 0xFFF80000)
    s24 = of("wav", "pcm_s24le")
    made: list[tuple[str, Make]] = [
        ("big-endian", big_endian),
        ("big-endian, 24 bits", lambda samples: big_endian(samples, bits=24)),
        *((f"length {value:#x}", _stating(wav_file, lambda _, value=value: value)) for value in placeholders),  # type: ignore[misc]
        ("24 bits, length 0x7ffff000", _stating(s24, lambda _: 0x7FFFF000)),
        ("half of its length", _stating(wav_file, half)),
        ("24 bits, half of its length", _stating(s24, half)),
        ("float, half of its length", _stating(of("wav", "pcm_f32le"), half)),
        ("mu-law, half of its length", _stating(of("wav", "pcm_mulaw"), half)),
        ("stereo, half of its length", _stating(of("wav", "pcm_s16le", channels=2), half)),
        (
            "half of its length, a list behind",
            lambda samples: _stating(wav_file, half)(samples) + chunk(b"LIST", bytes(64)),
        ),
    ]
    return [FileKind("WAV headers", name, make) for name, make in made]


def joined(*makes: Make, between: bytes = b"") -> Make:
    """The samples in as many files as there are `makes`, one after the other."""

    def whole(samples: Samples) -> bytes:
        length = -(-len(samples) // len(makes))
        parts = (samples[number * length : (number + 1) * length] for number in range(len(makes)))
        return between.join(make(part) for make, part in zip(makes, parts, strict=True))

    return whole


def _joined() -> Sequence[FileKind]:
    mp3_stereo = of("mp3", "libmp3lame", rate_hz=44_100, bit_rate=96_000, channels=2, options=NO_TAG)
    mp3_tagged = of("mp3", "libmp3lame", rate_hz=22_050, bit_rate=48_000)
    wav_48 = of("wav", "pcm_s16le", rate_hz=48_000, channels=2)
    s24 = of("wav", "pcm_s24le", rate_hz=44_100)
    adts_32 = of("adts", "aac", rate_hz=32_000, channels=2)
    flac_44 = of("flac", "flac", rate_hz=44_100, channels=2)
    opus_stereo = of("ogg", "libopus", rate_hz=48_000, channels=2)
    m4a_32 = of("ipod", "aac", rate_hz=32_000, channels=2)
    ts_mp2 = of("mpegts", "mp2", rate_hz=48_000, channels=2)
    return [
        FileKind("joined", name, make)
        for name, make in (
            ("MP3 of 44.1 and 48 kHz", joined(MP3, MP3_48)),
            ("MP3 of three rates", joined(MP3_48, MP3, of("mp3", "libmp3lame", rate_hz=32_000, options=NO_TAG))),
            ("MP3, mono and stereo", joined(MP3, mp3_stereo)),
            ("MP3 with Xing frames and tags", joined(mp3_tagged, MP3_48, mp3_tagged)),
            ("MP3 with ID3v1 between", joined(MP3, MP3_48, between=b"TAG" + bytes(125))),
            ("WAV", joined(wav_file, wav_file, wav_file)),
            ("WAV of other rates", joined(wav_file, wav_48)),
            ("WAV of other widths", joined(wav_file, s24, wav_file)),
            ("WAV, 24 bits first", joined(s24, wav_48)),
            ("WAV and FLAC", joined(wav_file, FLAC)),
            ("WAV and M4A", joined(wav_file, M4A)),
            ("Ogg Opus, mono and stereo", joined(OGG, opus_stereo)),
            ("Ogg Opus and Vorbis", joined(OGG, VORBIS)),
            ("AAC of two rates", joined(ADTS, adts_32, ADTS)),
            ("FLAC of two rates", joined(FLAC, flac_44)),
            ("M4A of two rates", joined(M4A, m4a_32)),
            ("MPEG-TS of two codecs", joined(TS, ts_mp2)),
            ("Flash of two rates", joined(FLV, of("flv", "aac", rate_hz=22_050, channels=2))),
            ("AIFF of two rates", joined(AIFF, of("aiff", "pcm_s24be", rate_hz=48_000))),
            ("MPEG-PS", joined(PS, PS)),
        )
    ]


def with_silent_tracks(container: str, codec: str, *, tracks: int, number: int) -> Make:
    return lambda samples: encode_tracks(
        [samples if each == number else np.zeros_like(samples) for each in range(tracks)], container, codec
    )


def with_unknown_track(number: int) -> Make:
    """An MP4 of two tracks, of which the one with this number has silence in a codec that nobody has."""

    def make(samples: Samples) -> bytes:
        tracks = [np.zeros_like(samples), samples] if number == 0 else [samples, np.zeros_like(samples)]
        parts = encode_tracks(tracks, "mp4", "aac").split(b"mp4a")
        parts[number + 1] = parts[number + 1].replace(b"esds", b"zzzz", 1)
        return (
            parts[0]
            + (b"zzzz" if number == 0 else b"mp4a")
            + parts[1]
            + (b"mp4a" if number == 0 else b"zzzz")
            + parts[2]
        )

    return make


def _tracks() -> Sequence[FileKind]:
    return [
        FileKind("tracks", name, make)
        for name, make in (
            ("Matroska, the first is silent", with_silent_tracks("matroska", "aac", tracks=2, number=1)),
            ("MP4, the first is silent", with_silent_tracks("mp4", "aac", tracks=2, number=1)),
            ("QuickTime, the last of three", with_silent_tracks("mov", "pcm_s16le", tracks=3, number=2)),
            ("MPEG-TS, the second", with_silent_tracks("mpegts", "mp2", tracks=3, number=1)),
            ("MP4, the first in an unknown codec", with_unknown_track(0)),
            ("MP4, the second in an unknown codec", with_unknown_track(1)),
        )
    ]


def with_late_sound(container: str, codec: str, video: str, seconds: float, *, picture_seconds: float = 0.0) -> Make:
    """A video whose sound begins after `seconds`, and whose picture goes on for `picture_seconds` after it."""

    def make(samples: Samples) -> bytes:
        file = io.BytesIO()
        rate = 48_000 if codec in {"mp2", "libopus"} else SAMPLE_RATE_HZ
        with av.open(file, "w", format=container) as output:
            stream = cast("av.AudioStream", output.add_stream(codec, rate=rate, layout="mono"))
            add_video(output, video, seconds + len(samples) / SAMPLE_RATE_HZ + picture_seconds)
            resampler = av.AudioResampler(
                format=stream.format.name, layout="mono", rate=rate, frame_size=stream.frame_size or 1024
            )
            frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
            frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, 0
            position = round(seconds * rate)
            for part in [*resampler.resample(frame), *resampler.resample(None)]:
                part.pts, part.time_base = position, Fraction(1, rate)
                position += part.samples
                output.mux(stream.encode(part))
            output.mux(stream.encode(None))
        return file.getvalue()

    return make


def with_clock(container: str, codec: str, seconds: float) -> Make:
    """A stream whose clock begins at `seconds`."""
    return of(container, codec, rate_hz=48_000, bit_rate=64_000, options={"output_ts_offset": str(seconds)})


def _times() -> Sequence[FileKind]:
    return [
        *(
            FileKind("times", name, make)
            for name, make in (
                ("MPEG-TS, the clock jumps 10 minutes", joined(TS, with_clock("mpegts", "aac", 600))),
                ("MPEG-TS, the clock jumps 10 hours", joined(TS, with_clock("mpegts", "aac", 36_000))),
                (
                    "MPEG-TS, the clock jumps back",
                    joined(with_clock("mpegts", "mp2", 900), with_clock("mpegts", "mp2", 3)),
                ),
                ("MPEG-TS, two jumps", joined(TS, with_clock("mpegts", "aac", 7_000), TS)),
                ("MPEG-PS, the clock jumps 10 minutes", joined(PS, with_clock("vob", "mp2", 600))),
            )
        ),
        FileKind("times", "MP4, sound from 5 s on", with_late_sound("mp4", "aac", "mpeg4", 5), lead_seconds=5),
        FileKind(
            "times", "Matroska, sound from 5 s on", with_late_sound("matroska", "aac", "mpeg4", 5), lead_seconds=5
        ),
        FileKind(
            "times", "MPEG-TS, sound from 3 s on", with_late_sound("mpegts", "mp2", "mpeg2video", 3), lead_seconds=3
        ),
        FileKind(
            "times",
            "Matroska, a picture that is longer",
            with_late_sound("matroska", "aac", "mpeg4", 0, picture_seconds=9),
        ),
        FileKind(
            "times", "MP4, a picture that is longer", with_late_sound("mp4", "aac", "mpeg4", 0, picture_seconds=9)
        ),
        FileKind(
            "times",
            "WebM, a picture that is longer",
            with_late_sound("webm", "libopus", "libvpx", 0, picture_seconds=9),
        ),
    ]


def _rare_containers() -> Sequence[FileKind]:
    return [
        FileKind("rare containers", name, make)
        for name, make in (
            ("E-AC-3", EAC3),
            ("AC-3", AC3),
            ("WavPack", of("wv", "wavpack")),
            ("True Audio", of("tta", "tta")),
            ("Wave64", of("w64", "pcm_s16le")),
            ("AIFF-C", of("aiff", "pcm_s16le")),
            ("Creative Voice", of("voc", "pcm_u8")),
            ("MPEG-PS", PS),
        )
    ]
