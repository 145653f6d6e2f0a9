"""Recognises speech with Whisper on this machine."""

import os
import threading
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from emulator.recognisers.base import Recognition, Segment, UnsupportedLanguageError
from emulator.recognisers.model_files import ModelFiles, RecogniserUnavailableError, model_folder

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from faster_whisper import WhisperModel
    from faster_whisper.transcribe import Segment as WhisperSegment

# The same requests in the same order give the same words in each run, even when the decoder samples.
RANDOM_SEED = 1
# More threads do not make a model of this size faster.
MAX_THREADS = 4
SAMPLE_RATE_HZ = 16_000
# Whisper processes half a minute at a time, and loses words at the ends of its own windows. So the windows here end in
# pauses, and earlier words are not part of the next prompt. On ten minutes of recurring sentences, this reduced the
# word errors from 19 to 0.5 %, for 1.5 times the work.
LONGEST_WINDOW_SECONDS = 28.0
SHORTEST_PAUSE_SECONDS = 0.4
# The part of a pause that is kept before and after speech, for sounds too soft for the detector.
MARGIN_SECONDS = 0.25
# The language in the answer for audio without speech.
NO_SPEECH_LANGUAGE = "en"


class WhisperRecogniser:
    """Whisper by faster-whisper, on the CPU; loaded at its first use, for one request at a time.

    One model is no faster with parallel requests, so they wait. Silence, noise and tones give an empty text: sound
    without speech is removed first, since Whisper invents words for it. Raises `RecogniserUnavailableError` if
    packages or model files are missing or damaged, `UnsupportedLanguageError`, and PyAV's `FFmpegError` for audio that
    cannot be decoded.
    """

    def __init__(self, model: ModelFiles, cache: Path) -> None:
        self._files = model
        self._cache = cache
        self._lock = threading.Lock()
        self._loaded: WhisperModel | None = None

    def recognise(
        self, audio: BinaryIO, *, language: str | None = None, prompt: str | None = None, temperature: float = 0.0
    ) -> Recognition:
        """Transcribe `audio`; with a temperature of 0, only a retry samples."""
        # Without a temperature, faster-whisper raises it in steps from 0, as OpenAI documents it for 0.
        sampling = {"temperature": temperature} if temperature else {}
        with self._lock:
            model = self._model()
            if language is not None and language not in model.supported_languages:
                raise UnsupportedLanguageError(f"{self._files.name} does not support the language {language!r}")
            samples = _samples(audio)
            duration_seconds = len(samples) / SAMPLE_RATE_HZ
            speech = _speech(samples)
            if not speech:
                return Recognition("", (), language or NO_SPEECH_LANGUAGE, duration_seconds)
            segments, info = model.transcribe(
                samples,
                language=language,
                # An initial prompt would apply only to the first window.
                hotwords=prompt or None,
                beam_size=self._files.beam_size,
                clip_timestamps=[time for window in windows(speech) for time in window],
                condition_on_previous_text=False,
                word_timestamps=True,
                **sampling,
            )
            # A generator does the work while it is read, so it is read inside the lock.
            whisper_segments = list(segments)
        return Recognition(
            # Joined unchanged: a segment begins with its own space, in languages that have spaces.
            text="".join(part.text for part in whisper_segments).strip(),
            segments=tuple(_split_at_pauses(whisper_segments, speech)),
            language=str(info.language),
            duration_seconds=duration_seconds,
        )

    def tokens(self, text: str) -> list[str]:
        """Whisper's own tokens; a character that several of them share belongs to the first."""
        with self._lock:
            encoding = self._model().hf_tokenizer.encode(text, add_special_tokens=False)
        return split_at(text, [end for _, end in encoding.offsets])

    def _model(self) -> "WhisperModel":
        if self._loaded is None:
            self._loaded = _load(self._files, self._cache)
        return self._loaded


def windows(speech: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Join spans of speech, in order, into windows that the model can process at once; all in seconds."""
    joined: list[tuple[float, float]] = []
    for start, end in speech:
        if joined and end - joined[-1][0] <= LONGEST_WINDOW_SECONDS:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def split_at(text: str, ends: list[int]) -> list[str]:
    """The parts of `text` that end at `ends`, ascending character offsets; joined, they are `text`."""
    cuts = [0, *ends[:-1], len(text)] if ends else [0]
    return [text[start:end] for start, end in pairwise(cuts)]


def _samples(audio: BinaryIO) -> "npt.NDArray[np.float32]":
    from faster_whisper import decode_audio

    samples: npt.NDArray[np.float32] = decode_audio(audio, sampling_rate=SAMPLE_RATE_HZ)
    return samples


def _speech(samples: "npt.NDArray[np.float32]") -> list[tuple[float, float]]:
    """The spans of speech, in seconds; a span longer than a window is split at its best pause."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(
        min_silence_duration_ms=round(SHORTEST_PAUSE_SECONDS * 1000),
        speech_pad_ms=round(MARGIN_SECONDS * 1000),
        max_speech_duration_s=LONGEST_WINDOW_SECONDS,
    )
    found = get_speech_timestamps(samples, options, sampling_rate=SAMPLE_RATE_HZ)
    return [(span["start"] / SAMPLE_RATE_HZ, span["end"] / SAMPLE_RATE_HZ) for span in found]


def _split_at_pauses(
    whisper_segments: Iterable["WhisperSegment"], speech: list[tuple[float, float]]
) -> Iterator[Segment]:
    """The model's segments, split where one continues after a pause."""
    starts = [start for start, _ in speech]
    for segment in whisper_segments:
        if not segment.words:  # only punctuation
            yield Segment(float(segment.start), float(segment.end), segment.text.strip())
            continue
        for _, group in groupby(segment.words, lambda word: bisect_right(starts, (word.start + word.end) / 2)):
            part = list(group)
            text = "".join(word.word for word in part).strip()
            yield Segment(float(part[0].start), float(part[-1].end), text)


def _load(files: ModelFiles, cache: Path) -> "WhisperModel":
    try:
        import ctranslate2
        from faster_whisper import WhisperModel
    except ImportError as error:
        raise RecogniserUnavailableError(
            f"The recogniser's packages are missing ({error}): run scripts/setup"
        ) from error
    folder = model_folder(files, cache)
    ctranslate2.set_random_seed(RANDOM_SEED)
    options: dict[str, Any] = {"compute_type": "int8", "cpu_threads": min(os.cpu_count() or 1, MAX_THREADS)}
    try:
        return WhisperModel(str(folder), device="cpu", **options)
    except (RuntimeError, ValueError) as error:
        raise RecogniserUnavailableError(f"The model in {folder} cannot be loaded: {error}") from error
