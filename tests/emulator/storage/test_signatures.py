"""Tests of the check of signatures, with botocore's own signers."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from emulator.storage.signatures import is_signed, service_of

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
