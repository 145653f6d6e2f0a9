"""Jobs by their HTTP surface: accepted, looked at, read in any format, deleted, and called back."""

import base64
import json
import re
from typing import Any

import pytest
from support.api_description import ApiDescription
from support.handling import HEARD, Handle, new_instance
from support.loopback import Peer, serve
from support.object_storage import BUCKET, all_keys
from support.recordings import hum
from support.triggering import TALK, Api, drain, post, upload, verified

JOBS = "/v1/audio/transcriptions"
OBJECT = {"bucket": BUCKET, "key": TALK}


@pytest.fixture
def output_bucket(environment: pytest.MonkeyPatch, s3: Any) -> None:
    """A place for jobs."""
    assert s3
    environment.setenv("OUTPUT_BUCKET", BUCKET)


def call(handle: Handle, method: str, path: str, **query: str) -> Any:
    """The answer to a call about a job: its status, and its body as JSON where it is."""
    answer = handle({"httpMethod": method, "path": path, "queryStringParameters": query}, {})
    is_json = answer["headers"]["Content-Type"] == "application/json"
    return answer["statusCode"], json.loads(answer["body"]) if is_json else answer["body"]


def created(handle: Handle, body: dict[str, Any], **headers: str) -> tuple[dict[str, Any], str]:
    """The job that a request makes, and its path."""
    answer = handle({**post({**body, "async": True}), "headers": headers}, {})
    assert answer["statusCode"] == 202, answer["body"]
    job = json.loads(answer["body"])
    assert re.fullmatch(r"job_[0-9a-f]{32}", job["id"])
    assert answer["headers"]["Location"] == f"{JOBS}/{job['id']}"
    return job, answer["headers"]["Location"]


def work(server: str, queue_url: str, handle: Handle) -> list[int]:
    """The answers to all messages of the queue."""
    return [handle(message, {})["statusCode"] for message in drain(server, queue_url)]


@pytest.mark.usefixtures("output_bucket")
def test_job_by_way_of_the_queue(server: str, queue_url: str, s3: Any, api: Api) -> None:
    """A job is queued, then completed with progress 100, and its transcript is there in any format."""
    upload(s3)
    handle = new_instance()
    job, path = created(handle, OBJECT)
    assert (job["object"], job["status"]) == ("transcription.job", "queued")
    status, found = call(handle, "GET", path)
    assert (status, found["status"], found["progress"], found["error"]) == (200, "queued", None, None)
    assert call(handle, "GET", f"{path}/content")[0] == 409
    assert work(server, queue_url, handle) == [200]
    status, found = call(handle, "GET", path)
    assert found["completed_at"] >= found["created_at"] == job["created_at"]
    assert {name: found[name] for name in ("id", "object", "status", "progress", "error")} == {
        "id": job["id"],
        "object": "transcription.job",
        "status": "completed",
        "progress": 100,
        "error": None,
    }
    assert call(handle, "GET", f"{path}/content")[1]["text"] == HEARD
    assert call(handle, "GET", f"{path}/content", response_format="text") == (200, f"{HEARD}\n")
    assert call(handle, "GET", f"{path}/content", response_format="srt")[1].startswith("1\n00:00:00")
    assert api.jobs == 1


@pytest.mark.usefixtures("output_bucket")
def test_format_of_the_request_is_that_of_the_content(server: str, queue_url: str, s3: Any) -> None:
    """Without a format in the query, the transcript has that of the request for it."""
    upload(s3)
    handle = new_instance()
    _, path = created(handle, {**OBJECT, "response_format": "text"})
    work(server, queue_url, handle)
    assert call(handle, "GET", f"{path}/content") == (200, f"{HEARD}\n")
    assert call(handle, "GET", f"{path}/content", format="srt")[0] == 400


@pytest.mark.usefixtures("output_bucket", "queue_url")
@pytest.mark.parametrize("how", [{"Prefer": "respond-async"}, {"Prefer": "wait=5, Respond-Async"}])
def test_job_by_the_header_prefer(s3: Any, how: dict[str, str]) -> None:
    """The header Prefer makes a job of a request, also of a body that is a recording and nothing else."""
    upload(s3)
    handle = new_instance()
    assert handle({**post(OBJECT), "headers": how}, {})["statusCode"] == 202
    encoded = base64.b64encode(hum(1)).decode()
    assert handle({"httpMethod": "POST", "body": encoded, "headers": how}, {})["statusCode"] == 202
    by_query = {"httpMethod": "POST", "body": encoded, "queryStringParameters": {"async": "true"}}
    assert handle(by_query, {})["statusCode"] == 202


