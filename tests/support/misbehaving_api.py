"""Models that misbehave, at the network: an API on loopback that knows each recording's words, and spoils its answers.

The API finds the bytes of an upload in the samples of the recording, so it knows which words were sent, whatever part
of the recording that is, and needs no recogniser.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from support.loopback import Peer, body_of
from support.misbehaving_models import FAULTS, SAMPLE_RATE_HZ, Fault, KnownRecording, invents

from transcriber.api.chat import INSTRUCTION
from transcriber.audio.pcm import SAMPLE_BYTES
from transcriber.spans import Segment

WAV_HEADER_BYTES = 44
# Names to expect, none of which a recording has.
PROMPT: Final = "Names: Kennedy, Dashwood, Willoughby, Ferrars, Brandon, Steele"
# Words that no recording of the tests has, as long as theirs.
OTHER_LETTERS = str.maketrans("aeioubcdfghklmnprstvw", "ouaeivtgkcdbprnsmlwhf")


@dataclass(frozen=True)
class Asked:
    """One call: the sentences that were sent, with times from the first byte, and the text of the part before them."""

    sentences: Sequence[Segment]
    seconds: float
    previous: Sequence[Segment]
    has_prompt: bool

    @property
    def text(self) -> str:
        """All words that were sent."""
        return " ".join(sentence.text for sentence in self.sentences)


# A call becomes what the model says instead: segments, or a text that has none.
Spoiled = Callable[[Asked], Sequence[Segment] | str]


@dataclass
class MisbehavingApi:
    """Both APIs; a fault is the model's nature, or where it `is_passing` that of its first call alone.

    With `gives_times` false, `verbose_json` is refused, as servers do that lack it.
    """

    recording: KnownRecording
    spoil: Spoiled
    models: Sequence[str]
    is_passing: bool = False
    gives_times: bool = True
    calls: list[tuple[str, float, bool]] = field(default_factory=list)

    def __call__(self, peer: Peer) -> None:
        """The conversation of one connection."""
        if peer.path == "/models":
            peer.answer(json.dumps({"data": [{"id": model} for model in self.models]}).encode())
            return
        body = body_of(peer.request)
        if peer.path == "/chat/completions":
            self._chat(peer, json.loads(body))
        else:
            self._transcribe(peer, body)

    def _chat(self, peer: Peer, request: Mapping[str, Any]) -> None:
        parts = request["messages"][0]["content"]
        (audio,) = (part["input_audio"]["data"] for part in parts if part["type"] == "input_audio")
        text, _ = self._said(request["model"], base64.b64decode(audio), has_prompt=False)
        choice = {"message": {"content": text}, "finish_reason": "stop"}
        peer.answer(json.dumps({"choices": [choice]}).encode())

    def _transcribe(self, peer: Peer, body: bytes) -> None:
        start = body.index(b"RIFF")
        size = int.from_bytes(body[start + 4 : start + 8], "little") + 8
        fields = body[:start] + body[start + size :]
        if b"verbose_json" in fields and not self.gives_times:
            error = {"message": "verbose_json is not supported", "type": "BadRequestError", "code": 400}
            peer.answer(json.dumps({"error": error}).encode(), status="400 Bad Request")
            return
        (model,) = (name for name in self.models if name.encode() in fields)
        text, segments = self._said(model, body[start : start + size], has_prompt=b'name="prompt"' in fields)
        answer: dict[str, Any] = {"text": text}
        if b"verbose_json" in fields and segments is not None:
            answer["segments"] = [
                {"id": number, "start": each.start_seconds, "end": each.end_seconds, "text": each.text}
                for number, each in enumerate(segments)
            ]
        peer.answer(json.dumps(answer).encode())

    def _said(self, model: str, wav: bytes, *, has_prompt: bool) -> tuple[str, Sequence[Segment] | None]:
        data = wav[WAV_HEADER_BYTES:]
        place = self.recording.samples.find(data)
        assert place >= 0, "the upload is no part of the recording"
        start, seconds = (count / SAMPLE_BYTES / SAMPLE_RATE_HZ for count in (place, len(data)))
        sentences = self.recording.between(start, start + seconds)
        previous = self.recording.between(max(0.0, start - seconds), start)
        said: Sequence[Segment] | str = sentences
        if model == self.models[0] and not (self.is_passing and self.calls):
            said = self.spoil(Asked(sentences, seconds, previous, has_prompt))
        self.calls.append((model, seconds, has_prompt))
        if isinstance(said, str):
            return said, None
        return " ".join(each.text for each in said), said


def _fault(fault: Fault) -> Spoiled:
    return lambda asked: fault(asked.sentences, asked.seconds)


def _one_sentence(asked: Asked) -> Sequence[Segment]:
    middle = len(asked.sentences) // 2
    return [*asked.sentences[:middle], *asked.sentences[middle + 1 :]]


def _previous_instead(asked: Asked) -> Sequence[Segment]:
    return asked.previous or asked.sentences


def _previous_before(asked: Asked) -> Sequence[Segment]:
    return [*(Segment(0.0, 0.0, each.text) for each in asked.previous), *asked.sentences]


def _summary(asked: Asked) -> str:
    return " ".join(" ".join(each.text.split()[:2]) for each in asked.sentences[::4]).capitalize() + "."


def _translation(asked: Asked) -> Sequence[Segment]:
    return [
        Segment(each.start_seconds, each.end_seconds, each.text.translate(OTHER_LETTERS)) for each in asked.sentences
    ]


def _sentence_loop(asked: Asked) -> str:
    first, *_ = asked.sentences or [Segment(0.0, 0.0, "")]
    return f"{asked.text} " + " ".join([first.text] * 40)


def _last_window_with_prompt(asked: Asked) -> Sequence[Segment]:
    return FAULTS["last window alone"](asked.sentences, asked.seconds) if asked.has_prompt else asked.sentences


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60:02}:{int(seconds) % 60:02}"


def _lines(asked: Asked, line: Callable[[int, Segment], str], *, gap: str = "\n") -> str:
    return gap.join(line(number, each) for number, each in enumerate(asked.sentences))


def _cue(number: int, each: Segment, comma: str = ",") -> str:
    times = " --> ".join(f"00:{_clock(moment)}{comma}000" for moment in (each.start_seconds, each.end_seconds))
    return f"{number + 1}\n{times}\n{each.text}"


# What a model adds to the words, or packs them in.
FRILLS: Final[Mapping[str, Spoiled]] = {
    "preamble": lambda asked: f"Here is the transcript:\n\n{asked.text}",
    "preamble and offer": lambda asked: (
        f"Sure! Here is the transcription of the audio:\n\n{asked.text}\n\nLet me know if you need anything else!"
    ),
    "quotes": lambda asked: f'"{asked.text}"',
    "code fence": lambda asked: f"```\n{asked.text}\n```",
    "heading": lambda asked: f"**Transcript:**\n\n{asked.text}",
    "stamps": lambda asked: _lines(asked, lambda _, each: f"[{_clock(each.start_seconds)}] {each.text}"),
    "speaker labels": lambda asked: _lines(asked, lambda number, each: f"Speaker {number % 2 + 1}: {each.text}"),
    "SRT": lambda asked: _lines(asked, _cue, gap="\n\n"),
    "VTT": lambda asked: "WEBVTT\n\n" + _lines(asked, lambda number, each: _cue(number, each, "."), gap="\n\n"),
    "JSON": lambda asked: json.dumps({"transcript": asked.text}),
    "XML": lambda asked: f"<transcript>{asked.text}</transcript>",
    "instruction echoed": lambda asked: f"{INSTRUCTION}\n\n{asked.text}",
    "prompt echoed": lambda asked: f"{PROMPT}\n\n{asked.text}" if asked.has_prompt else asked.text,
}

SPOILED: Final[Mapping[str, Spoiled]] = {
    **{name: _fault(fault) for name, fault in FAULTS.items() if name != "last window alone"},
    "one sentence dropped": _one_sentence,
    "previous chunk's text instead": _previous_instead,
    "previous chunk's text before": _previous_before,
    "a sentence in a loop": _sentence_loop,
    "summary": _summary,
    "translation": _translation,
    "two sentences invented at the end": _fault(invents),
    "nothing": lambda _: "",
    "last window alone with a prompt": _last_window_with_prompt,
    **FRILLS,
}


def words_of(body: str, response_format: str) -> str:
    """The words of an answer of the function, whatever its format."""
    if response_format in {"json", "verbose_json"}:
        return str(json.loads(body)["text"])
    if response_format == "text":
        return body.strip()
    blocks = re.split(r"\n{2,}", body.replace("\r\n", "\n"))
    cues = [block.split("\n") for block in blocks if "-->" in block]
    return " ".join(line for cue in cues for line in cue[next(n for n, x in enumerate(cue) if "-->" in x) + 1 :])


def outcome(recording: KnownRecording, words: str, warnings: int) -> str:
    """`whole` where all words are there and none is added; else whether it is `warned` of, or `silent`."""
    said = f" {' '.join(words.split())} ".casefold()
    is_lost = any(" ".join(each.text.split()).casefold() not in said for each in recording.sentences)
    known = sum(len(each.text.split()) for each in recording.sentences)
    if not is_lost and len(words.split()) == known:
        return "whole"
    return "warned" if warnings else "silent"
