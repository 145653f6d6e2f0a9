"""Models that misbehave at the network, asked through the handler: what is lost or added is healed, or warned of."""

import io
import sys
import wave
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Final

import pytest
from support.handling import KEY, VOXTRAL, WHISPER, Handle, audio, forget_settings, new_instance, post
from support.loopback import serve
from support.misbehaving_api import FRILLS, PROMPT, SPOILED, MisbehavingApi, outcome, words_of
from support.misbehaving_models import SAMPLE_RATE_HZ, KnownRecording, simulated

README = Path(__file__).parents[3] / "transcriber" / "transcription" / "README.md"
FORMATS: Final = ("json", "text", "verbose_json", "srt", "vtt")
# An API by its name in the table: its model, and whether it gives times.
APIS: Final = {"chat": (VOXTRAL, False), "transcriptions": (WHISPER, True), "without times": (WHISPER, False)}
# Known not to be found, as the README says: by any API, and by one without times.
SILENT: Final = {"translation"}
SILENT_WITHOUT_TIMES: Final = {"one sentence dropped", "two sentences invented at the end"}


@cache
def recording() -> KnownRecording:
    return simulated(1, minutes=4)


@cache
def recording_as_wav() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(SAMPLE_RATE_HZ)
        writer.writeframes(recording().samples)
    return file.getvalue()


@contextmanager
def instance(api: MisbehavingApi, fault: str, *, log_level: str = "error") -> Iterator[Handle]:
    """A new instance that knows this API; the recording is one chunk, or three where chunks before count."""
    with serve(api) as server, pytest.MonkeyPatch.context() as patch:
        forget_settings(patch)
        patch.setenv("GENERATIVE_API_KEY", KEY)
        patch.setenv("GENERATIVE_API_URL", server.url)
        patch.setenv("MODELS", ",".join(api.models))
        patch.setenv("PARALLEL_CALLS", "1")
        patch.setenv("CHUNK_MINUTES", "1.5" if "previous" in fault else "5")
        patch.setenv("LOG_LEVEL", log_level)
        yield new_instance()


def result(
    fault: str, api_name: str, response_format: str, *, is_passing: bool = False, others: tuple[str, ...] = ()
) -> tuple[str, MisbehavingApi]:
    """What came of the recording: `whole`, `warned` or `silent`; and the API with its calls."""
    model, gives_times = APIS[api_name]
    api = MisbehavingApi(recording(), SPOILED[fault], (model, *others), is_passing=is_passing, gives_times=gives_times)
    request: dict[str, object] = {**audio(recording_as_wav()), "response_format": response_format}
    if "prompt" in fault and api_name != "chat":
        request["prompt"] = PROMPT
    with instance(api, fault) as handle:
        answer = handle(post(request), None)
    assert answer["statusCode"] == 200, answer["body"]
    warnings = int(answer["headers"].get("X-Transcript-Warnings", "0"))
    return outcome(recording(), words_of(answer["body"], response_format), warnings), api


def _tried() -> Iterator[tuple[str, str]]:
    """Each loss on both APIs, and what is added to a whole text on one of them; the table of the README has all."""
    for number, fault in enumerate(SPOILED):
        both = ("chat", "transcriptions")
        for api_name in (both[number % 2],) if fault in FRILLS else both:
            yield fault, api_name


CASES: Final = [
    pytest.param(fault, api_name, response_format, id=f"{fault}-{api_name}-{response_format}")
    for (fault, api_name), response_format in zip(_tried(), cycle(FORMATS), strict=False)
]


@pytest.mark.parametrize(("fault", "api_name", "response_format"), CASES)
def test_nothing_is_lost_or_added_silently(fault: str, api_name: str, response_format: str) -> None:
    """Whatever a model of one's own choice loses or adds in each call: it is healed or warned of, in every format."""
    found, _ = result(fault, api_name, response_format)
    if fault in SILENT or (fault in SILENT_WITHOUT_TIMES and api_name == "chat"):
        pytest.xfail("known not to be found")
    assert found != "silent"


@pytest.mark.parametrize("fault", ["drop second half", "all but two sentences", "text twice", "nothing", "summary"])
def test_what_passes_is_healed(fault: str) -> None:
    """Where only the first call goes wrong, the words of a later one are the result, without a warning."""
    assert result(fault, "chat", "json", is_passing=True)[0] == "whole"


def test_prompt_is_not_sent_again(capfd: pytest.CaptureFixture[str]) -> None:
    """A model that loses words with prompts gets none in the instance's life from then on, which is logged once."""
    api = MisbehavingApi(recording(), SPOILED["last window alone with a prompt"], (WHISPER,))
    request = {**audio(recording_as_wav()), "prompt": "Names: Kennedy"}
    with instance(api, "prompt", log_level="warning") as handle:
        answers = [handle(post(request), None) for _ in range(3)]
    assert [answer["statusCode"] for answer in answers] == [200] * 3
    assert [has_prompt for _, _, has_prompt in api.calls] == [True, False, False, False]
    assert all(outcome(recording(), words_of(answer["body"], "json"), 0) == "whole" for answer in answers)
    assert capfd.readouterr().err.count("a model loses words with a prompt") == 1


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_table_of_the_readme() -> None:
    """The table of what is found, in the README, is what comes of every fault, on each API, in every format."""
    rows = {}
    for fault in SPOILED:
        cells = []
        for api_name in APIS:
            found = Counter(result(fault, api_name, each)[0] for each in FORMATS)
            passing, _ = result(fault, api_name, "json", is_passing=True)
            cells += [", ".join(found) if len(found) == 1 else f"{dict(found)}", passing]
        rows[fault] = f"| {fault} | {' | '.join(cells)} |"
        sys.stdout.write(f"{rows[fault]}\n")
    readme = README.read_text()
    assert [row for row in rows.values() if row not in readme] == []
