"""What a page may do with a bucket: the bucket's own rules decide, and the first that allows a request counts."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from emulator.storage.server import StorageAccess, StorageServer

TIMEOUT_SECONDS = 60
PAGE = "https://page.example"


@pytest.fixture(scope="module")
def access() -> Iterator[StorageAccess]:
    with StorageServer() as server:
        server.wait_until_ready()
        yield server.access


@pytest.fixture
def rules(access: StorageAccess) -> Iterator[Any]:
    """Sets the rules of a bucket of their own."""
    s3 = access.client("s3")
    s3.create_bucket(Bucket="ruled", CreateBucketConfiguration={"LocationConstraint": access.region})

    def put(*given: dict[str, Any]) -> None:
        s3.put_bucket_cors(Bucket="ruled", CORSConfiguration={"CORSRules": list(given)})

    yield put
    s3.delete_bucket(Bucket="ruled")


def preflight(
    access: StorageAccess, bucket: str, method: str = "PUT", headers: str = "content-type, if-none-match"
) -> requests.Response:
    asked = {"Origin": PAGE, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    return requests.options(
        f"{access.endpoint}/{bucket}/a.mp3?X-Amz-Signature=x", headers=asked, timeout=TIMEOUT_SECONDS
    )


def test_any_page_may_upload_to_the_bucket(access: StorageAccess) -> None:
    """From the start, every page may PUT what somebody with the keys has signed, and may read its ETag."""
    answer = preflight(access, access.bucket)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == "content-type, if-none-match"
    url = access.client("s3").generate_presigned_url(
        "put_object", Params={"Bucket": access.bucket, "Key": "a.mp3"}, ExpiresIn=60
    )
    sent = requests.put(url, data=b"audio", headers={"Origin": PAGE}, timeout=TIMEOUT_SECONDS)
    assert (sent.status_code, sent.headers["Access-Control-Allow-Origin"]) == (200, "*")
    assert sent.headers["Access-Control-Expose-Headers"] == "ETag"


def test_a_page_may_read_why_it_was_refused(access: StorageAccess) -> None:
    """A refusal has the same headers: without them, a browser would show a page nothing of it."""
    sent = requests.put(
        f"{access.endpoint}/{access.bucket}/a.mp3", data=b"", headers={"Origin": PAGE}, timeout=TIMEOUT_SECONDS
    )
    assert (sent.status_code, sent.headers["Access-Control-Allow-Origin"]) == (403, "*")


def test_a_bucket_without_rules_is_closed_to_pages(access: StorageAccess, rules: Any) -> None:
    """Without a rule, a preflight request is refused, and no answer can be read by a page."""
    assert rules
    answer = preflight(access, "ruled")
    assert (answer.status_code, "Access-Control-Allow-Origin" in answer.headers) == (403, False)
    sent = requests.get(f"{access.endpoint}/ruled/a.mp3", headers={"Origin": PAGE}, timeout=TIMEOUT_SECONDS)
    assert not any(name.lower().startswith("access-control-") for name in sent.headers)
    assert preflight(access, "no-such-bucket").status_code == 403


@pytest.mark.parametrize(
    ("changed", "is_allowed"),
    [
        ({}, True),
        ({"AllowedOrigins": ["https://other.example"]}, False),
        ({"AllowedOrigins": ["https://*.example"]}, True),
        ({"AllowedMethods": ["GET"]}, False),
        ({"AllowedHeaders": ["Content-Type"]}, False),
        ({"AllowedHeaders": ["Content-*", "If-None-Match"]}, True),
    ],
)
def test_a_rule(access: StorageAccess, rules: Any, changed: dict[str, Any], *, is_allowed: bool) -> None:
    """Origin, method and each header have to be allowed, where a star stands for any text."""
    rules({"AllowedOrigins": [PAGE], "AllowedMethods": ["PUT"], "AllowedHeaders": ["*"], **changed})
    assert preflight(access, "ruled").ok is is_allowed


def test_the_first_rule_that_allows_it_counts(access: StorageAccess, rules: Any) -> None:
    """A rule that does not allow the method is passed over, and later ones change nothing."""
    rules(
        {"AllowedOrigins": [PAGE], "AllowedMethods": ["GET"], "AllowedHeaders": ["*"]},
        {"AllowedOrigins": [PAGE], "AllowedMethods": ["PUT"], "AllowedHeaders": ["*"], "MaxAgeSeconds": 60},
        {"AllowedOrigins": ["*"], "AllowedMethods": ["PUT"], "AllowedHeaders": ["*"]},
    )
    answer = preflight(access, "ruled")
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert (answer.headers["Access-Control-Allow-Methods"], answer.headers["Access-Control-Max-Age"]) == ("PUT", "60")
