"""The OpenAI SDK pointed at the function: its own calls work, and its own exceptions tell of what went wrong."""

import base64
import io
from collections.abc import Callable, Iterator

import av
import httpx2
import openai
import pytest
import requests
from openai.types.audio import Transcription
from support.client_packages import CALLBACK_SECRET, ENCODED, MP3, TEXT, TOKEN, VOXTRAL, WHISPER
from support.loopback import serve
from support.recordings import AUDIO

from emulator.local_platform import LocalPlatform
from emulator.recognisers.stub import stand_in_text


@pytest.fixture
def client(base_url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=base_url, api_key=TOKEN, max_retries=0) as client:
        yield client


def messages(audio: bytes, text: str = "Transcribe this audio", audio_format: str = "mp3") -> list[dict[str, object]]:
    data = base64.b64encode(audio).decode()
    part = {"type": "input_audio", "input_audio": {"data": data, "format": audio_format}}
    return [{"role": "user", "content": [{"type": "text", "text": text}, part]}]


def ask(client: openai.OpenAI, audio: bytes, **options: object) -> openai.types.chat.ChatCompletion:
    """The call of the documentation's scripts, with their options."""
    arguments = {"model": VOXTRAL, "temperature": 0.2, "max_tokens": 2048, "top_p": 0.95} | options
    answer = client.chat.completions.create(messages=messages(audio), **arguments)  # type: ignore[call-overload] # options of any type
    assert isinstance(answer, openai.types.chat.ChatCompletion)
    return answer


def twenty_minutes() -> bytes:
    """Speech as MP3 of 24 kbit/s, over and over: bare frames, which may follow each other."""
    once = io.BytesIO()
    frames_alone = {"write_xing": "0", "id3v2_version": "0"}
    with av.open(AUDIO / "jfk.wav") as spoken, av.open(once, "w", format="mp3", options=frames_alone) as written:
        stream = written.add_stream("libmp3lame", rate=16_000, layout="mono")
        stream.bit_rate = 24_000
        for frame in spoken.decode(audio=0):
            written.mux(stream.encode(frame))
        written.mux(stream.encode(None))
        duration_seconds = float((spoken.duration or 0) / av.time_base)
    return once.getvalue() * int(20 * 60 / duration_seconds)


def test_local_file(client: openai.OpenAI) -> None:
    """A local file, encoded and sent with a prompt, is a message with its transcript, and the tokens are told."""
    answer = ask(client, MP3)
    assert answer.choices[0].message.content == stand_in_text(MP3, 11.088)
    assert (answer.choices[0].finish_reason, answer.model, answer.object) == ("stop", VOXTRAL, "chat.completion")
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


def test_remote_file(client: openai.OpenAI) -> None:
    """A file that is downloaded, encoded and sent is transcribed likewise."""
    with serve(lambda peer: peer.answer(MP3)) as server:
        downloaded = requests.get(f"{server.url}/talk.mp3", timeout=60).content
    assert ask(client, downloaded).choices[0].message.content == stand_in_text(MP3, 11.088)


def test_twenty_minutes(client: openai.OpenAI) -> None:
    """Twenty minutes fit into one request of the platform, and come back as one message."""
    answer = ask(client, twenty_minutes())
    assert str(answer.choices[0].message.content).startswith("stand-in transcript of ")
    assert answer.model_dump()["duration"] == pytest.approx(1200, abs=20)


def test_address_instead_of_audio(client: openai.OpenAI) -> None:
    """What no request can hold is sent as an address, in the part that servers of this API have for it."""
    with serve(lambda peer: peer.answer(MP3)) as server:
        part = {"type": "audio_url", "audio_url": {"url": server.url}}
        answer = client.chat.completions.create(
            model=VOXTRAL,
            messages=[{"role": "user", "content": [part]}],  # type: ignore[list-item,misc] # no part of OpenAI's own
        )
    assert str(answer.choices[0].message.content).startswith("stand-in transcript of 11.1 s")


def test_model_that_only_transcribes(client: openai.OpenAI) -> None:
    """A transcription model answers chat completions too; its tokens, which are not reported, are not invented."""
    answer = ask(client, MP3, model=WHISPER, top_p=None, max_tokens=None)
    assert (answer.model, answer.usage) == (WHISPER, None)
    assert answer.choices[0].message.content == stand_in_text(MP3, 11.088)


