"""The handler with triggers: recordings in Object Storage get their transcripts beside them, once."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from support.handling import HEARD, WHISPER, Handle, new_instance
from support.object_storage import BUCKET, keys
from support.recordings import hum
from support.triggering import RESULT, TALK, Api, counts, event, post, stored, upload


@pytest.mark.parametrize("name", ["upload", "upload-sns", "queue-job", "queue-object", "cron-sweep"])
def test_each_trigger_leaves_a_transcript(
    handle: Handle, s3: Any, api: Api, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """However a recording reaches the function, its transcript appears, names its version, and is logged."""
    etag = upload(s3)
    for _ in range(2):
        assert handle(event(name), {})["statusCode"] == 200
    assert (api.jobs, keys(s3)) == (1, [TALK, RESULT])
    result = stored(s3, RESULT)
    assert json.loads(result["Body"].read())["text"] == HEARD
    assert (result["ContentType"], result["Metadata"]["audio-etag"]) == ("application/json", etag)
    first = json.loads(capsys.readouterr().err.splitlines()[0])
    assert {name: first[name] for name in ("key", "outcome", "source", "model")} == {
        "key": TALK,
        "outcome": "done",
        "source": "storage",
        "model": WHISPER,
    }
    assert first["cost"] == pytest.approx(0.6 * 11.088 / 60, abs=1e-5)


def test_nothing_to_do(handle: Handle, api: Api, s3: Any) -> None:
    """Removals, the store's own test, files beside the recordings and the function's results are left alone."""
    for name in ("upload-removed", "upload-test"):
        assert counts(handle(event(name), {})) == {}
    records = [
        {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": BUCKET}, "object": {"key": key}}}
        for key in ("notes.txt", "a.mp3.json", "transcripts/a.mp3")
    ]
    assert counts(handle(post({"Records": records}), {})) == {"skipped": 3}
    assert (api.jobs, keys(s3)) == (0, [])


def test_several_uploads_in_one_message(handle: Handle, s3: Any, api: Api) -> None:
    """Each upload of a message is transcribed, and one that was removed since is skipped."""
    upload(s3, "b.wav", hum(1))
    assert counts(handle(event("upload-several"), {})) == {"found": 2, "done": 1, "skipped": 1}
    assert (api.jobs, keys(s3)) == (1, ["b.wav", "transcripts/b.wav.json"])


@pytest.mark.parametrize(
    "body",
    [
        {"Records": [{"eventName": 1}]},
        {"sweep": {"bucket": "b", "prefx": ""}},
        {"sweep": []},
        {"job": {}},
        {"hello": 1},
    ],
)
def test_malformed_messages_are_refused(handle: Handle, body: object, capsys: pytest.CaptureFixture[str]) -> None:
    """A message that is none of ours is a 400 with a line in the log, so that it is not taken for success."""
    assert handle(post(body), {})["statusCode"] == 400
    assert json.loads(capsys.readouterr().err)["code"] == "invalid_request"


def test_triggers_and_access_token_exclude_each_other(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With ACCESS_TOKEN set, a message without it is a 401, and an error in the log that says what to do."""
    environment.setenv("ACCESS_TOKEN", "an-invented-token")
    assert new_instance()(event("upload"), {})["statusCode"] == 401
    line = json.loads(capsys.readouterr().err)
    assert (line["level"], "privacy: private" in line["error"]) == ("error", True)


def test_five_instances_at_once(environment: pytest.MonkeyPatch, s3: Any, api: Api) -> None:
    """The same upload told to five instances at once costs one job of the API."""
    upload(s3)
    instances = [new_instance() for _ in range(5)]
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda instance: instance(event("upload"), {}), instances))
    assert [answer["statusCode"] for answer in answers] == [200] * 5
    assert (api.jobs, keys(s3)) == (1, [TALK, RESULT])
    assert environment


def test_new_audio_under_an_old_key(handle: Handle, s3: Any, api: Api) -> None:
    """Another version is transcribed anew, the same bytes uploaded again are not."""
    for body in (hum(1), hum(2), hum(2)):
        etag = upload(s3, body=body)
        handle(event("upload"), {})
    assert api.jobs == 2
    assert stored(s3, RESULT)["Metadata"]["audio-etag"] == etag
    assert json.loads(stored(s3, RESULT)["Body"].read())["duration"] == 2


def test_failure_that_cannot_be_cured(handle: Handle, s3: Any, api: Api) -> None:
    """What is no audio has an error record, is answered 200, and is not tried again - until better audio comes."""
    upload(s3, body=b"<html>no</html>")
    assert counts(handle(event("upload"), {})) == {"found": 1, "failed": 1}
    record = f"transcripts/{TALK}.error.json"
    assert keys(s3) == [TALK, record]
    assert json.loads(stored(s3, record)["Body"].read())["error"]["code"] == "unsupported_audio"
    assert counts(handle(event("upload"), {})) == {"found": 1, "skipped": 1}
    assert handle(event("queue-job"), {})["statusCode"] == 200
    asked = handle(event("queue-object"), {})
    assert (asked["statusCode"], json.loads(asked["body"])["error"]["code"]) == (415, "unsupported_audio")
    upload(s3)
    assert counts(handle(event("upload"), {})) == {"found": 1, "done": 1}
    assert keys(s3) == [TALK, RESULT]
    assert api.jobs == 1


