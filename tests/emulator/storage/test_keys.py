"""Tests of object keys: those of any form are kept as they were sent, and those that are none are refused."""

import http.client
import re
from collections.abc import Iterator
from urllib.parse import quote, unquote, urlsplit

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from emulator.storage.server import StorageAccess, StorageServer

TIMEOUT_SECONDS = 60


@pytest.fixture(scope="module")
def access() -> Iterator[StorageAccess]:
    with StorageServer() as server:
        server.wait_until_ready()
        yield server.access


def call(access: StorageAccess, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    """A signed request with exactly this path: common clients normalise some of them."""
    request = AWSRequest(method, access.endpoint + path, {}, body)
    S3SigV4Auth(Credentials(access.access_key, access.secret_key), "s3", access.region).add_auth(request)
    connection = http.client.HTTPConnection(urlsplit(access.endpoint).netloc, timeout=TIMEOUT_SECONDS)
    connection.putrequest(method, path)
    for name, value in request.headers.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    try:
        return answer.status, answer.read()
    finally:
        connection.close()


def path_of(access: StorageAccess, key: str) -> str:
    return f"/{access.bucket}/{quote(key, safe='/~')}"


KEYS = [
    "a//b",
    "/d.wav",
    "//",
    "/",
    ".",
    "..",
    "./x",
    "in/./b.wav",
    "a/../b",
    "../up",
    "x.wav/",
    "tab\tkey",
    "line\nend",
    "\r\n",
    "\x01\x1f\x7f",
    "a+b c",
    "a%2Fb",
    "%zz",
    "?q&a=b#f",
    "\\back",
    "e\u0301 \u00e9 \u2028 \U0001f600",
    "a" * 1024,
    "é" * 512,
]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: repr(key[:20]))
def test_a_key_is_kept_as_it_was_sent(access: StorageAccess, key: str) -> None:
    """An object is found and listed under its own key, and under no other."""
    path = path_of(access, key)
    assert call(access, "PUT", path, key.encode())[0] == 200
    assert call(access, "GET", path) == (200, key.encode())
    _status, listing = call(access, "GET", f"/{access.bucket}?encoding-type=url&list-type=2")
    assert [unquote(found) for found in re.findall("<Key>([^<]*)", listing.decode())] == [key]
    assert call(access, "DELETE", path)[0] == 204
    assert call(access, "GET", path)[0] == 404


@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
@pytest.mark.parametrize("key", ["a" * 1025, "é" * 512 + "a", "a/" * 512 + "a"], ids=["ASCII", "UTF-8", "folders"])
def test_a_key_over_1024_bytes_is_refused(access: StorageAccess, method: str, key: str) -> None:
    """The limit counts bytes of UTF-8, not characters, and the error is S3's."""
    status, answer = call(access, method, path_of(access, key))
    assert (status, b"<Code>KeyTooLongError</Code>" in answer) == (400, True)


def test_a_key_that_is_no_text_is_refused(access: StorageAccess) -> None:
    """A key has to be UTF-8."""
    status, answer = call(access, "PUT", f"/{access.bucket}/%ff", b"audio")
    assert (status, b"<Code>InvalidURI</Code>" in answer) == (400, True)
