"""Checks of the bucket with the function's own keys: each right that it needs, by using it on an object of our own."""

import secrets
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import requests

from transcriber.cloud.signed_client import SignedClient, SignedRequest
from transcriber.jobs.layout import WORK
from verify_run.finding import Finding, failed, ok, skipped
from verify_run.run import Run
from verify_run.signed import NO_BUCKET, SKEWED, WRONG_KEYS, WRONG_REGION, SignedAnswer, exchange, texts_of

BODY: Final = b"Written by scripts/verify, and removed by it."
_RIGHTS: Final = {
    "list": "ObjectStorageObjectsRead",
    "read": "ObjectStorageObjectsRead",
    "write": "ObjectStorageObjectsWrite",
    "delete": "ObjectStorageObjectsDelete",
}
_CORS_CURE: Final = (
    "Run scripts/deploy --bucket, which adds the rule; or add one by hand: AllowedMethods PUT, AllowedOrigins *, "
    "AllowedHeaders *, ExposeHeaders ETag."
)


class Bucket:
    """One bucket, with the function's keys."""

    def __init__(self, run: Run, name: str) -> None:
        settings = run.settings
        assert settings.storage is not None  # noqa: S101 # the caller looks first
        self.name = name
        self._run = run
        self._client = SignedClient(
            settings.storage_url, settings.storage, region=settings.storage_region, service="s3"
        )

    def send(
        self, method: str, key: str = "", *, body: bytes = b"", query: Mapping[str, str] | None = None, **headers: str
    ) -> SignedAnswer:
        """The answer to one request for the bucket, or for an object of it."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        path = f"/{self.name}/{key}" if key else f"/{self.name}"
        return exchange(self._client, SignedRequest(method, path, query or {}, fields, body), self._run.deadline)

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin with `prefix`, up to a thousand."""
        answer = self.send("GET", query={"list-type": "2", "prefix": prefix})
        return texts_of(answer.body, "Key") if answer.is_ok else []

    def remove(self, *keys: str) -> None:
        """Remove objects; `RuntimeError` for what is still there."""
        left = [
            key
            for key in keys
            if not (answer := self.send("DELETE", key)).is_ok and answer.status != HTTPStatus.NOT_FOUND
        ]
        if left:
            raise RuntimeError(left)


class StorageFacts:
    """What the checks learn for others."""

    skew: float | None = None
    works: bool = False


def check_storage(run: Run, facts: StorageFacts) -> Iterator[Finding]:
    """Whether the bucket can be listed, written, read, written on conditions, and cleared."""
    if run.settings.storage is None:
        yield skipped("bucket", "S3_ACCESS_KEY and S3_SECRET_KEY are not set, so that there is no Object Storage")
        return
    if run.bucket is None:
        cure = "Name it: --bucket NAME, or OUTPUT_BUCKET, which jobs and uploads need anyway."
        yield failed("bucket", "The keys of Object Storage are set, and no bucket is named.", cure)
        return
    bucket = Bucket(run, run.bucket)
    answer = bucket.send("GET", query={"list-type": "2", "max-keys": "1"})
    facts.skew = run.skew(answer.date)
    if not answer.is_ok:
        yield refusal(run, bucket.name, "list", answer)
        return
    yield ok("bucket", f"{bucket.name} can be reached and listed")
    yield from _check_rights(run, bucket, facts)
    yield _check_cors(run, bucket)


def _check_rights(run: Run, bucket: Bucket, facts: StorageFacts) -> Iterator[Finding]:
    key = f"{run.settings.output_prefix}{WORK}verify/{secrets.token_hex(8)}"
    run.clean_up.add(f"{bucket.name}/{key}", lambda: bucket.remove(*bucket.keys(key)))
    created = bucket.send("PUT", key, body=BODY, If_None_Match="*")
    if not created.is_ok:
        plain = bucket.send("PUT", key, body=BODY)
        if not plain.is_ok:
            yield refusal(run, bucket.name, "write", plain)
            return
        yield _no_conditions(bucket.name, created)
    read = bucket.send("GET", key)
    if not read.is_ok or read.body != BODY:
        yield refusal(run, bucket.name, "read", read)
    again = bucket.send("PUT", key, body=BODY + b" Again.", If_None_Match="*") if created.is_ok else created
    other = bucket.send("PUT", key, body=BODY + b" Again.", If_Match='"00000000000000000000000000000000"')
    if created.is_ok and not (again.status == other.status == HTTPStatus.PRECONDITION_FAILED):
        yield _wrong_conditions(bucket.name, again, other)
    elif created.is_ok:
        yield ok("conditions", "a conditional write that must fail, fails: recordings are paid for once")
    removed = bucket.send("DELETE", key)
    if removed.is_ok:
        facts.works = True
        yield ok("rights", "the keys of Object Storage read, write and delete")
    else:
        yield refusal(run, bucket.name, "delete", removed)


