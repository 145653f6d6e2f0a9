"""Requests with `dry_run` for objects, in messages, and with a callback."""

import json
from typing import Any

import pytest
from support.handling import Handle, new_instance
from support.loopback import body_of, serve
from support.object_storage import BUCKET, client
from support.triggering import TALK, Api, post, upload

REQUEST = {"bucket": BUCKET, "key": TALK, "dry_run": True}


def keys(s3: Any) -> list[str]:
    return [found["Key"] for found in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def test_an_object_is_estimated_and_nothing_is_stored(handle: Handle, s3: Any, api: Api) -> None:
    """An object's estimate has its price, and leaves no lease, no result and no call."""
    upload(s3)
    estimate = json.loads(handle(post(REQUEST), {})["body"])
    assert estimate["usage"]["seconds"] == 12
    assert estimate["cost"] == pytest.approx(0.01 * estimate["billed_seconds"], abs=1e-6)
    assert keys(s3) == [TALK]
    assert api.jobs == 0


def test_what_is_transcribed_costs_nothing(handle: Handle, s3: Any) -> None:
    """A version whose transcript is stored is not billed again; a new version is."""
    upload(s3)
    handle(post({"bucket": BUCKET, "key": TALK}), {})
    estimate = json.loads(handle(post(REQUEST), {})["body"])
    assert (estimate["billed_seconds"], estimate["cost"], estimate["chunks"]) == (0, 0, 1)
    assert estimate["duration"] > 10
    upload(s3, body=s3.get_object(Bucket=BUCKET, Key=TALK)["Body"].read() + bytes(64))
    assert json.loads(handle(post(REQUEST), {})["body"])["usage"]["seconds"] == 12


def test_another_prompt_is_billed_again(handle: Handle, s3: Any) -> None:
    """Options that change the words have results of their own, and so a price."""
    upload(s3)
    handle(post({"bucket": BUCKET, "key": TALK}), {})
    estimate = json.loads(handle(post(REQUEST | {"prompt": "Americans"}), {})["body"])
    assert estimate["usage"]["seconds"] == 12


def test_a_message_is_not_transcribed(handle: Handle, s3: Any, api: Api) -> None:
    """A queued request with `dry_run` is answered 200, and transcribes nothing."""
    upload(s3)
    answer = handle(post({"job": {"id": "msg_1", "request": REQUEST}}), {})
    assert answer["statusCode"] == 200
    assert keys(s3) == [TALK]
    assert api.jobs == 0


def test_a_callback_gets_it_without_the_queue(
    queue_url: str, environment: pytest.MonkeyPatch, server: str, s3: Any, api: Api
) -> None:
    """With a callback, the estimate is answered at once and called back; no job is queued that could transcribe."""
    upload(s3)
    with serve(lambda peer: peer.answer()) as receiver:
        environment.setenv("OUTPUT_BUCKET", BUCKET)
        answer = new_instance()(post(REQUEST | {"callback": f"{receiver.url}/hook"}), {})
        (called,) = receiver.requests
    assert answer["statusCode"] == 200
    assert json.loads(body_of(called)) == json.loads(answer["body"])
    assert json.loads(answer["body"])["dry_run"] is True
    queued = client("sqs", server).receive_message(QueueUrl=queue_url)
    assert "Messages" not in queued
    assert api.jobs == 0


def test_a_missing_object_is_404(handle: Handle) -> None:
    """The estimate of an object that is not there is the error of a transcription."""
    assert handle(post(REQUEST | {"key": "incoming/nothing.mp3"}), {})["statusCode"] == 404
