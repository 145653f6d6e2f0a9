"""Turns speech into text on this machine, with Whisper; and what any recogniser of the emulator looks like."""

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

# The same requests in the same order give the same words, run after run, also where the decoder samples.
RANDOM_SEED = 1
# More threads than that gain nothing with a model of this size.
MAX_THREADS = 4
SAMPLE_RATE_HZ = 16_000
# Whisper hears half a minute at once, and loses words where its own windows end: they end in pauses instead, and what
# was heard before is no part of the next one's prompt. On ten minutes of recurring sentences that took the word errors
# from 19 to 0.5 %, at 1.5 times the work.
LONGEST_WINDOW_SECONDS = 28.0
SHORTEST_PAUSE_SECONDS = 0.4
# Kept of the pause at either end of speech, for the sounds too soft for the detector.
MARGIN_SECONDS = 0.25
# What is told of audio without speech, in which no language can be heard.
NO_SPEECH_LANGUAGE = "en"


class WhisperRecogniser:
    """Whisper by faster-whisper, on the CPU; loaded at its first use, and one request at a time.

    One model serves parallel requests no faster, so they queue. Silence, noise and tones give an empty text: what is no
    speech is cut out beforehand, since Whisper invents words for it. Raises `RecogniserUnavailableError` if packages or
    model files are missing or damaged, `UnsupportedLanguageError`, and PyAV's `FFmpegError` for what cannot be decoded.
    """

    def __init__(self, model: ModelFiles, cache: Path) -> None:
        self._files = model
        self._cache = cache
        self._lock = threading.Lock()
        self._loaded: WhisperModel | None = None

    def recognise(
        self, audio: BinaryIO, *, language: str | None = None, prompt: str | None = None, temperature: float = 0.0
    ) -> Recognition:
        """The words of `audio`; a temperature of 0 means as sure as possible, and only then a retry that samples."""
        # With no temperature given, faster-whisper climbs its own ladder from 0, as OpenAI documents it for a 0.
        sampling = {"temperature": temperature} if temperature else {}
        with self._lock:
            model = self._model()
            if language is not None and language not in model.supported_languages:
                raise UnsupportedLanguageError(f"{self._files.name} does not know the language {language!r}")
            samples = _samples(audio)
            duration_seconds = len(samples) / SAMPLE_RATE_HZ
            speech = _speech(samples)
            if not speech:
                return Recognition("", (), language or NO_SPEECH_LANGUAGE, duration_seconds)
            segments, info = model.transcribe(
                samples,
                language=language,
                # As an initial prompt it would be one of the first window alone.
                hotwords=prompt or None,
                beam_size=self._files.beam_size,
                clip_timestamps=[time for window in windows(speech) for time in window],
                condition_on_previous_text=False,
                word_timestamps=True,
                **sampling,
            )
            # The segments are a generator: the work happens while it is read, so inside the lock.
            heard = list(segments)
        return Recognition(
            # Joined as they are: a segment brings its own space along, in languages that have one.
            text="".join(part.text for part in heard).strip(),
            segments=tuple(_parts(heard, speech)),
            language=str(info.language),
            duration_seconds=duration_seconds,
        )

    def tokens(self, text: str) -> list[str]:
        """Whisper's own tokens; where one holds only a part of a character, the first of them gets it."""
        with self._lock:
            encoding = self._model().hf_tokenizer.encode(text, add_special_tokens=False)
        return pieces(text, [end for _, end in encoding.offsets])

    def _model(self) -> "WhisperModel":
        if self._loaded is None:
            self._loaded = _load(self._files, self._cache)
        return self._loaded


def windows(speech: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Stretches of speech joined, in order, for as long as a window of the model's holds them; all in seconds."""
    joined: list[tuple[float, float]] = []
    for start, end in speech:
        if joined and end - joined[-1][0] <= LONGEST_WINDOW_SECONDS:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def pieces(text: str, ends: list[int]) -> list[str]:
    """`text` cut at `ends`, which are offsets in characters that never fall; joined, the pieces are `text`."""
    cuts = [0, *ends[:-1], len(text)] if ends else [0]
    return [text[start:end] for start, end in pairwise(cuts)]


def _samples(audio: BinaryIO) -> "npt.NDArray[np.float32]":
    from faster_whisper import decode_audio  # noqa: PLC0415 # as in _load

    samples: npt.NDArray[np.float32] = decode_audio(audio, sampling_rate=SAMPLE_RATE_HZ)
    return samples


def _speech(samples: "npt.NDArray[np.float32]") -> list[tuple[float, float]]:
    """Where there is speech, in seconds; what is longer than a window is parted at the best place in it."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps  # noqa: PLC0415 # as in _load

    options = VadOptions(
        min_silence_duration_ms=round(SHORTEST_PAUSE_SECONDS * 1000),
        speech_pad_ms=round(MARGIN_SECONDS * 1000),
        max_speech_duration_s=LONGEST_WINDOW_SECONDS,
    )
    found = get_speech_timestamps(samples, options, sampling_rate=SAMPLE_RATE_HZ)
    return [(stretch["start"] / SAMPLE_RATE_HZ, stretch["end"] / SAMPLE_RATE_HZ) for stretch in found]


def _parts(heard: Iterable["WhisperSegment"], speech: list[tuple[float, float]]) -> Iterator[Segment]:
    """The model's segments, parted where one goes on after a pause."""
    starts = [start for start, _ in speech]
    for segment in heard:
        if not segment.words:  # marks alone, which nobody says
            yield Segment(float(segment.start), float(segment.end), segment.text.strip())
            continue
        for _, group in groupby(segment.words, lambda word: bisect_right(starts, (word.start + word.end) / 2)):
            part = list(group)
            text = "".join(word.word for word in part).strip()
            yield Segment(float(part[0].start), float(part[-1].end), text)


def _load(files: ModelFiles, cache: Path) -> "WhisperModel":
    try:
        # Imported here: the stand-in's servers are up a second sooner, and a missing package can be told of.
        import ctranslate2  # noqa: PLC0415 # as above
        from faster_whisper import WhisperModel  # noqa: PLC0415
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
