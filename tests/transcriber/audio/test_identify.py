"""Audio: identified by its first bytes, with its length, even if its header is wrong."""

import base64
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.recordings import recording, silence

from transcriber.audio import mp3, wav
from transcriber.audio.containers import Container
from transcriber.audio.identify import Audio, DecodedAudio, PassThroughAudio, identify
from transcriber.errors import AudioTooLargeError, TranscriberError, UnsupportedAudioError
from transcriber.request.base64_text import read_base64
from transcriber.sources.inline import InlineSource


def identified(data: bytes, *, max_seconds: float = 3600) -> Audio:
    encoded = read_base64(base64.b64encode(data).decode(), param="audio")
    return identify(InlineSource(encoded, max_bytes=2**30), max_seconds=max_seconds)


def plain(data: bytes) -> PassThroughAudio:
    audio = identified(data)
    assert isinstance(audio, PassThroughAudio)
    return audio


def wav_header(*, tag: int = 1, channels: int = 1, bits: int = 16, data_bytes: int, before: bytes = b"") -> bytes:
    rate = 16_000
    fields = struct.pack("<4sIHHIIHH", b"fmt ", 16, tag, channels, rate, rate * channels * bits // 8, bits // 8, bits)
    return b"RIFF\xff\xff\xff\xffWAVE" + fields + before + struct.pack("<4sI", b"data", data_bytes)


def mp3_frames(count: int, *, bit_rate_index: int = 9) -> bytes:
    """Frames of MPEG-1 layer III at 44.1 kHz, stereo; index 9 is 128 kbit/s, 417 bytes a frame."""
    header = struct.pack(">I", 0xFFFB0000 | bit_rate_index << 12)
    frame = mp3.read_frame(header, 0)
    assert frame is not None
    return (header + bytes(frame.size_bytes - 4)) * count


def id3_tag(size: int) -> bytes:
    return b"ID3\x04\x00\x00" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + bytes(size)


@pytest.mark.parametrize(
    ("name", "container", "seconds"),
    [
        ("jfk.wav", Container.WAV, 11.0),
        ("jfk.mp3", Container.MP3, 11.0),
        ("austen-0870.wav", Container.WAV, 7.1),
        ("austen-0880.wav", Container.WAV, 3.0),
    ],
)
def test_recordings(name: str, container: Container, seconds: float) -> None:
    """Real recordings are known for what they are, and for how long they play."""
    audio = plain(recording(name))
    assert audio.container is container
    assert audio.duration_seconds == pytest.approx(seconds, abs=0.1)


def test_identifying_leaves_the_source_at_its_first_byte() -> None:
    """The bytes that identification read are read again with the audio."""
    data = recording("jfk.mp3")
    audio = identified(data)
    for _ in range(2):
        with audio.source.open() as reader:
            assert reader.read_fully(len(data) + 1) == data


@pytest.mark.parametrize("stated", [0, 0xFFFFFFFF, 0x7FFFFFFF, 0xFFFFFFFF - 36, 64_000_000])
def test_wav_length_fields_are_not_trusted(stated: int) -> None:
    """A missing or too large length in a WAV header is replaced by the length of the samples that are there."""
    assert identified(wav_header(data_bytes=stated) + bytes(32_000)).duration_seconds == pytest.approx(1.0)


def test_what_follows_the_samples_of_a_wav_file_does_not_count() -> None:
    """A list of tags after the samples is not taken for sound."""
    data = wav_header(data_bytes=32_000) + bytes(32_000) + b"LIST" + struct.pack("<I", 64_000) + bytes(64_000)
    assert identified(data).duration_seconds == pytest.approx(1.0)


def test_wav_header_may_be_long() -> None:
    """Chunks before the samples are passed over, however long."""
    before = b"JUNK" + struct.pack("<I", 100_001) + bytes(100_002)
    assert identified(wav_header(data_bytes=32_000, before=before) + bytes(32_000)).duration_seconds == pytest.approx(
        1.0
    )


@pytest.mark.parametrize(
    ("tag", "bits", "codec"),
    [
        (1, 8, "pcm_u8"),
        (1, 24, "pcm_s24le"),
        (1, 32, "pcm_s32le"),
        (3, 32, "pcm_f32le"),
        (6, 8, "pcm_alaw"),
        (7, 8, "pcm_mulaw"),
    ],
)
def test_wav_codecs(tag: int, bits: int, codec: str) -> None:
    """PCM of every width, float, A-law and mu-law are read, by a decoder where they are not of 16 bits."""
    audio = identified(wav_header(tag=tag, bits=bits, data_bytes=4000 * bits) + bytes(4000 * bits))
    assert audio.duration_seconds == 2.0
    assert isinstance(audio, DecodedAudio)
    assert audio.decoder._stream.codec_context.name == codec
    audio.decoder.close()


def test_wav_of_16_bits_is_not_decoded() -> None:
    """What the APIs take stays as it is."""
    assert plain(wav_header(data_bytes=64_000) + bytes(64_000)).duration_seconds == 2.0


def test_wav_of_many_channels_is_decoded() -> None:
    """Sound from six microphones, which no list of formats has, is still a recording."""
    audio = identified(silence(1, channels=6))
    assert isinstance(audio, DecodedAudio)
    assert (audio.duration_seconds, audio.decoder._stream.codec_context.layout.nb_channels) == (1.0, 6)
    audio.decoder.close()


def test_mp3_of_constant_bit_rate() -> None:
    """Without a frame that states the length, it follows from the bit rate and the size."""
    assert identified(mp3_frames(1000)).duration_seconds == pytest.approx(1000 * 1152 / 44_100, rel=0.01)


def test_mp3_of_variable_bit_rate_says_nothing_of_its_length() -> None:
    """Without a constant rate and without a word, the length is not guessed."""
    audio = plain(mp3_frames(10) + mp3_frames(10, bit_rate_index=5) + mp3_frames(200))
    assert audio.duration_seconds is None
    assert audio.missing_seconds == 0


def test_mp3_that_is_cut_off_is_as_long_as_what_is_there() -> None:
    """Of a stream that states twice the bytes that it has, half is there and half is missing."""
    first = bytearray(mp3_frames(1))
    frames = mp3_frames(100)
    first[36:48] = b"Xing" + struct.pack(">II", 3, 201)
    first[48:52] = struct.pack(">I", 201 * len(first))
    audio = plain(bytes(first) + frames)
    seconds = 201 * 1152 / 44_100
    assert audio.duration_seconds == pytest.approx(seconds * 101 / 201)
    assert audio.missing_seconds == pytest.approx(seconds * 100 / 201)


def test_mp3_with_stated_length() -> None:
    """A Xing frame's count of frames is the length at any bit rate."""
    first = bytearray(mp3_frames(1))
    first[36:48] = b"Xing" + struct.pack(">II", 1, 5000)
    assert identified(bytes(first) + mp3_frames(20)).duration_seconds == pytest.approx(5000 * 1152 / 44_100)


@pytest.mark.parametrize("tag_size", [0, 10, 300_000])
def test_mp3_after_a_tag(tag_size: int) -> None:
    """Frames are found after a tag of any size, and after a few bytes of a broken frame."""
    assert plain(id3_tag(tag_size) + bytes(100) + mp3_frames(100)).container is Container.MP3


def test_mp3_after_a_header_that_is_none() -> None:
    """Bytes that look like a frame of another kind, and end at the first real one, do not hide it."""
    other = struct.pack(">I", 0xFFF30000 | 1 << 12)  # MPEG-2, 8 kbit/s at 22.05 kHz
    frame = mp3.read_frame(other, 0)
    assert frame is not None
    audio = plain(other + bytes(frame.size_bytes - 4) + mp3_frames(50))
    assert audio.layout.sample_rate_hz == 44_100


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b"\xff\xfb\x90\x00 and then something else" * 20,
            "kind that is not known here; the first are ff fb 90 00 20 61",
        ),
        (b"<html>404</html>", "a web page"),
        (b"x", "text"),
        (b"RIFF\x00\x00\x00\x00WAVE", "no samples"),
        (wav_header(data_bytes=0), "no samples"),
        (b"RIFF\x00\x00\x00\x00WAVE" + b"JUNK\xff\xff\xff\x7f" + bytes(5000), "no samples"),
        (b"RIFF\x00\x00\x00\x00WAVEdata\x00\x01\x00\x00" + bytes(256), "damaged"),
        (wav_header(tag=0x1234, data_bytes=100) + bytes(100), "WAV, with sound that cannot be decoded"),
        (wav_header(bits=0, data_bytes=100) + bytes(100), "damaged"),
        (silence(1, sample_rate_hz=1_000_000), "an impossible sample rate"),
        (id3_tag(100), "nothing at all"),
        (b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + bytes(600), "not known here; the first are 00 00"),
        (id3_tag(100) + b"OggS" + bytes(1000), "Ogg container that cannot be read"),
    ],
)
def test_other_files_are_refused_by_their_type(data: bytes, message: str) -> None:
    """Anything else is refused with the name of what was found."""
    with pytest.raises(UnsupportedAudioError, match=message):
        identified(data)