@pytest.mark.parametrize("name", ["upload", "queue-job"])
@pytest.mark.parametrize("status", ["429 X", "422 X"])
@pytest.mark.usefixtures("environment")
def test_failure_that_can_be_cured(s3: Any, api: Api, name: str, status: str) -> None:
    """A rate limit or a model that is gone is at least a 500, so that the message comes again, and is then done."""
    upload(s3)
    api.statuses = [status]
    assert new_instance()(event(name), {})["statusCode"] >= 500
    assert keys(s3) == [TALK]
    assert new_instance()(event(name), {})["statusCode"] == 200
    assert keys(s3) == [TALK, RESULT]


def test_request_for_an_object(handle: Handle, s3: Any, api: Api) -> None:
    """A client gets the transcript, made now or before, in its format; options of its own have it made anew."""
    upload(s3)
    reference = {"bucket": BUCKET, "key": TALK}
    first = handle(post(reference), {})
    assert json.loads(first["body"])["text"] == HEARD
    assert handle(post(reference), {})["body"] == first["body"]
    assert handle(post({**reference, "response_format": "text"}), {})["body"] == f"{HEARD}\n"
    assert api.jobs == 1
    for _ in range(2):
        assert handle(post({**reference, "language": "fr"}), {})["statusCode"] == 200
    assert api.jobs == 2
    missing = handle(post({**reference, "key": "none.mp3"}), {})
    assert (missing["statusCode"], json.loads(missing["body"])["error"]["param"]) == (404, "key")


def test_without_keys(environment: pytest.MonkeyPatch) -> None:
    """Without the keys of the storage, an object is a 500 that names the setting."""
    environment.delenv("S3_ACCESS_KEY")
    environment.delenv("S3_SECRET_KEY")
    answer = new_instance()(event("queue-object"), {})
    assert (answer["statusCode"], json.loads(answer["body"])["error"]["param"]) == (500, "S3_ACCESS_KEY")


def test_outputs_as_set(environment: pytest.MonkeyPatch, s3: Any) -> None:
    """Results go where the settings say, with the further formats beside them."""
    environment.setenv("OUTPUT_PREFIX", "out/")
    environment.setenv("OUTPUT_FORMATS", "text,srt")
    upload(s3, "a.mp3")
    new_instance()(post({"bucket": BUCKET, "key": "a.mp3"}), {})
    assert keys(s3) == ["a.mp3", "out/a.mp3.json", "out/a.mp3.srt", "out/a.mp3.txt"]
    assert stored(s3, "out/a.mp3.txt")["Body"].read() == f"{HEARD}\n".encode()


def test_sweep_without_a_queue(handle: Handle, s3: Any, api: Api) -> None:
    """A sweep transcribes what has no transcript, up to its limit, and leaves alone what has one."""
    for name in ("1.mp3", "2.mp3", "3.mp3", "notes.txt"):
        upload(s3, name, hum(1))
    sweep = {"bucket": BUCKET, "limit": 2}
    assert counts(handle(post({"sweep": sweep}), {})) == {"found": 2, "done": 2}
    assert counts(handle(post({"sweep": sweep}), {})) == {"found": 3, "done": 1, "skipped": 2}
    assert counts(handle(post({"sweep": sweep}), {})) == {"found": 3, "skipped": 3}
    assert api.jobs == 3


NAMES = ("voice.qta", "Meeting 25.11.2026", "talk.m4a (1)", "0001.dat", "call", "dump.unknown")


def test_names_decide_nothing(handle: Handle, s3: Any, api: Api) -> None:
    """Recordings of any name are transcribed by a sweep; only what surely is something else is left unread."""
    for name in NAMES:
        upload(s3, name)
    for name in ("cover.jpg", "notes.txt", "words.srt", "a.json"):
        upload(s3, name)
    assert counts(handle(post({"sweep": {"bucket": BUCKET}}), {})) == {"found": len(NAMES), "done": len(NAMES)}
    assert api.jobs == len(NAMES)
    assert {f"transcripts/{name}.json" for name in NAMES} < set(keys(s3))


def test_what_is_no_audio_is_looked_at_once(
    handle: Handle, s3: Any, api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    """An object of a name that says nothing and that is no audio has a line in the log and a 415 on record."""
    upload(s3, "project.prproj", b"\x00\x01\x02 no recording" * 100)
    sweep = post({"sweep": {"bucket": BUCKET}})
    assert counts(handle(sweep, {})) == {"found": 1, "failed": 1}
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (line,) = [line for line in lines if line["message"] == "object"]
    assert (line["key"], line["outcome"]) == ("project.prproj", "failed")
    assert line["error"].startswith("The source holds bytes of a kind that is not known")
    record = json.loads(stored(s3, "transcripts/project.prproj.error.json")["Body"].read())
    assert "kind that is not known here; the first are 00 01 02" in record["error"]["message"]
    assert counts(handle(sweep, {})) == {"found": 1, "skipped": 1}
    assert api.jobs == 0
