"""Tests of the check of signatures, with botocore's own signers."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from emulator.storage.signatures import refusal_of, service_of, wrong_hash

CREDENTIALS = Credentials("SCWXXXXXXXXXXXXXXXXX", "the secret key")
URL = "http://127.0.0.1:8082/recordings/a%20b%2Bc.mp3?versions&max-keys=3"


def environ_of(request: AWSRequest) -> dict[str, Any]:
    """The WSGI environment of a signed request, as gunicorn makes it."""
    parts = urlsplit(request.url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    environ = {"REQUEST_METHOD": request.method, "RAW_URI": target, "HTTP_HOST": parts.netloc}
    for name, value in request.headers.items():
        variable = name.upper().replace("-", "_")
        environ[variable if variable == "CONTENT_TYPE" else f"HTTP_{variable}"] = value
    return environ


def is_signed(environ: dict[str, Any], body: bytes, credentials: Credentials) -> bool:
    return refusal_of(environ, body, credentials) is None


def code_of(environ: dict[str, Any], *, later: timedelta = timedelta(0)) -> str | None:
    refusal = refusal_of(environ, b"", CREDENTIALS, now=datetime.now(UTC) + later)
    return None if refusal is None else refusal.code


def signed(auth: Any, method: str = "PUT", body: bytes = b"", **headers: str) -> dict[str, Any]:
    request = AWSRequest(method, URL, {name.replace("_", "-"): value for name, value in headers.items()}, body)
    auth.add_auth(request)
    return environ_of(request)


@pytest.mark.parametrize("kind", [S3SigV4Auth, S3SigV4QueryAuth])
def test_a_right_signature_of_storage(kind: Any) -> None:
    """A signature in a header or in the URL is valid only for its method and for each part of its URL."""
    environ = signed(kind(CREDENTIALS, "s3", "fr-par"), Content_Type="audio/mpeg")
    assert is_signed(environ, b"", CREDENTIALS)
    assert not is_signed(environ | {"REQUEST_METHOD": "DELETE"}, b"", CREDENTIALS)
    assert not is_signed(environ | {"RAW_URI": environ["RAW_URI"].replace("b%2Bc", "b+c")}, b"", CREDENTIALS)
    assert not is_signed(environ | {"RAW_URI": environ["RAW_URI"].replace("keys=3", "keys=4")}, b"", CREDENTIALS)
    assert not is_signed(environ | {"CONTENT_TYPE": "audio/wav"}, b"", CREDENTIALS)
    assert not is_signed(environ, b"", Credentials(CREDENTIALS.access_key, "another"))
    assert not is_signed(environ, b"", Credentials("SCWYYYYYYYYYYYYYYYYY", CREDENTIALS.secret_key))


def test_a_right_signature_of_a_queue() -> None:
    """A message's signature is valid only for its body."""
    environ = signed(SigV4Auth(CREDENTIALS, "sqs", "fr-par"), "POST", b"message")
    assert is_signed(environ, b"message", CREDENTIALS)
    assert not is_signed(environ, b"another", CREDENTIALS)
    assert service_of(environ) == "sqs"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer token",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=",
        "AWS4-HMAC-SHA256 Credential=SCWXXXXXXXXXXXXXXXXX/20261124/fr-par/s3/aws4_request",
        "AWS4-HMAC-SHA256 Credential=SCWXXXXXXXXXXXXXXXXX/20261124/fr-par/s3/aws4_request, SignedHeaders=, Signature=",
        "AWS4-HMAC-SHA256 Credential=SCWXXXXXXXXXXXXXXXXX/20261124/fr-par/s3/aws4_request, Signature=\xe9",
        "AWS4-HMAC-SHA256 Credential=SCWXXXXXXXXXXXXXXXXX/////, SignedHeaders=a;b, Signature=00",
    ],
)
def test_an_invalid_signature_is_refused(header: str) -> None:
    """Any other text in the header is refused, and never raises an error."""
    environ = {"REQUEST_METHOD": "GET", "RAW_URI": "/", "HTTP_AUTHORIZATION": header}
    assert not is_signed(environ, b"", CREDENTIALS)
    assert service_of(environ) == "s3"