def test_longer_than_the_limit() -> None:
    """Audio that plays longer than the limit is refused with both lengths."""
    with pytest.raises(AudioTooLargeError, match=r"2\.0 minutes; the limit is 1 "):
        identified(silence(120), max_seconds=60)


@settings(deadline=None)
@given(
    st.binary(max_size=600),
    st.sampled_from([b"", b"ID3\x04", b"RIFF\x00\x00\x00\x00WAVE", wav_header(data_bytes=9), mp3_frames(4)]),
)
def test_any_bytes_are_audio_or_a_known_error(data: bytes, beginning: bytes) -> None:
    """Any bytes are audio of some length, or an error with an answer."""
    try:
        audio = identified(beginning + data + b"!")
    except TranscriberError:
        return
    assert audio.duration_seconds is None or audio.duration_seconds > 0
    if isinstance(audio, DecodedAudio):
        audio.decoder.close()


def test_size_that_is_not_known_leaves_the_length_open() -> None:
    """Without a size, a WAV file with no length and an MP3 stream of a constant rate have no length yet."""
    layout = wav.read_layout(wav_header(data_bytes=0))
    assert layout is not None
    assert layout.duration_seconds(None) is None
    frames = mp3.read_layout(mp3_frames(20), offset=0)
    assert frames is not None
    assert frames.duration_seconds(None) is None