def refusal(run: Run, bucket: str, deed: str, answer: SignedAnswer) -> Finding:
    """The failure that an answer of the storage is, when it was to `deed` something."""
    settings = run.settings
    check = "bucket" if deed == "list" else "rights"
    if answer.status == 0:
        host = urlsplit(settings.storage_url).hostname
        cure = "Set S3_ENDPOINT, such as https://s3.fr-par.scw.cloud, and S3_REGION to the same region."
        return failed(check, f"Object Storage cannot be reached at {host}.", cure)
    if answer.code in SKEWED:
        cure = "Set the clock by the network: sudo timedatectl set-ntp true."
        return failed(
            check, f"Object Storage refuses the time of the request ({answer.label}): the clock is wrong.", cure
        )
    if answer.code in WRONG_KEYS:
        cure = "Set both from one API key of the application that has the rights (scripts/deploy --bucket makes one)."
        return failed(check, f"S3_ACCESS_KEY and S3_SECRET_KEY are no pair that exists ({answer.label}).", cure)
    if answer.code in WRONG_REGION or HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        cure = "Set S3_ENDPOINT and S3_REGION to the bucket's region (the console shows it beside the name)."
        return failed(check, f"{bucket} is in another region than {settings.storage_region} ({answer.label}).", cure)
    if answer.code == NO_BUCKET or (deed == "list" and answer.status == HTTPStatus.NOT_FOUND):
        cure = f"Make it (scripts/deploy --bucket {bucket}), or name another: --bucket, OUTPUT_BUCKET."
        return failed(check, f"There is no bucket {bucket} in {settings.storage_region}.", cure)
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        cure = (
            f"Give the application {_RIGHTS[deed]} for the project; where the bucket has a policy, allow it there, too."
        )
        return failed(check, f"The keys have no right to {deed} in {bucket} ({answer.label}).", cure)
    return failed(check, f"To {deed} in {bucket} failed: {answer.label}.", "Run this again in some minutes.")


def _no_conditions(bucket: str, answer: SignedAnswer) -> Finding:
    """A write is refused for its condition alone."""
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return failed(
            "conditions",
            f"{bucket} takes a write, and refuses the same write with If-None-Match ({answer.label}): its policy "
            "forbids conditional writes, and without them a recording is paid for more than once.",
            "Remove the condition on s3:if-none-match and s3:if-match from the bucket's policy, and allow s3:PutObject "
            "and s3:GetObject for the application.",
        )
    return _wrong_conditions(bucket, answer, answer)


def _wrong_conditions(bucket: str, *answers: SignedAnswer) -> Finding:
    labels = ", ".join(dict.fromkeys(answer.label for answer in answers))
    return failed(
        "conditions",
        f"A conditional write that must fail with 412 was answered {labels} by {bucket}: two instances would "
        "transcribe the same recording.",
        "Use a bucket of Scaleway Object Storage, which has conditional writes since May 2026, and allow s3:GetObject "
        "and s3:PutObject for the application in its policy.",
    )


def _check_cors(run: Run, bucket: Bucket) -> Finding:
    """Whether a browser may PUT: its own question, which needs no right."""
    headers = {
        "Origin": "https://example.com",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type,if-none-match",
    }
    url = f"{run.settings.storage_url}/{bucket.name}/{run.settings.output_prefix}{WORK}uploads/verify"
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.options(url, headers=headers, timeout=run.deadline.timeout_seconds(10))
    except requests.RequestException:
        return skipped("CORS", "the storage did not answer a browser's question")
    if answer.ok and answer.headers.get("Access-Control-Allow-Origin"):
        return ok("CORS", "browsers may upload")
    cause = f"{bucket.name} has no CORS rule for PUT ({answer.status_code}): no page can upload a recording to it."
    return failed("CORS", cause, _CORS_CURE)