def test_stream(client: openai.OpenAI) -> None:
    """A streamed answer adds up to the same message, ends with a reason, and tells the tokens."""
    stream = client.chat.completions.create(  # type: ignore[call-overload] # plain dictionaries, as scripts have them
        model=VOXTRAL,
        messages=messages(MP3),
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert deltas[0].role == "assistant"
    assert "".join(delta.content or "" for delta in deltas) == stand_in_text(MP3, 11.088)
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage is not None


def test_models(client: openai.OpenAI) -> None:
    """The SDK's list of models is the function's."""
    assert [model.id for model in client.models.list()] == [WHISPER, VOXTRAL]


def test_transcription_as_json(client: openai.OpenAI) -> None:
    """The path of transcriptions works with the file in JSON; the SDK's own form is refused with what works."""
    body = {"model": WHISPER, "file": f"data:audio/mp3;base64,{base64.b64encode(MP3).decode()}"}
    answer = client.post("/audio/transcriptions", body=body, cast_to=Transcription)
    assert answer.text == stand_in_text(MP3, 11.088)
    with pytest.raises(openai.BadRequestError, match="multipart form"):
        client.audio.transcriptions.create(model=WHISPER, file=("talk.mp3", MP3))


def test_transcription_of_base64_text(client: openai.OpenAI) -> None:
    """The SDK's own call works with a file of base64 text, in each format."""
    file = ("talk.mp3", ENCODED.encode())
    assert client.audio.transcriptions.create(model=WHISPER, file=file).text == TEXT
    verbose = client.audio.transcriptions.create(
        model=WHISPER, file=file, response_format="verbose_json", timestamp_granularities=["segment"], language="en"
    )
    assert verbose.segments is not None
    assert verbose.segments[-1].end == verbose.duration == pytest.approx(11.1, abs=0.1)
    subtitles = client.audio.transcriptions.create(model=WHISPER, file=file, response_format="srt", temperature=0.2)
    assert str(subtitles).startswith("1\n00:00:0")
    wrapped = base64.encodebytes(MP3)
    assert client.audio.transcriptions.create(model=WHISPER, file=("talk.b64", wrapped)).text == TEXT


def test_transcription_of_an_address(client: openai.OpenAI) -> None:
    """The SDK insists on a file: an empty one counts as none, beside an address."""
    with serve(lambda peer: peer.answer(MP3)) as server:
        answer = client.audio.transcriptions.create(model=WHISPER, file=b"", extra_body={"url": server.url})
    assert answer.text.startswith("stand-in transcript of 11.1 s")


def test_streamed_transcription(client: openai.OpenAI) -> None:
    """The SDK's events are the text in pieces, then as a whole."""
    file = ("talk.mp3", ENCODED.encode())
    *deltas, done = client.audio.transcriptions.create(model=WHISPER, file=file, stream=True)
    assert [event.type for event in deltas] == ["transcript.text.delta"]
    assert done.type == "transcript.text.done"
    assert done.text == "".join(event.delta for event in deltas if event.type == "transcript.text.delta") == TEXT


def test_one_model(client: openai.OpenAI) -> None:
    """The SDK describes a model by its name, and has its own exception for one that is not there."""
    assert client.models.retrieve(WHISPER).id == WHISPER
    with pytest.raises(openai.NotFoundError, match=WHISPER):
        client.models.retrieve("gpt-4o-transcribe")


def test_azure(platform: LocalPlatform) -> None:
    """OpenAI's client for Azure, with its own paths and version in the query, works likewise."""
    with openai.AzureOpenAI(
        azure_endpoint=platform.function.url, api_version="2025-04-01-preview", azure_ad_token=TOKEN, max_retries=0
    ) as client:
        assert client.audio.transcriptions.create(model=WHISPER, file=("talk.mp3", ENCODED.encode())).text == TEXT
        assert ask(client, MP3).choices[0].message.content == TEXT


def test_upload(client: openai.OpenAI) -> None:
    """The SDK's call for an upload opens one: the file is PUT to its address, and named by bucket and key."""
    upload = client.uploads.create(filename="talk.mp3", bytes=len(MP3), mime_type="audio/mpeg", purpose="user_data")
    slot = upload.model_dump()
    assert requests.put(slot["url"], data=MP3, headers=slot["headers"], timeout=60).status_code == 200
    source = {"bucket": slot["bucket"], "key": slot["key"]}
    assert client.audio.transcriptions.create(model=WHISPER, file=b"", extra_body=source).text == TEXT


def test_webhook(client: openai.OpenAI, base_url: str) -> None:
    """The SDK verifies a callback with the function's secret, and refuses it with another one, or changed."""
    with serve(lambda peer: peer.answer(b"")) as server:
        fields = {"audio": ENCODED, "callback": f"{server.url}/hook"}
        answer = requests.post(base_url, json=fields, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60)
        assert answer.ok, answer.text
        (received,) = server.requests
    head, _, body = received.decode().partition("\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
    client.webhooks.verify_signature(body, headers, secret=CALLBACK_SECRET)
    with pytest.raises(openai.InvalidWebhookSignatureError):
        client.webhooks.verify_signature(f"{body} ", headers, secret=CALLBACK_SECRET)
    with pytest.raises(openai.InvalidWebhookSignatureError):
        client.webhooks.verify_signature(body, headers, secret=CALLBACK_SECRET.replace("c2", "d3"))


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.responses.create(model=WHISPER, input="hello"),
        lambda client: client.completions.create(model=WHISPER, prompt="hello"),
        lambda client: client.embeddings.create(model=WHISPER, input="hello"),
        lambda client: client.post("/audio/translations", body={"model": WHISPER}, cast_to=object),
        lambda client: client.audio.speech.create(model=WHISPER, input="hello", voice="alloy"),
        lambda client: client.files.list(),
        lambda client: client.chat.completions.retrieve("chatcmpl-1"),
    ],
    ids=["responses", "completions", "embeddings", "translations", "speech", "files", "stored completions"],
)
def test_what_is_not_served(client: openai.OpenAI, call: Callable[[openai.OpenAI], object]) -> None:
    """Each other call of the SDK is a 404 that names one which works."""
    with pytest.raises(openai.NotFoundError, match=r"not served here.*/v1/"):
        call(client)


