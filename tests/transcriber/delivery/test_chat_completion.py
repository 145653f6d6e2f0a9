"""Chat completions: a transcript in the form of the OpenAI API."""

import json
from dataclasses import replace
from typing import Any

from transcriber.api.backend import Usage
from transcriber.delivery.answers import transcript_answer
from transcriber.delivery.chat_completion import completion, stream
from transcriber.request.openai_api import ChatReply
from transcriber.response_format import ResponseFormat
from transcriber.transcription.transcript import Transcript

REPLY = ChatReply("chatcmpl-1")
STREAMED = ChatReply("chatcmpl-1", is_streamed=True, streams_usage=True)
TRANSCRIPT = Transcript(
    "He said\n\n好",
    "the-model",
    11.0884,
    usage=Usage(calls=1, audio_seconds=11.0, prompt_tokens=400, completion_tokens=30),
)
USAGE = {"prompt_tokens": 400, "completion_tokens": 30, "total_tokens": 430}


def events(text: str) -> list[Any]:
    """The data of each event of a stream; any other content of a line fails the test."""
    assert text.endswith("\n\n")
    lines = text.removesuffix("\n\n").split("\n\n")
    assert all(line.startswith("data: ") and "\n" not in line for line in lines)
    return [line.removeprefix("data: ") for line in lines]


def test_completion() -> None:
    """The content is the message, and duration and warnings stand beside what the API has."""
    answer = completion("He said", replace(TRANSCRIPT, warnings=("a word",)), REPLY)
    assert answer["created"] > 0
    assert answer | {"created": 0} == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": "the-model",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "He said", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": USAGE,
        "duration": 11.088,
        "warnings": ("a word",),
    }


def test_tokens_that_the_api_does_not_count() -> None:
    """Where the API counts no tokens, none are made up."""
    assert completion("", Transcript("", "m", 1.0, usage=Usage(calls=1, audio_seconds=1.0)), REPLY)["usage"] is None


def test_stream() -> None:
    """A stream is a role, the content, an end, the tokens where they are requested, and the text that ends it."""
    *chunks, done = events(stream("He said\n\n好", TRANSCRIPT, STREAMED))
    assert done == "[DONE]"
    parsed = [json.loads(chunk) for chunk in chunks]
    assert {chunk["object"] for chunk in parsed} == {"chat.completion.chunk"}
    assert [chunk["choices"][0]["delta"] for chunk in parsed[:-1]] == [
        {"role": "assistant", "content": ""},
        {"content": "He said\n\n好"},
        {},
    ]
    assert [chunk["choices"][0]["finish_reason"] for chunk in parsed[:-1]] == [None, None, "stop"]
    assert (parsed[-1]["choices"], parsed[-1]["usage"], parsed[0]["usage"]) == ([], USAGE, None)
    assert "usage" not in stream("x", TRANSCRIPT, REPLY)


def test_silence_is_an_empty_message() -> None:
    """A transcript without a word is a message without one, in a stream too."""
    silent = Transcript("", "m", 1.0)
    assert (
        json.loads(transcript_answer(silent, ResponseFormat.TEXT, REPLY).body)["choices"][0]["message"]["content"] == ""
    )
    assert len(events(transcript_answer(silent, ResponseFormat.TEXT, STREAMED).body)) == 4


def test_content_is_in_the_requested_format() -> None:
    """The message is what the function's own path would have answered, without a file's last line end."""
    plain = json.loads(transcript_answer(TRANSCRIPT, ResponseFormat.TEXT, REPLY).body)
    assert plain["choices"][0]["message"]["content"] == "He said\n\n好"
    answer = transcript_answer(TRANSCRIPT, ResponseFormat.JSON, REPLY)
    content = json.loads(answer.body)["choices"][0]["message"]["content"]
    assert json.loads(content)["text"] == "He said\n\n好"
    assert answer.headers["Content-Type"] == "application/json"
    assert (
        transcript_answer(TRANSCRIPT, ResponseFormat.TEXT, STREAMED)
        .headers["Content-Type"]
        .startswith("text/event-stream")
    )
