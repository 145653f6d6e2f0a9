"""Checks of what outlives a request: an upload, a job, and a bucket's way through the queue to a transcript."""

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from transcriber.jobs.layout import WORK, ResultKeys, jobs_prefix, own_prefix, results_bucket
from transcriber.request.s3_events import ObjectReference
from verify_run.finding import Finding, failed, ok, quoted, skipped
from verify_run.function import Function, inline
from verify_run.function_checks import LOG_CURE, FunctionFacts, transcript_finding
from verify_run.queue_checks import queue_client
from verify_run.run import Run
from verify_run.signed import SignedAnswer, sqs, texts_of
from verify_run.storage_checks import Bucket, refusal
from verify_run.web import WebAnswer

TRANSCRIPTIONS: Final = "v1/audio/transcriptions"
UPLOADS: Final = "v1/uploads"
# A trigger looks at its queue every few seconds, and its first message may find no instance.
WAIT_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.5
_TRIGGER_CURE: Final = (
    "Run scripts/deploy --bucket, which makes the trigger; or take away the # in front of events in serverless.yml, "
    "and run scripts/deploy. A trigger has to be made anew when a function turns private."
)


def check_upload(run: Run, function: Function) -> Iterator[Finding]:
    """A recording that is PUT into the storage by its client, and named in a request."""
    request = {"filename": "verify.mp3", "bytes": len(run.sample), "mime_type": "audio/mpeg"}
    opened = function.post(request, UPLOADS)
    fields = opened.fields
    if opened.status != HTTPStatus.CREATED or not isinstance(fields.get("headers"), dict):
        yield _not_available("upload", opened)
        return
    bucket, key = str(fields.get("bucket")), str(fields.get("key"))
    _remove_later(run, bucket, key)
    address, headers = str(fields.get("url")), {str(name): str(value) for name, value in fields["headers"].items()}
    headers.pop("Content-Length", None)  # the client's library states it
    sent = function.web.send("PUT", address, data=run.sample, headers=headers)
    if sent.status not in {HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT}:
        cure = "Give the function's application ObjectStorageObjectsWrite, and allow it in the bucket's policy."
        yield failed("upload", f"The storage refuses the signed upload ({sent.status}): {quoted(sent.message)}", cure)
        return
    again = function.web.send("PUT", address, data=run.sample, headers=headers)
    if again.status != HTTPStatus.PRECONDITION_FAILED:
        cure = "Use a bucket with conditional writes: scripts/verify, without URL, checks it."
        yield failed(
            "upload", f"A second PUT to the same address is answered {again.status}, and has to be a 412.", cure
        )
        return
    yield transcript_finding("upload", function.post({"bucket": bucket, "key": key}))


def check_job(run: Run, function: Function) -> Iterator[Finding]:
    """A job: accepted, polled, read, deleted."""
    accepted = function.post({**inline(run.sample), "async": True}, TRANSCRIPTIONS)
    job_id = accepted.fields.get("id")
    if accepted.status != HTTPStatus.ACCEPTED or not isinstance(job_id, str):
        yield _not_available("job", accepted)
        return
    path = job_path(job_id)
    remove_job_later(run, function, job_id)
    started, state = time.monotonic(), function.get(path)
    while state.fields.get("status") in {"queued", "in_progress"} and _has_time(run, started):
        time.sleep(POLL_SECONDS)
        state = function.get(path)
    match state.fields.get("status"):
        case "completed":
            seconds = time.monotonic() - started
            content = function.get(f"{path}/content?response_format=json")
            yield transcript_finding("job", replace(content, seconds=seconds))
        case "failed":
            error = state.fields.get("error")
            said = error.get("message") if isinstance(error, dict) else error
            yield failed("job", f"The job failed: {quoted(str(said))}", LOG_CURE)
        case "queued" | "in_progress" as status:
            cause = f"The job is still {status} after {time.monotonic() - started:.0f} s."
            yield failed("job", f"{cause} Nothing takes jobs from the queue, or the function is slow.", _TRIGGER_CURE)
        case _:
            yield failed("job", f"Its state is answered {state.status}: {quoted(state.message)}", LOG_CURE)


