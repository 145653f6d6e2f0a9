"""Tests of the whole server with the real recogniser, by the OpenAI client."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import openai
import pytest
import requests
from openai.types.chat import ChatCompletionContentPartParam, ChatCompletionUserMessageParam
from support.encoding import encode
from support.generative_requests import VOXTRAL, WHISPER, chat_body
from support.long_recordings import marked_speech
from support.recordings import AUDIO, recording, silence, spoken_words, word_error_rate

from emulator.generative.server import GenerativeServer
from emulator.processes import ServerFailedError
from emulator.recognisers.model_files import RecogniserUnavailableError

SPEECH = "jfk.mp3"
SPEECH_FILE = AUDIO / SPEECH
MAX_WORD_ERROR_RATE = 0.1


@dataclass(frozen=True)
class Marked:
    """A recording whose words are tones."""

    mp3: bytes
    words: str


@pytest.fixture(scope="module")
def server() -> Iterator[GenerativeServer]:
    with GenerativeServer(key="a-key-that-is-none") as apis:
        yield apis


@pytest.fixture(scope="module")
def client(server: GenerativeServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.url, api_key=server.key, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def exact() -> Iterator[GenerativeServer]:
    """A server that reads words as tones, ten times as fast: for tests that are not about recognition."""
    with GenerativeServer(recogniser="markers") as apis:
        yield apis


@pytest.fixture(scope="module")
def exact_client(exact: GenerativeServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=exact.url, api_key=exact.key, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def marked() -> Marked:
    talk = marked_speech(0.25, seed=1)
    return Marked(encode(talk.samples, "mp3", "libmp3lame", bit_rate=64_000), talk.words)


@pytest.fixture
def question() -> list[ChatCompletionUserMessageParam]:
    """The message in Scaleway's documentation on audio models."""
    return message(recording(SPEECH))


def message(audio: bytes) -> list[ChatCompletionUserMessageParam]:
    data = base64.b64encode(audio).decode("utf-8")
    parts: list[ChatCompletionContentPartParam] = [
        {"type": "text", "text": "Transcribe this audio"},
        {"type": "input_audio", "input_audio": {"data": data, "format": "mp3"}},
    ]
    return [{"role": "user", "content": parts}]


def test_documented_chat_request_prints_the_transcript(
    client: openai.OpenAI, question: list[ChatCompletionUserMessageParam]
) -> None:
    """The documented request, sent by the OpenAI client, is answered with the spoken words."""
    response = client.chat.completions.create(
        model=VOXTRAL, messages=question, temperature=0.2, max_tokens=2048, top_p=0.95
    )
    assert word_error_rate(SPEECH, response.choices[0].message.content or "") <= MAX_WORD_ERROR_RATE
    assert response.choices[0].finish_reason == "stop"
    assert response.usage is not None
    assert 375 < response.usage.prompt_tokens < 390
    assert 20 < response.usage.completion_tokens < 40


def test_chat_is_streamed(exact_client: openai.OpenAI, marked: Marked) -> None:
    """A streamed chat's deltas form the transcript."""
    with exact_client.chat.completions.create(model=VOXTRAL, messages=message(marked.mp3), stream=True) as stream:
        deltas = [chunk.choices[0].delta.content or "" for chunk in stream]
    assert len(deltas) > 10
    assert spoken_words("".join(deltas)) == marked.words


def test_chat_is_cut_at_max_tokens(client: openai.OpenAI, question: list[ChatCompletionUserMessageParam]) -> None:
    """Five of Whisper's tokens are at most five words, and the finish reason is `length`."""
    response = client.chat.completions.create(model=VOXTRAL, messages=question, max_tokens=5)
    assert response.choices[0].finish_reason == "length"
    assert 1 <= len((response.choices[0].message.content or "").split()) <= 5
    assert response.usage is not None
    assert response.usage.completion_tokens == 5


@pytest.mark.parametrize("model", [VOXTRAL, WHISPER])
def test_transcription(client: openai.OpenAI, model: str) -> None:
    """The OpenAI client's transcription of a file has the spoken words, with either model."""
    with SPEECH_FILE.open("rb") as file:
        transcription = client.audio.transcriptions.create(model=model, file=file)
    assert word_error_rate(SPEECH, transcription.text) <= MAX_WORD_ERROR_RATE