def test_a_signature_has_an_age() -> None:
    """A signature in a header is valid for 15 minutes around its time, one in a URL until it expires."""
    in_header = signed(S3SigV4Auth(CREDENTIALS, "s3", "fr-par"))
    assert code_of(in_header, later=timedelta(minutes=14)) is None
    assert code_of(in_header, later=timedelta(minutes=-14)) is None
    assert code_of(in_header, later=timedelta(minutes=16)) == "RequestTimeTooSkewed"
    assert code_of(in_header, later=timedelta(minutes=-16)) == "RequestTimeTooSkewed"
    in_query = signed(S3SigV4QueryAuth(CREDENTIALS, "s3", "fr-par", expires=60))
    assert code_of(in_query, later=timedelta(seconds=58)) is None
    assert code_of(in_query, later=timedelta(seconds=62)) == "AccessDenied"
    assert code_of(in_query, later=timedelta(minutes=-16)) == "AccessDenied"


@pytest.mark.parametrize("expires", [604_801, -1])
def test_a_url_lives_for_seven_days_at_most(expires: int) -> None:
    """A longer or negative life is refused, although it is signed."""
    environ = signed(S3SigV4QueryAuth(CREDENTIALS, "s3", "fr-par", expires=expires))
    assert code_of(environ) == "AuthorizationQueryParametersError"


def test_signed_headers_are_needed() -> None:
    """A signed If-None-Match has to be sent as it was signed, and no x-amz- header may be added to those signed."""
    for kind in (S3SigV4Auth, S3SigV4QueryAuth):
        environ = signed(kind(CREDENTIALS, "s3", "fr-par"), If_None_Match="*")
        assert code_of(environ) is None
        without = {name: value for name, value in environ.items() if name != "HTTP_IF_NONE_MATCH"}
        assert code_of(without) == "SignatureDoesNotMatch"
        assert code_of(environ | {"HTTP_IF_NONE_MATCH": '"an etag"'}) == "SignatureDoesNotMatch"
        assert code_of(environ | {"HTTP_X_AMZ_ACL": "public-read"}) == "AccessDenied"
        assert code_of(environ | {"HTTP_RANGE": "bytes=0-1"}) is None


def test_each_mistake_has_its_code() -> None:
    """No signature, an unknown key, a wrong date in the credential, and two signatures are different errors."""
    environ = signed(S3SigV4Auth(CREDENTIALS, "s3", "fr-par"))
    authorization = environ["HTTP_AUTHORIZATION"]
    assert code_of({"REQUEST_METHOD": "GET", "RAW_URI": "/"}) == "AccessDenied"
    unknown = authorization.replace(CREDENTIALS.access_key, "SCWYYYYYYYYYYYYYYYYY")
    assert code_of(environ | {"HTTP_AUTHORIZATION": unknown}) == "InvalidAccessKeyId"
    other_day = authorization.replace(environ["HTTP_X_AMZ_DATE"][:8], "20200101", 1)
    assert code_of(environ | {"HTTP_AUTHORIZATION": other_day}) == "AuthorizationHeaderMalformed"
    presigned = signed(S3SigV4QueryAuth(CREDENTIALS, "s3", "fr-par"))
    assert code_of(presigned | {"HTTP_AUTHORIZATION": authorization}) == "InvalidArgument"


def test_the_hash_of_a_body() -> None:
    """A header's hash has to be that of the body; an unsigned payload, and a client without the header, have none."""
    digest, other = sha256(b"body").hexdigest(), sha256(b"other").hexdigest()
    environ = {"RAW_URI": "/"}
    assert wrong_hash(environ | {"HTTP_X_AMZ_CONTENT_SHA256": digest}, lambda: digest) is None
    refusal = wrong_hash(environ | {"HTTP_X_AMZ_CONTENT_SHA256": digest}, lambda: other)
    assert refusal is not None
    assert refusal.code == "XAmzContentSHA256Mismatch"
    assert wrong_hash(environ | {"HTTP_X_AMZ_CONTENT_SHA256": "UNSIGNED-PAYLOAD"}, lambda: other) is None
    assert wrong_hash(environ, lambda: other) is None
