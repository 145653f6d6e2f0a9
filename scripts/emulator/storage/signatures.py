"""Checks the AWS Signature V4 of requests to the emulated storage and queue; sends no answers.

botocore's own signers compute the expected signature: moto checks signatures only if it also manages users and their
policies.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

S3 = "s3"
ALGORITHM = "AWS4-HMAC-SHA256"
# A presigned URL is created before there is a body.
CONTENT_HASH = "x-amz-content-sha256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
_SCOPE_PARTS = 5


def is_signed(environ: Mapping[str, Any], body: bytes, credentials: Credentials) -> bool:
    """Whether the request in gunicorn's WSGI `environ` is signed with `credentials`, in a header or in its query.

    `body` is hashed if the client sent no hash of it; for S3 clients always do. The age of a signature and the expiry
    of a presigned URL are not checked: clocks prove nothing here.
    """
    claim = _claim(environ)
    if len(claim.scope) != _SCOPE_PARTS or claim.scope[0] != credentials.access_key:
        return False
    _, _, region, service, _ = claim.scope
    headers = {name: _header(environ, name) for name in claim.signed_headers}
    if claim.is_in_query and service == S3:
        headers[CONTENT_HASH] = UNSIGNED_PAYLOAD
    url = f"http://{environ.get('HTTP_HOST', '')}{claim.target}"
    request = AWSRequest(environ["REQUEST_METHOD"], url, headers, body)
    request.context["timestamp"] = claim.timestamp
    signer = (_S3AsSigned if service == S3 else _AsSigned)(credentials, service, region)
    signer.names = claim.signed_headers
    signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    return hmac.compare_digest(signature.encode(), claim.signature.encode())


def service_of(environ: Mapping[str, Any]) -> str:
    """The service in a request's signature, `s3` or `sqs`; S3 without one."""
    scope = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].partition(",")[0].split("/")
    return scope[3] if len(scope) == _SCOPE_PARTS else S3


class _AsSigned(SigV4Auth):  # type: ignore[misc] # botocore has no types
    """A signer of exactly the headers that the client signed."""

    names: tuple[str, ...] = ()

    def headers_to_sign(self, request: AWSRequest) -> dict[str, str]:
        return {name: request.headers[name] for name in self.names}

    def canonical_headers(self, headers_to_sign: dict[str, str]) -> str:
        return "\n".join(f"{name}:{self._header_value(value)}" for name, value in sorted(headers_to_sign.items()))


class _S3AsSigned(_AsSigned, S3SigV4Auth):  # type: ignore[misc] # botocore has no types
    """The signer for S3, which signs a path unchanged."""


@dataclass(frozen=True)
class _Claim:
    """The signature that a request claims; `target` is the signed part of its path and query."""

    scope: tuple[str, ...]
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    target: str
    is_in_query: bool


def _claim(environ: Mapping[str, Any]) -> _Claim:
    target = environ["RAW_URI"]
    header = environ.get("HTTP_AUTHORIZATION", "")
    if header.startswith(ALGORITHM):
        pairs = (part.strip().partition("=") for part in header.removeprefix(ALGORITHM).split(","))
        claimed = {name: value for name, _, value in pairs}
        timestamp = environ.get("HTTP_X_AMZ_DATE", "")
    else:
        path, _, query = target.partition("?")
        claimed = {name.removeprefix("X-Amz-"): value for name, value in parse_qsl(query)}
        timestamp = claimed.get("Date", "")
        signed = (pair for pair in query.split("&") if not pair.startswith("X-Amz-Signature="))
        target = f"{path}?{'&'.join(signed)}"
    return _Claim(
        scope=tuple(claimed.get("Credential", "").split("/")),
        signed_headers=tuple(claimed.get("SignedHeaders", "").split(";")),
        signature=claimed.get("Signature", ""),
        timestamp=timestamp,
        target=target,
        is_in_query=not header,
    )


def _header(environ: Mapping[str, Any], name: str) -> str:
    variable = name.upper().replace("-", "_")
    if variable in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
        return str(environ.get(variable, ""))
    return str(environ.get(f"HTTP_{variable}", ""))
