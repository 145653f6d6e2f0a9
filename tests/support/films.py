"""Films: pictures of noise, which nothing makes smaller, with a sound whose words are known."""

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from support.long_recordings import LongRecording, marked_speech

from emulator.recognisers.markers import SAMPLE_RATE_HZ

WIDTH, HEIGHT = 640, 480
PICTURE_BYTES = WIDTH * HEIGHT * 3


def write_film(path: Path, *, minutes: float, size_bytes: int, seed: int = 0) -> LongRecording:
    """Write a QuickTime film of about this size; its sound is AAC, in packets between the pictures."""
    sound = marked_speech(minutes, seed=seed)
    pictures = max(1, size_bytes // PICTURE_BYTES)
    seconds_each = minutes * 60 / pictures
    with av.open(str(path), "w", format="mov") as output:
        video = output.add_stream("rawvideo", rate=1)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "rgb24"
        audio = output.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono", bit_rate=64_000)
        for number in range(pictures):
            packet = av.Packet(os.urandom(PICTURE_BYTES))
            packet.stream, packet.time_base = video, Fraction(1)
            packet.pts = packet.dts = round(number * seconds_each)
            output.mux(packet)
            start, end = (round(each * seconds_each * SAMPLE_RATE_HZ) for each in (number, number + 1))
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound.samples[None, start:end]), "s16", "mono")
            frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, start
            output.mux(audio.encode(frame))
        output.mux(audio.encode(None))
    return sound
