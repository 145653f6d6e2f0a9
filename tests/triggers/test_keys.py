"""The handler with keys as people have them: each recording is done, or on record, and none has another one's text."""

import json
from typing import Any

import pytest
from support.handling import HEARD, Handle
from support.object_storage import BUCKET, all_keys
from support.recordings import hum
from support.triggering import Api, counts, post, upload

ODD_KEYS = (
    "/d.wav",
    "in//a.wav",
    "in/./b.wav",
    "in/../c.wav",
    "in/tab\tand\x01more.wav",
    "in/a+b c%20d?e#f&g=h;.wav",
    "in/" + "k" * 1_000 + ".wav",
    "é" * 400 + ".mp3",
    "a",
    "a.error",
    "a.0123456789abcdef",
    "in/😀.mp3",
)


@pytest.mark.parametrize("key", ODD_KEYS, ids=lambda key: ascii(key)[:24])
def test_any_key(handle: Handle, s3: Any, api: Api, key: str) -> None:
    """A recording with an odd key is transcribed, answered again for nothing, and known to be done by a sweep."""
    upload(s3, key, hum(1))
    for _ in range(2):
        answer = handle(post({"bucket": BUCKET, "key": key}), {})
        assert (answer["statusCode"], json.loads(answer["body"])["text"], api.jobs) == (200, HEARD, 1)
    if key.isprintable():  # moto lists control characters as they are, which is no XML
        assert counts(handle(post({"sweep": {"bucket": BUCKET}}), {})).keys() <= {"found", "skipped"}
    assert all(len(each.encode()) <= 1_024 for each in all_keys(s3))


@pytest.mark.parametrize("key", ["/d.wav", "in//a.wav", "in/./b.wav", "é" * 400 + ".mp3", "in/😀.mp3"], ids=ascii)
def test_any_key_is_swept(handle: Handle, s3: Any, key: str) -> None:
    """A sweep finds a recording with an odd key, and transcribes it."""
    upload(s3, key, hum(1))
    assert counts(handle(post({"sweep": {"bucket": BUCKET}}), {})) == {"found": 1, "done": 1}


def test_keys_that_look_like_results(handle: Handle, s3: Any) -> None:
    """A failed recording and one that is named like its record have results of their own."""
    upload(s3, "a", b"<html>no</html>")
    upload(s3, "a.error", hum(2))
    for _ in range(2):
        assert handle(post({"bucket": BUCKET, "key": "a"}), {})["statusCode"] == 415
        answer = handle(post({"bucket": BUCKET, "key": "a.error"}), {})
        assert (answer["statusCode"], json.loads(answer["body"])["duration"]) == (200, 2)


def test_key_with_a_slash_at_its_end(handle: Handle, s3: Any) -> None:
    """What is named like a folder is another object than the file of that name."""
    upload(s3, "x.wav", hum(1))
    handle(post({"bucket": BUCKET, "key": "x.wav"}), {})
    assert handle(post({"bucket": BUCKET, "key": "x.wav/"}), {})["statusCode"] == 404
