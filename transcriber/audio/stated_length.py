"""The length that a container states, as far as its bytes bear it out."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer

# The container that may have its index at the end, with a size for each packet.
INDEXED_DEMUXERS: Final = frozenset({"mov"})
# These are frames without a container. FFmpeg estimates their length from the rate of the first ones, several times too
# long or too short where silence takes fewer bytes than speech. Transport and program streams and Flash videos have a
# clock, which jumps where files were joined.
DEMUXERS_WITHOUT_LENGTH: Final = frozenset(
    {
        *("aac", "ac3", "amr", "dts", "eac3", "flv", "loas", "mp3", "mpeg", "mpegts"),
    }
)
# Of these, FFmpeg takes the length of the longest track, of pictures too, for that of each.
DEMUXERS_WITHOUT_LENGTH_OF_TRACKS: Final = frozenset({"matroska"})
# No codec takes fewer bytes for speech: AMR's lowest rate is 600 bytes a second. A header that states a length with
# fewer is wrong.
FEWEST_BYTES_PER_SECOND: Final = 100


def stated_length(
    container: "InputContainer", stream: "AudioStream", demuxer: str, size_bytes: int | None
) -> float | None:
    """The length in seconds of a file of `size_bytes`; None when it states none, or one that cannot be."""
    if demuxer in DEMUXERS_WITHOUT_LENGTH:
        return None
    if stream.duration is not None and stream.time_base is not None:
        seconds = float(stream.duration * stream.time_base)
        frame_size = stream.codec_context.frame_size
        if demuxer in INDEXED_DEMUXERS and stream.frames and frame_size > 1:
            seconds = min(seconds, (stream.frames + 1) * frame_size / stream.codec_context.sample_rate)
    elif container.duration is not None:
        seconds = container.duration / 1_000_000
    else:
        return None
    if size_bytes is not None and size_bytes < seconds * FEWEST_BYTES_PER_SECOND:
        return None
    return seconds