def test_transcription_with_segments(client: openai.OpenAI) -> None:
    """`verbose_json` has the detected language, and segments within the audio."""
    with SPEECH_FILE.open("rb") as file:
        verbose = client.audio.transcriptions.create(model=WHISPER, file=file, response_format="verbose_json")
    assert (verbose.language, round(float(verbose.duration))) == ("en", 11)
    assert verbose.segments
    assert 0 <= verbose.segments[0].start < verbose.segments[-1].end <= float(verbose.duration)


def test_transcription_is_streamed(exact_client: openai.OpenAI, marked: Marked) -> None:
    """The OpenAI client reads a transcription's stream, whose deltas form the transcript."""
    file = ("talk.mp3", marked.mp3)
    with exact_client.audio.transcriptions.create(model=WHISPER, file=file, stream=True) as stream:
        # The events have vLLM's format, so the client has no attributes for their fields.
        deltas = [event.to_dict()["choices"][0]["delta"] for event in stream]  # type: ignore[index]
    assert spoken_words("".join(delta.get("content", "") for delta in deltas)) == marked.words


def test_silence_is_an_empty_transcript(client: openai.OpenAI) -> None:
    """Audio without speech has an empty transcript."""
    assert client.audio.transcriptions.create(model=WHISPER, file=("a.wav", silence(3.0))).text == ""


def test_unsupported_language_is_an_error(client: openai.OpenAI) -> None:
    """A language code that Whisper does not support is the client's error."""
    with pytest.raises(openai.BadRequestError, match="'xx'"):
        client.audio.transcriptions.create(model=WHISPER, file=("a.wav", silence(1.0)), language="xx")


def test_audio_arrives_as_it_was_sent(exact: GenerativeServer, exact_client: openai.OpenAI) -> None:
    """The hash in the record is that of the file that the OpenAI client sent."""
    exact.clear()
    with (AUDIO / "austen-0880.wav").open("rb") as file:
        exact_client.audio.transcriptions.create(model=WHISPER, file=file)
    (received,) = exact.requests()
    assert received["audio"]["sha256"] == hashlib.sha256(recording("austen-0880.wav")).hexdigest()
    assert received["audio"]["filename"] == "austen-0880.wav"


def test_faults_are_errors_of_the_client(exact: GenerativeServer, exact_client: openai.OpenAI, marked: Marked) -> None:
    """An injected 429 is the OpenAI client's rate limit error, and that client's retry gets the words."""
    exact.fault("429", retry_after=0)
    with pytest.raises(openai.RateLimitError):
        exact_client.chat.completions.create(model=VOXTRAL, messages=message(marked.mp3))
    exact.fault("429", retry_after=0)
    patient = exact_client.with_options(max_retries=1)
    response = patient.chat.completions.create(model=VOXTRAL, messages=message(marked.mp3))
    assert spoken_words(response.choices[0].message.content or "") == marked.words


def test_key_is_not_in_the_process_list(server: GenerativeServer) -> None:
    """No process on the machine has the key in its command line."""
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert server.key.encode() not in process.read_bytes()
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue


def test_missing_model_is_an_error_before_the_start(tmp_path: Path) -> None:
    """A folder without a model fails at once, with a message that names it."""
    with pytest.raises(RecogniserUnavailableError, match=str(tmp_path)):
        GenerativeServer(model_folder=tmp_path)


def test_port_in_use_is_an_error(server: GenerativeServer) -> None:
    """A port in use is an error, and the server behind it is not mistaken for the new one."""
    with pytest.raises(ServerFailedError):
        GenerativeServer(port=server.port, recogniser="stand-in")


def test_each_server_has_its_own_key_and_ends() -> None:
    """Without a given key, each server has a random one; a closed server does not answer."""
    with (
        GenerativeServer(recogniser="stand-in") as first,
        GenerativeServer(recogniser="stand-in") as second,
    ):
        assert first.key != second.key
        headers = {"Authorization": f"Bearer {first.key}"}
        assert requests.get(f"{first.url}/models", headers=headers, timeout=30).ok
        body = chat_body(silence(1.0))
        assert (
            requests.post(f"{second.url}/chat/completions", json=body, headers=headers, timeout=30).status_code == 403
        )
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{first.url}/models", headers=headers, timeout=30)
