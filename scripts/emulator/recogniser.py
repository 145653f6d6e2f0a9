"""Turns speech into text on this machine, with Whisper; and what any recogniser of the emulator looks like."""

import os
import re
import threading
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from emulator.model_files import ModelFiles, RecogniserUnavailableError, model_folder

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

# The same requests in the same order give the same words, run after run, also where the decoder samples.
RANDOM_SEED = 1
# More threads than that gain nothing with a model of this size.
MAX_THREADS = 4


class UnsupportedLanguageError(Exception):
    """The model does not know the language that was asked for."""


@dataclass(frozen=True)
class Segment:
    """A stretch of speech and its words; times in seconds from the audio's start."""

    start_seconds: float
    end_seconds: float
    text: str


@dataclass(frozen=True)
class Recognition:
    """What was heard: the whole text, its segments in order, the language's code and the audio's length."""

    text: str
    segments: tuple[Segment, ...]
    language: str
    duration_seconds: float


class Recogniser(Protocol):
    """Something that listens to WAV or MP3 and counts as a language model does."""

    def recognise(
        self, audio: BinaryIO, *, language: str | None = None, prompt: str | None = None, temperature: float = 0.0
    ) -> Recognition:
        """The words of `audio`; `prompt` is vocabulary and style, `language` an ISO 639 code (detected if `None`)."""

    def tokens(self, text: str) -> list[str]:
        """The pieces that a language model would write `text` in; joined, they are `text`."""


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
            segments, info = model.transcribe(
                audio,
                language=language,
                initial_prompt=prompt or None,
                beam_size=self._files.beam_size,
                vad_filter=True,
                **sampling,
            )
            # The segments are a generator: the work happens while it is read, so inside the lock.
            heard = list(segments)
        return Recognition(
            # Joined as they are: a segment brings its own space along, in languages that have one.
            text="".join(part.text for part in heard).strip(),
            segments=tuple(Segment(float(part.start), float(part.end), part.text.strip()) for part in heard),
            language=str(info.language),
            duration_seconds=float(info.duration),
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


def pieces(text: str, ends: list[int]) -> list[str]:
    """`text` cut at `ends`, which are offsets in characters that never fall; joined, the pieces are `text`."""
    cuts = [0, *ends[:-1], len(text)] if ends else [0]
    return [text[start:end] for start, end in pairwise(cuts)]


def words_with_spaces(text: str) -> list[str]:
    """`text` in tokens for recognisers that have no model: a word and the space before it are one."""
    return re.findall(r"\s*\S+|\s+$", text)


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
