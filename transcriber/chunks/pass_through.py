"""Decides whether a recording is sent as it is, while it arrives: one that fits a call, and begins with clear sound."""

from typing import Final

from transcriber.audio import wav
from transcriber.audio.identify import Layout, PassThroughAudio
from transcriber.audio.loudness import Loudness, LoudnessMeter
from transcriber.audio.mp3_frames import FrameScanner
from transcriber.audio.mp3_sides import sides_cancel
from transcriber.audio.pcm import samples_of
from transcriber.audio.sides import samples_cancel
from transcriber.audio.streams import ends_alike
from transcriber.chunks.cut_points import ChunkLimits
from transcriber.chunks.cutters import MAYBE_QUIET_DECIBELS
from transcriber.sources.base import Source

# The parts of a recording's beginning that are examined before it is sent as it arrives, one after the other, as long
# as there is nothing but noise: two seconds and more, and eight.
EXAMINED_BYTES: Final = (64 * 1024, 256 * 1024)
# In MP3, steady noise at usual rates hardly ever exceeds its quieter parts by more.
NOISE_IN_FRAMES_DECIBELS: Final = 26.0


def can_pass_through(audio: PassThroughAudio, limits: ChunkLimits) -> bool:
    """Whether `audio` can be sent while it arrives: it fits a call, can be read again, and begins with clear sound."""
    return _fits_a_call(audio, limits) and _begins_clearly(audio.source, audio.layout)


def _fits_a_call(audio: PassThroughAudio, limits: ChunkLimits) -> bool:
    source, seconds, layout = audio.source, audio.duration_seconds, audio.layout
    if source.size_bytes is None or seconds is None or not source.can_be_read_again or audio.is_followed:
        return False
    if source.size_bytes > limits.max_bytes or seconds > limits.longest_seconds:
        return False
    return layout.is_right(source.size_bytes) and (isinstance(layout, wav.WavLayout) or ends_alike(source, layout))


def _begins_clearly(source: Source, layout: Layout) -> bool:
    """Whether there is sound at the beginning that models hear as it is: no noise, not quiet, and of whole sides."""
    for examined in EXAMINED_BYTES:
        if isinstance(layout, wav.WavLayout):
            head = source.peek(layout.data_start + examined)[layout.data_start :]
            loudness, sides_are_lost = _of_samples(head, layout)
        else:
            head = source.peek(layout.frames_start + examined)[layout.frames_start :]
            loudness, sides_are_lost = _of_frames(head)
        if loudness.is_nothing:
            return False
        if loudness.held_decibels >= MAYBE_QUIET_DECIBELS and _is_no_noise(loudness):
            return not sides_are_lost
    return False


def _is_no_noise(loudness: Loudness) -> bool:
    held_over_noise = loudness.held_decibels - loudness.noise_decibels
    return held_over_noise >= NOISE_IN_FRAMES_DECIBELS if loudness.is_rough else loudness.is_clear


def _of_samples(head: bytes, layout: wav.WavLayout) -> tuple[Loudness, bool]:
    """The loudness of the samples, and whether two sides cancel each other out."""
    samples = samples_of(head)
    meter = LoudnessMeter(sample_rate_hz=layout.sample_rate_hz, channels=layout.channels)
    meter.feed(samples)
    peaks = meter.peaks[:]
    is_lost = layout.channels > 1 and samples_cancel(
        [head], peaks, window_samples=meter.window_samples, sample_rate_hz=layout.sample_rate_hz
    )
    return meter.take_all(), is_lost


def _of_frames(head: bytes) -> tuple[Loudness, bool]:
    """The loudness of the frames, and whether two sides cancel each other out."""
    scanner = FrameScanner()
    scanner.feed(head)
    scanner.finish()
    count = len(scanner.levels)
    loudness = Loudness(scanner.decibels(0, count), scanner.frame_seconds, is_rough=True)
    ends, levels, is_stereo = scanner.ends[:], scanner.levels[:], scanner.is_stereo
    taken = scanner.take(count, keep=0) if count else []
    return loudness, is_stereo and sides_cancel(taken, ends, levels)