def check_queue_way(run: Run, function: Function, facts: FunctionFacts) -> Iterator[Finding]:
    """An object in the bucket, reported by the queue, to its transcript beside it.

    With the queue's credentials, its message is that of a storage. Without, a sweep has the function queue it.
    """
    settings = run.settings
    if settings.storage is None or run.bucket is None:
        keys = "SCW_ACCESS_KEY and SCW_SECRET_KEY, or S3_ACCESS_KEY and S3_SECRET_KEY"
        yield skipped("queue way", f"needs a bucket (--bucket, OUTPUT_BUCKET) and keys for it ({keys})")
        return
    reference = ObjectReference(run.bucket, f"{run.prefix}verify-{secrets.token_hex(8)}.mp3")
    own = own_prefix(run.bucket, settings)
    if own and reference.key.startswith(own):
        cure = "Name another --prefix, such as incoming/."
        yield failed("queue way", f"{run.prefix} is where transcripts go; nothing is transcribed there.", cure)
        return
    bucket = Bucket(run, run.bucket)
    _remove_later(run, reference.bucket, reference.key)
    put = bucket.send("PUT", reference.key, body=run.sample)
    if not put.is_ok:
        yield replace(refusal(run, bucket.name, "write", put), check="queue way")
        return
    refused = _announce(run, reference) if settings.queue_url else _sweep(run, function, reference)
    yield refused or _await_transcript(run, facts, reference)


def _announce(run: Run, reference: ObjectReference) -> Finding | None:
    """Have the queue report the object; the failure where it does not take the message."""
    sent = sqs(queue_client(run), "SendMessage", run.deadline, MessageBody=upload_message(reference))
    cure = "scripts/verify, without URL, says what is wrong with the queue."
    return None if sent.is_ok else failed("queue way", f"The queue does not take a message ({sent.label}).", cure)


def _sweep(run: Run, function: Function, reference: ObjectReference) -> Finding | None:
    """Have the function itself queue the object, as its schedule does; the failure where it does not."""
    results = Bucket(run, results_bucket(reference.bucket, run.settings))
    prefix = f"{run.settings.output_prefix}{WORK}sweeps/"
    before = set(results.keys(prefix))
    run.clean_up.add("what a sweep left", lambda: results.remove(*(set(results.keys(prefix)) - before)))
    swept = function.post({"sweep": {"bucket": reference.bucket, "prefix": reference.key, "limit": 1}})
    if swept.status == HTTPStatus.OK and swept.fields.get("found"):
        return None
    if swept.status == HTTPStatus.OK:
        cure = "Compare the bucket and its region with the function's S3_ENDPOINT and S3_REGION."
        return failed("queue way", "A sweep of the function does not find the recording in the bucket.", cure)
    said = quoted(swept.message)
    cure = f"The message names what is missing: a setting, a right of the function's keys, or its queue. {LOG_CURE}"
    return failed("queue way", f"A sweep of the function fails: {swept.status}, {said}", cure)


def upload_message(reference: ObjectReference) -> str:
    """What a storage sends for an upload."""
    s3 = {"bucket": {"name": reference.bucket}, "object": {"key": quote(reference.key, safe="")}}
    return json.dumps({"Records": [{"eventName": "ObjectCreated:Put", "s3": s3}]})


def _await_transcript(run: Run, facts: FunctionFacts, reference: ObjectReference) -> Finding:
    keys = ResultKeys.of(reference, run.settings)
    results = Bucket(run, keys.bucket)
    started = time.monotonic()
    while _has_time(run, started):
        found = results.send("GET", keys.with_suffix(".json"))
        if found.is_ok:
            text = str(json.loads(found.body).get("text"))
            seconds = time.monotonic() - started
            return ok("queue way", f"from the upload to its transcript in {seconds:.1f} s, {len(text.split())} words")
        if found.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return replace(refusal(run, results.name, "read", found), check="queue way")
        record = results.send("GET", keys.with_suffix(".error.json"))
        if record.is_ok:
            said = WebAnswer(HTTPStatus.OK, record.body.decode("utf-8", "replace")).message
            return failed("queue way", f"The function recorded a failure: {quoted(said)}", LOG_CURE)
        time.sleep(POLL_SECONDS)
    return _stuck(run, facts, time.monotonic() - started)