@pytest.mark.usefixtures("output_bucket")
def test_inline_recording_of_any_size_is_a_job(server: str, queue_url: str, s3: Any) -> None:
    """A recording in the request is an object before the answer, and so no message is too small for it."""
    handle = new_instance()
    audio = base64.b64encode(hum(60)).decode()
    assert len(audio) > 256 * 1024
    _, path = created(handle, {"audio": audio})
    assert work(server, queue_url, handle) == [200]
    assert call(handle, "GET", path)[1]["status"] == "completed"
    assert {key.split("/")[1] for key in all_keys(s3)} == {".work"}  # none of it is a result of the bucket's


@pytest.mark.usefixtures("output_bucket")
def test_failed_job(server: str, queue_url: str, s3: Any) -> None:
    """A recording that is none fails its job: the status and the content say why, and a sweep does not repeat it."""
    upload(s3, body=b"<html>no</html>")
    handle = new_instance()
    _, path = created(handle, OBJECT)
    assert work(server, queue_url, handle) == [200]
    status, found = call(handle, "GET", path)
    assert (status, found["status"], found["error"]["code"]) == (200, "failed", "unsupported_audio")
    status, content = call(handle, "GET", f"{path}/content")
    assert (status, content["error"]) == (415, found["error"])


@pytest.mark.usefixtures("output_bucket")
def test_object_that_is_not_there(server: str, queue_url: str) -> None:
    """A job of an object that is missing fails, and says so."""
    handle = new_instance()
    _, path = created(handle, {"bucket": BUCKET, "key": "none.mp3"})
    assert work(server, queue_url, handle) == [200]
    assert call(handle, "GET", path)[1]["error"]["code"] == "source_not_found"
    assert call(handle, "GET", f"{path}/content")[0] == 404


@pytest.mark.usefixtures("output_bucket")
def test_deleted_job_is_gone(server: str, queue_url: str, s3: Any, api: Api) -> None:
    """Of a deleted job, a tombstone is left; its message does nothing, and an object and its transcript stay."""
    upload(s3)
    handle = new_instance()
    for body, left in (
        (OBJECT, {TALK, f"transcripts/{TALK}.json"}),
        ({"audio": base64.b64encode(hum(1)).decode()}, set()),
    ):
        job, path = created(handle, body)
        work(server, queue_url, handle)
        assert call(handle, "DELETE", path) == (
            200,
            {"id": job["id"], "object": "transcription.job", "deleted": True},
        )
        for method, end in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
            assert call(handle, method, path + end)[0] == 404
        about_it = {key for key in all_keys(s3) if "/done/" not in key and job["id"] in key}
        assert about_it == {f"transcripts/.work/jobs/{job['id']}/job.json"}
        assert left <= set(all_keys(s3))
    paid = api.jobs
    job, path = created(handle, {"audio": base64.b64encode(hum(2)).decode()})
    assert call(handle, "DELETE", path)[0] == 200
    assert work(server, queue_url, handle) == [200]
    assert api.jobs == paid


@pytest.mark.usefixtures("output_bucket")
def test_callback_of_a_job(server: str, queue_url: str, s3: Any) -> None:
    """A request with a callback is a job; its webhook-id is not the job's id, and a repetition calls back no more."""
    upload(s3)
    handle = new_instance()
    with serve(Peer.answer) as receiver:
        answer = handle(post({**OBJECT, "callback": receiver.url}), {})
        job = json.loads(answer["body"])
        assert (answer["statusCode"], job["object"]) == (202, "transcription.job")
        (message,) = drain(server, queue_url)
        assert [handle(message, {})["statusCode"] for _ in range(2)] == [200, 200]
        body, message_id = verified(receiver)
        assert body["text"] == HEARD
        assert message_id == job["webhook_id"]
        assert job["id"].removeprefix("job_") not in message_id
        assert len(receiver.requests) == 1


@pytest.mark.parametrize("missing", ["OUTPUT_BUCKET", "S3_ACCESS_KEY"])
def test_job_without_a_place(environment: pytest.MonkeyPatch, missing: str) -> None:
    """Where no job can be kept, a request for one is a 400 that names what to set."""
    environment.setenv("OUTPUT_BUCKET", BUCKET)
    for name in [missing] if missing == "OUTPUT_BUCKET" else ["S3_ACCESS_KEY", "S3_SECRET_KEY"]:
        environment.delenv(name)
    answer = new_instance()(post({**OBJECT, "async": True}), {})
    error = json.loads(answer["body"])["error"]
    assert (answer["statusCode"], error["param"], missing in error["message"]) == (400, "async", True)
    assert call(new_instance(), "GET", f"{JOBS}/job_{'0' * 32}")[0] == 404