def test_exceptions_of_the_request(client: openai.OpenAI) -> None:
    """What is wrong with a request or its audio is the exception that the SDK has for it, with param and code."""
    with pytest.raises(openai.BadRequestError) as wrong:
        ask(client, MP3, n=2)
    assert (wrong.value.param, wrong.value.code) == ("n", "invalid_request")
    with pytest.raises(openai.UnprocessableEntityError) as missing:
        ask(client, MP3, model="voxtral-none")
    assert (missing.value.param, missing.value.code) == ("model", "model_not_found")
    with pytest.raises(openai.APIStatusError) as text:
        ask(client, b"This is no audio at all. " * 10)
    assert (text.value.status_code, text.value.code) == (415, "unsupported_audio")


def test_exceptions_of_the_key(platform: LocalPlatform, client: openai.OpenAI) -> None:
    """The function's access token is the SDK's api_key, and another one its authentication error."""
    assert platform.apis is not None
    with pytest.raises(openai.AuthenticationError, match="access token"):
        ask(client.with_options(api_key="another"), MP3)
    assert platform.apis.requests() == []


@pytest.mark.parametrize(
    ("fault", "stream", "kind"),
    [
        ("429", False, openai.RateLimitError),
        ("429", True, openai.RateLimitError),
        ("500", False, openai.InternalServerError),
        ("length", True, openai.InternalServerError),
    ],
)
def test_exceptions_of_the_api(
    platform: LocalPlatform, client: openai.OpenAI, *, fault: str, stream: bool, kind: type[openai.APIError]
) -> None:
    """What outlasts the function's own retries is the exception that the SDK has for it, in a stream too."""
    assert platform.apis is not None
    platform.apis.fault(fault, count=99, **({"retry_after": 120} if fault == "429" else {}))
    with pytest.raises(kind):
        ask(client, MP3, stream=stream)


def test_browsers_may_send_the_headers_of_the_sdk(platform: LocalPlatform) -> None:
    """A preflight lets a page use the SDK, whose headers are its own."""
    allowed = httpx2.options(f"{platform.function.url}/v1/chat/completions").headers["Access-Control-Allow-Headers"]
    assert {"*", "Authorization"} <= set(allowed.split(", "))
