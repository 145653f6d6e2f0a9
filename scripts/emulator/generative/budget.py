"""Counts tokens as the models do: those of the audio, the context and the limited output."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Literal

from emulator.generative.errors import ApiError
from emulator.recognisers.base import Recogniser

# Scaleway's table of models: a context of "32k" tokens, an output of at most "16k".
CONTEXT_TOKENS = 32_768
MAX_OUTPUT_TOKENS = 16_384
# Voxtral's: 12.5 tokens a second of audio, which is padded to whole windows of 30 s.
TOKEN_MILLISECONDS = 80
WINDOW_SECONDS = 30
TOKENS_PER_WINDOW = WINDOW_SECONDS * 1000 // TOKEN_MILLISECONDS
# The length of the phrase that the fault `repeat` repeats.
PHRASE_TOKENS = 5


@dataclass(frozen=True)
class Output:
    """A model's output: its tokens, and whether it ended normally or at the limit."""

    tokens: tuple[str, ...]
    finish_reason: Literal["stop", "length"]

    @property
    def text(self) -> str:
        """The tokens, joined."""
        return "".join(self.tokens)


def audio_tokens(duration_seconds: float) -> int:
    """The number of tokens that the audio takes of the context."""
    return math.ceil(duration_seconds / WINDOW_SECONDS) * TOKENS_PER_WINDOW


def output_limit(prompt_tokens: int, max_tokens: int | None) -> int:
    """The largest number of output tokens; `ApiError` if prompt and output do not fit into the context together."""
    room = CONTEXT_TOKENS - prompt_tokens
    if room <= 0 or (max_tokens or 0) > room:
        needed = f"{prompt_tokens} tokens in the prompt and {max_tokens or 'some'} in the output"
        raise ApiError(400, f"The context has {CONTEXT_TOKENS} tokens; the request needs {needed}", param="max_tokens")
    return max_tokens or min(MAX_OUTPUT_TOKENS, room)


def cut(text: str, recogniser: Recogniser, limit: int, stop: Sequence[str] = ()) -> Output:
    """The output for `text`: up to the first of `stop`, and at most `limit` tokens."""
    ends = [text.find(mark) for mark in stop if mark in text]
    tokens = recogniser.tokens(text[: min(ends, default=len(text))])
    return Output(tuple(tokens[:limit]), "length" if len(tokens) > limit else "stop")


def halve(output: Output) -> Output:
    """The first half of `output`, as if it had reached a limit there."""
    return Output(output.tokens[: len(output.tokens) // 2], "length")


def repeat(output: Output, limit: int) -> Output:
    """The first phrase of `output`, repeated up to `limit` tokens, as a model in a loop writes it."""
    phrase = output.tokens[:PHRASE_TOKENS]
    # The first word has no space before it, and needs one in the repetitions.
    again = (f" {phrase[0].lstrip()}", *phrase[1:])
    return Output((*phrase, *islice(cycle(again), limit))[:limit], "length")