@pytest.mark.usefixtures("output_bucket")
def test_job_without_a_queue(s3: Any, api: Api) -> None:
    """Without a queue, a job is done in the request for it."""
    upload(s3)
    handle = new_instance()
    job, path = created(handle, OBJECT)
    assert (job["status"], call(handle, "GET", path)[1]["progress"], api.jobs) == ("completed", 100, 1)


@pytest.mark.usefixtures("output_bucket")
@pytest.mark.parametrize("is_swept", [False, True])
def test_job_that_does_not_fit_and_has_no_queue(s3: Any, api: Api, *, is_swept: bool) -> None:
    """Where nothing goes on with it, such a job is failed and says so; where a schedule sweeps, that completes it."""
    upload(s3)
    handle = new_instance()
    sweep = post({"sweep": {"bucket": BUCKET, "prefix": "elsewhere/"}})
    if is_swept:
        assert handle(sweep, {})["statusCode"] == 200
    api.statuses = ["422 X"]
    _, path = created(handle, OBJECT)
    found = call(handle, "GET", path)[1]
    if not is_swept:
        assert (found["status"], "schedule" in found["error"]["message"]) == ("failed", True)
        return
    assert found["status"] == "in_progress"
    make_due(s3)
    handle = new_instance()  # the first one remembers that the model was not there
    assert handle(sweep, {})["statusCode"] == 200
    assert call(handle, "GET", path)[1]["status"] == "completed"


def make_due(s3: Any) -> None:
    """Let the time pass until each job is due."""
    for key in all_keys(s3):
        if "/jobs/owed/" in key:
            stored = s3.get_object(Bucket=BUCKET, Key=key)
            metadata = {**stored["Metadata"], "job-not-before": "2026-01-01T00:00:00+00:00"}
            s3.put_object(Bucket=BUCKET, Key=key, Body=stored["Body"].read(), Metadata=metadata)


@pytest.mark.usefixtures("output_bucket")
def test_sweep_brings_a_lost_message_back(server: str, queue_url: str, s3: Any) -> None:
    """A job whose message is lost is queued again by a sweep, and completed."""
    handle = new_instance()
    _, path = created(handle, {"audio": base64.b64encode(hum(1)).decode()})
    assert len(drain(server, queue_url)) == 1  # and lost
    make_due(s3)
    handle(post({"sweep": {"bucket": BUCKET, "prefix": "elsewhere/"}}), {})
    assert work(server, queue_url, handle) == [200]
    assert call(handle, "GET", path)[1]["status"] == "completed"


@pytest.mark.usefixtures("output_bucket", "queue_url")
@pytest.mark.parametrize("path", ["/job_1", f"/job_{'0' * 32}", f"/job_{'0' * 32}/content", "/x/content"])
def test_unknown_id(path: str) -> None:
    """An id that no job has is a 404, whatever its form."""
    status, body = call(new_instance(), "GET", JOBS + path)
    assert (status, body["error"]["code"]) == (404, "job_not_found")


@pytest.mark.usefixtures("output_bucket")
def test_methods_of_a_job() -> None:
    """Another method than those of a job is a 405 that names them."""
    answer = new_instance()({"httpMethod": "POST", "path": f"{JOBS}/job_{'0' * 32}", "body": "{}"}, {})
    assert (answer["statusCode"], answer["headers"]["Allow"]) == (405, "GET, HEAD, OPTIONS, DELETE")


@pytest.mark.usefixtures("output_bucket")
def test_token_guards_every_call(environment: pytest.MonkeyPatch, server: str, queue_url: str, s3: Any) -> None:
    """With ACCESS_TOKEN, each call about a job needs the token and the id; the function's own message passes."""
    environment.setenv("ACCESS_TOKEN", "the-token")
    upload(s3)
    handle = new_instance()
    token = {"Authorization": "Bearer the-token"}
    _, path = created(handle, OBJECT, **token)
    (message,) = drain(server, queue_url)
    unsigned = {**message, "body": json.dumps({"job": json.loads(message["body"])["job"]})}
    assert handle(unsigned, {})["statusCode"] == 401
    assert handle(message, {})["statusCode"] == 200
    for method, end in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        assert call(handle, method, path + end)[0] == 401
        event = {"httpMethod": method, "path": path + end, "headers": {"Authorization": "Bearer another"}}
        assert handle(event, {})["statusCode"] == 401
    for method, end in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        assert handle({"httpMethod": method, "path": path + end, "headers": token}, {})["statusCode"] == 200


