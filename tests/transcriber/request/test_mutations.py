"""Malformed requests of every kind: each is read, or refused by an error of ours, in bounded memory."""

import json
import random
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from transcriber.delivery.error_answers import error_answer
from transcriber.errors import RequestError
from transcriber.request.body import MAX_JSON_PARTS
from transcriber.request.event import read_event
from transcriber.request.parse import read_request
from transcriber.settings import Settings

EVENTS: Final = Path(__file__).parents[2] / "events"
SETTINGS: Final = Settings(api_key="key", access_token=None)
AUDIO: Final = "UklGRiQAAABXQVZFZm10IBAAAAAB" * 4
FORMS: Final[tuple[tuple[str, Any], ...]] = (
    (
        "/v1/chat/completions",
        {
            "model": "voxtral-small-24b-2507",
            "messages": [
                {"role": "system", "content": "Be exact."},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Transcribe"},
                        {"type": "input_audio", "input_audio": {"data": AUDIO, "format": "wav"}},
                    ],
                },
            ],
            "stream": True,
            "stream_options": {"include_usage": True},
            "response_format": {"type": "text"},
            "max_completion_tokens": 5,
            "stop": [],
            "n": 1,
            "logit_bias": {},
            "metadata": {"a": "b"},
        },
    ),
    (
        "/v1/audio/transcriptions",
        {
            "file": AUDIO,
            "model": "whisper-large-v3",
            "response_format": "verbose_json",
            "timestamp_granularities[]": ["segment"],
            "chunking_strategy": "auto",
            "include": [],
            "temperature": 0.5,
        },
    ),
    (
        "/",
        {"input_audio": {"data": AUDIO, "format": "mp3"}, "prompt": "x", "top_p": 0.5, "webhook_url": "https://e.org/"},
    ),
    ("/", {"url": "https://e.org/a.mp3", "callback": "https://e.org/", "language": "fr-FR"}),
    ("/", {"bucket": "b", "key": "a.mp3", "timestamp_granularities": ["segment"], "response_format": "verbose_json"}),
    ("/", {"sweep": {"bucket": "b", "prefix": "in/", "limit": 3}}),
    ("/", {"job": {"id": "msg_1", "attempt": 1, "request": {"url": "https://e.org/a"}}}),
)
ODD: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 2**63, -(2**63), 10**400, 1e308, -0.0, 0.5, "", " ", "\x00", "\ud800", "a\udfffb", "é"),
    *([], {}, [[]], [None], {"": None}, {"\ud800": "\udc00"}, ["segment", {}], [{"type": {}}], {"type": []}, "segment"),
    *("true", "NaN", "1e999", "9" * 5000, "x" * 10_000, "data:;base64,", "://", "https://[", "../..", "%00", "\u2028"),
)
VARIANTS: Final = 400


def bases() -> Iterator[tuple[str, Any]]:
    """Requests of every kind, with their paths."""
    yield from FORMS
    for path in sorted(EVENTS.glob("*.json")):
        event = json.loads(path.read_text())
        try:
            yield event.get("path") or "/", json.loads(event["body"])
        except (ValueError, TypeError, KeyError):
            continue


def mutated(value: Any, chance: random.Random) -> Any:
    """`value` with something in it replaced, renamed, left out or wrapped."""
    if isinstance(value, dict) and value and chance.random() < 0.8:
        name = chance.choice(list(value))
        match chance.randrange(6):
            case 0:
                return {key: item for key, item in value.items() if key != name}
            case 1:
                return {**value, chance.choice([" ", "\ud800", "x" * 5000, "Records", "sweep", "job", "0"]): ODD[3]}
            case _:
                return {**value, name: mutated(value[name], chance)}
    if isinstance(value, list) and value and chance.random() < 0.8:
        index = chance.randrange(len(value))
        return [*value[:index], mutated(value[index], chance), *value[index + 1 :]]
    if chance.random() < 0.1:
        return [value]
    return chance.choice(ODD)


