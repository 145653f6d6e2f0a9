"""Every kind of recording that people have: the same sound in each container and codec.

The samples that go in are those of `emulator.recognisers.markers`: mono, 16 kHz, 16 bits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from support.encoding import encode
from support.mp3_files import id3v1_after_ape, id3v2_with_cover
from support.wav_files import UNKNOWN_SIZE, chunk, extensible_format, odd_list, wav_file

from emulator.recognisers.markers import Samples


@dataclass(frozen=True)
class Kind:
    """A kind of file: how to make one of samples, and whether these samples come back to the bit."""

    name: str
    filename: str
    make: Callable[[Samples], bytes]
    is_exact: bool = False

    def __str__(self) -> str:
        return self.name


def kinds() -> tuple[Kind, ...]:
    """All of them; each holds the whole sound, and any player plays it."""
    return (*_wav_by_codec(), *_wav_by_header(), *_mp3(), *_containers(), *_videos())


def _kind(name: str, filename: str, container: str, codec: str, *, is_exact: bool = False, **options: Any) -> Kind:
    return Kind(name, filename, lambda samples: encode(samples, container, codec, **options), is_exact)


def _wav_by_codec() -> tuple[Kind, ...]:
    def wav(name: str, codec: str, *, is_exact: bool = False, **options: Any) -> Kind:
        return _kind(f"WAV {name}", "talk.wav", "wav", codec, is_exact=is_exact, **options)

    return (
        wav("u8", "pcm_u8"),
        wav("s16", "pcm_s16le", is_exact=True),
        wav("s24", "pcm_s24le", is_exact=True),
        wav("s32", "pcm_s32le", is_exact=True),
        wav("f32", "pcm_f32le", is_exact=True),
        wav("f64", "pcm_f64le", is_exact=True),
        wav("stereo", "pcm_s16le", channels=2),
        wav("s24 stereo 48 kHz", "pcm_s24le", channels=2, rate_hz=48_000),
        *(wav(f"s16 {rate / 1000:g} kHz", "pcm_s16le", rate_hz=rate) for rate in (8_000, 11_025, 22_050, 44_100)),
        *(wav(f"s16 {rate / 1000:g} kHz", "pcm_s16le", rate_hz=rate) for rate in (48_000, 96_000)),
        wav("mu-law 8 kHz", "pcm_mulaw", rate_hz=8_000),
        wav("A-law 8 kHz", "pcm_alaw", rate_hz=8_000),
        wav("IMA ADPCM", "adpcm_ima_wav"),
        wav("MS ADPCM", "adpcm_ms"),
        wav("with MP3 in it", "libmp3lame", bit_rate=32_000),
        wav("RF64", "pcm_s16le", is_exact=True, options={"rf64": "always"}),
    )


def _wav_by_header() -> tuple[Kind, ...]:
    def wav(name: str, **fields: Any) -> Kind:
        return Kind(f"WAV {name}", "talk.wav", lambda samples: wav_file(samples, **fields), is_exact=True)

    return (
        wav("of data length 0", data_size_bytes=0),
        wav("of data length 0xFFFFFFFF", data_size_bytes=UNKNOWN_SIZE),
        wav("cut off: shorter than it says", data_size_bytes=3600 * 32_000),
        wav("extensible", fmt=extensible_format()),
        wav("with an odd LIST before the data", before=odd_list()),
        wav("with a LIST behind the data", after=chunk(b"LIST", b"INFO" + bytes(400))),
    )


def _mp3() -> tuple[Kind, ...]:
    def mp3(name: str, **options: Any) -> Kind:
        return _kind(f"MP3 {name}", "talk.mp3", "mp3", "libmp3lame", **options)

    plain: dict[str, Any] = {"bit_rate": 64_000, "rate_hz": 44_100}
    no_xing = {"write_xing": "0", "id3v2_version": "0"}

    def tagged(before: bytes, after: bytes) -> Callable[[Samples], bytes]:
        return lambda samples: before + encode(samples, "mp3", "libmp3lame", options=no_xing, **plain) + after

    return (
        mp3("CBR 32", bit_rate=32_000),
        mp3("CBR 128", bit_rate=128_000, rate_hz=44_100),
        mp3("CBR 320 stereo", bit_rate=320_000, rate_hz=48_000, channels=2),
        mp3("VBR", rate_hz=44_100, codec_options={"q": "4", "flags": "+qscale", "global_quality": "472"}),
        mp3("joint stereo", bit_rate=128_000, rate_hz=44_100, channels=2, codec_options={"joint_stereo": "1"}),
        mp3("MPEG-2 24 kHz", bit_rate=48_000, rate_hz=24_000),
        mp3("MPEG-2 22.05 kHz", bit_rate=48_000, rate_hz=22_050),
        mp3("MPEG-2.5 8 kHz", bit_rate=16_000, rate_hz=8_000),
        mp3("without Xing frame", options=no_xing, **plain),
        Kind("MP3 with a large cover picture", "talk.mp3", tagged(id3v2_with_cover(), b"")),
        Kind("MP3 with ID3v1 and APE tags", "talk.mp3", tagged(b"", id3v1_after_ape())),
        _kind("MPEG layer II", "talk.mp2", "mp2", "mp2", bit_rate=128_000, rate_hz=44_100),
    )


def _containers() -> tuple[Kind, ...]:
    aac: dict[str, Any] = {"bit_rate": 64_000, "rate_hz": 44_100}
    at_start = {"movflags": "+faststart"}
    opus: dict[str, Any] = {"bit_rate": 32_000, "rate_hz": 48_000}
    vorbis: dict[str, Any] = {"bit_rate": 64_000, "rate_hz": 44_100}
    telephone: dict[str, Any] = {"bit_rate": 12_200, "rate_hz": 8_000}
    return (
        _kind("M4A, moov at the end", "talk.m4a", "ipod", "aac", **aac),
        _kind("M4A, moov at the start", "talk.m4a", "ipod", "aac", options=at_start, **aac),
        _kind("M4A with ALAC", "talk.m4a", "ipod", "alac", is_exact=True),
        _kind("M4A in fragments", "talk.m4a", "mp4", "aac", options={"movflags": "frag_keyframe+empty_moov"}, **aac),
        _kind("AAC (ADTS)", "talk.aac", "adts", "aac", **aac),
        _kind("3GP with AMR", "talk.3gp", "3gp", "libopencore_amrnb", **telephone),
        _kind("3GP with AAC", "talk.3gp", "3gp", "aac", **aac),
        _kind("AMR", "talk.amr", "amr", "libopencore_amrnb", **telephone),
        _kind("WebM with Opus", "talk.webm", "webm", "libopus", **opus),
        # A browser's recorder cannot go back to write the length.
        _kind("WebM with Opus, live", "talk.webm", "webm", "libopus", options={"live": "1"}, **opus),
        _kind("WebM with Vorbis", "talk.webm", "webm", "vorbis", **vorbis),
        _kind("Matroska with AAC", "talk.mka", "matroska", "aac", **aac),
        _kind("Ogg with Opus", "talk.opus", "ogg", "libopus", **opus),
        _kind("Ogg with Vorbis", "talk.ogg", "ogg", "vorbis", **vorbis),
        _kind("Ogg with FLAC", "talk.oga", "ogg", "flac", is_exact=True),
        _kind("FLAC", "talk.flac", "flac", "flac", is_exact=True),
        _kind("AIFF", "talk.aiff", "aiff", "pcm_s16be", is_exact=True),
        _kind("CAF", "talk.caf", "caf", "pcm_s16le", is_exact=True),
        _kind("AU", "talk.au", "au", "pcm_s16be", is_exact=True),
        _kind("WMA", "talk.wma", "asf", "wmav2", **aac),
        _kind("AC-3", "talk.ac3", "ac3", "ac3", bit_rate=96_000, rate_hz=48_000),
    )


def _videos() -> tuple[Kind, ...]:
    def video(name: str, filename: str, container: str, codec: str, video_codec: str, **options: Any) -> Kind:
        return _kind(f"{name} video", filename, container, codec, video_codec=video_codec, rate_hz=44_100, **options)

    return (
        video("MP4", "talk.mp4", "mp4", "aac", "libx264"),
        video("MP4, moov at the start,", "talk.mp4", "mp4", "aac", "mpeg4", options={"movflags": "+faststart"}),
        video("QuickTime", "talk.mov", "mov", "pcm_s16le", "mpeg4"),
        video("Matroska", "talk.mkv", "matroska", "libmp3lame", "mpeg4"),
        video("AVI", "talk.avi", "avi", "libmp3lame", "mpeg4"),
        video("Flash", "talk.flv", "flv", "aac", "flv"),
        video("MPEG-TS", "talk.ts", "mpegts", "aac", "mpeg2video"),
    )