@pytest.mark.usefixtures("output_bucket")
def test_ids_stand_in_no_line_of_the_log(
    server: str, queue_url: str, s3: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    """No line holds the id of a job, whatever is done with it; a hash is the same in each line about it."""
    upload(s3)
    handle = new_instance()
    for body in (OBJECT, {"audio": base64.b64encode(hum(1)).decode()}, {"audio": base64.b64encode(b"-" * 99).decode()}):
        job, path = created(handle, body)
        call(handle, "GET", path)
        work(server, queue_url, handle)
        call(handle, "GET", f"{path}/content")
        call(handle, "DELETE", path)
        work(server, queue_url, handle)
        log = capfd.readouterr().err
        assert job["id"] not in log
        assert len(set(re.findall(r"job_#[0-9a-f]{12}", log))) == 1


@pytest.mark.usefixtures("output_bucket")
def test_answers_about_jobs_are_as_described(server: str, queue_url: str, s3: Any) -> None:
    """Each answer about a job has a status, headers and a body that the description has."""
    upload(s3)
    upload(s3, "no.mp3", b"<html>no</html>")
    handle = new_instance()
    described = ApiDescription(json.loads(handle({"httpMethod": "GET", "path": "/openapi.json"}, {})["body"]))
    for key in (TALK, "no.mp3"):
        accepted = handle(post({"bucket": BUCKET, "key": key, "async": True}), {})
        described.check_answer("post", "/", accepted)
        path = accepted["headers"]["Location"]
        for _ in range(2):
            for method, end in (("get", ""), ("get", "/content")):
                answer = handle({"httpMethod": method.upper(), "path": path + end}, {})
                described.check_answer(method, f"{JOBS}/{{id}}{end}", answer)
            work(server, queue_url, handle)
        for _ in range(2):
            described.check_answer("delete", f"{JOBS}/{{id}}", handle({"httpMethod": "DELETE", "path": path}, {}))


@pytest.mark.usefixtures("output_bucket", "queue_url")
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", f"bucket={BUCKET}&key=a.mp3&async=true"),
        (
            "multipart/form-data; boundary=b",
            "".join(
                f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                for name, value in (("bucket", BUCKET), ("key", "a.mp3"), ("async", "true"))
            )
            + "--b--\r\n",
        ),
    ],
)
def test_form_that_asks_for_a_job(content_type: str, body: str) -> None:
    """A form has a job made of it, too."""
    event = {"httpMethod": "POST", "path": JOBS, "headers": {"Content-Type": content_type}, "body": body}
    answer = new_instance()(event, {})
    assert (answer["statusCode"], json.loads(answer["body"])["object"]) == (202, "transcription.job")
    assert answer["headers"]["Location"].startswith(f"{JOBS}/job_")


@pytest.mark.usefixtures("output_bucket")
def test_error_of_a_job_holds_no_id(server: str, queue_url: str, s3: Any) -> None:
    """What a callback's receiver is told of a failure does not open the job, although its recording's key would."""
    handle = new_instance()
    with serve(Peer.answer) as receiver:
        body = {"audio": base64.b64encode(hum(1)).decode(), "callback": receiver.url}
        job, path = created(handle, body)
        s3.delete_object(Bucket=BUCKET, Key=f"transcripts/.work/jobs/{job['id']}/recording")
        assert work(server, queue_url, handle) == [200]
        told = verified(receiver)[0]
    assert told["error"]["code"] == "source_not_found"
    assert job["id"] not in json.dumps(told)
    assert call(handle, "GET", path)[1]["error"] == told["error"]


@pytest.mark.usefixtures("output_bucket")
def test_job_that_waits_says_why(server: str, queue_url: str, s3: Any, api: Api) -> None:
    """A job that goes on later has the reason among its warnings, until it goes on."""
    upload(s3)
    handle = new_instance()
    handle(post({"sweep": {"bucket": BUCKET, "prefix": "elsewhere/"}}), {})  # there is a schedule
    _, path = created(handle, OBJECT)
    api.statuses = ["422 X"]
    assert work(server, queue_url, handle) == [200]
    found = call(handle, "GET", path)[1]
    assert (found["status"], len(found["warnings"])) == ("in_progress", 1)
    assert found["warnings"][0].startswith("The work goes on later: ")
    make_due(s3)
    handle = new_instance()
    handle(post({"sweep": {"bucket": BUCKET, "prefix": "elsewhere/"}}), {})
    work(server, queue_url, handle)
    found = call(handle, "GET", path)[1]
    assert (found["status"], found["warnings"]) == ("completed", [])