def _stuck(run: Run, facts: FunctionFacts, seconds: float) -> Finding:
    """Why there is no transcript."""
    looked = SignedAnswer(0)
    if run.settings.queue_url:
        looked = sqs(queue_client(run), "GetQueueAttributes", run.deadline, **{"AttributeName.1": "All"})
    attributes = dict(zip(texts_of(looked.body, "Name"), texts_of(looked.body, "Value"), strict=False))
    waiting = int(attributes.get("ApproximateNumberOfMessages", "0"))
    in_flight = int(attributes.get("ApproximateNumberOfMessagesNotVisible", "0"))
    after = f"No transcript after {seconds:.0f} s"
    if facts.lets_triggers_in is False:
        cure = 'Unset ACCESS_TOKEN, set privacy: "private" in serverless.yml, and run scripts/deploy.'
        return failed("queue way", f"{after}: ACCESS_TOKEN is set, and the trigger's messages are refused (401).", cure)
    if waiting and not in_flight:
        cause = f"{after}, and {waiting} messages wait in the queue: no trigger takes them to the function."
        return failed("queue way", cause, _TRIGGER_CURE)
    if in_flight:
        cause = f"{after}: the message was taken, and its request fails or has not ended."
        return failed("queue way", cause, LOG_CURE)
    if not looked.is_ok:
        cause = f"{after}. The trigger is missing, or its requests fail; the queue cannot be looked at from here."
        return failed("queue way", cause, f"{_TRIGGER_CURE} {LOG_CURE}")
    cure = f"Compare its S3_ and OUTPUT_ settings with those here, and which function the trigger calls. {LOG_CURE}"
    return failed(
        "queue way", f"{after}, and the queue is empty: another function took it, or has other settings.", cure
    )


def _not_available(check: str, answer: WebAnswer) -> Finding:
    """A request for an upload or a job was not accepted: not in this version, not set up, or broken."""
    said, param = quoted(answer.message), answer.error.get("param")
    is_unknown = answer.status == HTTPStatus.BAD_REQUEST and param in {"async", "filename", "bytes"}
    if is_unknown or answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
        return skipped(check, f"this version of the function has none ({answer.status})")
    if answer.status == HTTPStatus.BAD_REQUEST and "OUTPUT_BUCKET" in answer.message + str(param):
        return skipped(check, said)
    if answer.status == HTTPStatus.BAD_REQUEST and "S3_ACCESS_KEY" in answer.message:
        return skipped(check, said)
    return transcript_finding(check, answer)


def _remove_later(run: Run, bucket: str, key: str) -> None:
    """Have an object removed at the end, with everything that the function made of it."""
    if run.settings.storage is not None:
        run.clean_up.add(f"{bucket}/{key}", lambda: remove_recording(run, bucket, key))


def remove_recording(run: Run, bucket: str, key: str) -> None:
    """Remove an object, its results, and what work on it has left."""
    reference = ObjectReference(bucket, key)
    Bucket(run, bucket).remove(key)
    keys = ResultKeys.of(reference, run.settings)
    results = Bucket(run, keys.bucket)
    for prefix in (keys.with_suffix("."), f"{keys.prefix}{WORK}done/{keys.name}.", keys.lease):
        results.remove(*results.keys(prefix))


def job_path(job_id: str) -> str:
    """Where a job is asked for."""
    return f"{TRANSCRIPTIONS}/{quote(job_id, safe='')}"


def remove_job_later(run: Run, function: Function, job_id: str) -> None:
    """Have a job removed at the end, and the mark that it was removed, where the keys for that are here."""
    run.clean_up.add("a job", lambda: _remove_job(run, function, job_id))


def _remove_job(run: Run, function: Function, job_id: str) -> None:
    answer = function.delete(job_path(job_id))
    if answer.status not in {HTTPStatus.OK, HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
        raise RuntimeError(answer.status)
    if run.settings.storage is not None and run.settings.output_bucket is not None:
        bucket = Bucket(run, run.settings.output_bucket)
        prefix = jobs_prefix(run.settings)
        bucket.remove(*bucket.keys(f"{prefix}{job_id}"), *bucket.keys(f"{prefix}owed/{job_id}"))


def _has_time(run: Run, started: float) -> bool:
    return time.monotonic() - started < WAIT_SECONDS and run.deadline.remaining_seconds() > POLL_SECONDS * 2