def read(path: str, body: str, **fields: object) -> object:
    event = {"httpMethod": "POST", "path": path, "headers": {}, "body": body, **fields}
    try:
        return read_request(read_event(event), SETTINGS)
    except RequestError as error:
        answer = error_answer(error).to_platform({})
        assert answer["statusCode"] in {400, 401, 405}
        answer["body"].encode()
        assert len(answer["body"]) < 5000
        return error


@pytest.mark.parametrize(("path", "base"), list(bases()), ids=lambda value: str(value)[:40])
def test_mutations_are_read_or_refused(path: str, base: Any) -> None:
    """A request with parts replaced, left out or renamed is read, or refused by an error of ours."""
    chance = random.Random(f"{path}{json.dumps(base)}")  # noqa: S311 # the same in each run
    for _ in range(VARIANTS):
        value = base
        for _ in range(chance.randint(1, 3)):
            value = mutated(value, chance)
        result = read(path, json.dumps(value, ensure_ascii=chance.random() < 0.7))
        if (fields := getattr(result, "to_fields", None)) is not None:
            json.dumps(fields(), ensure_ascii=False).encode()  # it can be queued


@pytest.mark.parametrize(
    "fields",
    [
        {"headers": {"Authorization": "Bearer \ud800"}},
        {"queryStringParameters": {"\ud800": "x"}},
        {"queryStringParameters": {"language": "\ud800"}},
        {"queryStringParameters": {"temperature": "9" * 10_000}},
        {"path": "/\ud800"},
        {"path": ["/v1"]},
        {"httpMethod": "\ud800"},
        {"httpMethod": {"a": 1}},
        {"body": '{"url": "https://e.org/\ud800"}'},
        {"body": "\ud800"},
        {"body": {"url": "x"}},
        {"headers": [1], "queryStringParameters": "x"},
    ],
    ids=str,
)
def test_odd_events_are_read_or_refused(fields: dict[str, Any]) -> None:
    """An event whose own fields are odd is read, or refused by an error of ours, with a token set and without."""
    event = {"httpMethod": "POST", "path": "/", "headers": {}, "body": '{"url": "https://e.org/a.mp3"}', **fields}
    for settings in (SETTINGS, Settings(api_key="key", access_token="token")):
        try:
            read_request(read_event(event), settings)
        except RequestError as error:
            error_answer(error).to_platform({})["body"].encode()


@pytest.mark.parametrize("escape", ["[", "\\u005b"], ids=["plain", "escaped"])
@pytest.mark.parametrize("inner", ['{"Records": [%s]}', '{"Records": [], "x": {"y": [%s]}}'], ids=["records", "beside"])
def test_parts_within_a_notification_are_bounded(escape: str, inner: str) -> None:
    """Parts that are hidden in the text of an SNS message are counted before they are parsed."""
    message = inner % ",".join(["[]"] * (20 * MAX_JSON_PARTS))
    body = json.dumps({"Type": "Notification", "Message": message}).replace("[", escape).replace(",", "\\u002c", 10**6)
    body = body.replace('"\\u002c', '",', 1)  # but for the one between the two fields
    tracemalloc.start()
    try:
        result = read("/", body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(result, RequestError)
    assert peak < 8 * len(body)


@pytest.mark.parametrize(
    "body",
    [
        "[" * 10_000,
        '{"a":' * 10_000,
        '{"url": ' + "[" * 5_000 + "]" * 5_000 + "}",
        '{"temperature": ' + "9" * 10_000 + "}",
    ],
    ids=["lists", "objects", "a field", "a number"],
)
def test_deep_and_long(body: str) -> None:
    """Deep nesting and endless numbers are refused, also within a notification."""
    assert isinstance(read("/", body), RequestError)
    assert isinstance(read("/", json.dumps({"Type": "Notification", "Message": body})), RequestError)
