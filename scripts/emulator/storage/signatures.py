"""Checks the AWS Signature V4 of requests to the emulated storage and queue, in headers and in queries.

botocore's own signers compute the expected signature: moto checks signatures only if it also manages users and their
policies. Which of these checks Scaleway makes is documented only as "Signature V4"; codes and limits are those of S3.
"""

import hmac
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

S3 = "s3"
ALGORITHM = "AWS4-HMAC-SHA256"
CONTENT_HASH = "x-amz-content-sha256"
# A presigned URL is created before there is a body.
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
SIGNATURE_PARAMETER = "X-Amz-Signature"

# The longest difference between the clocks, and the longest life of a presigned URL, seven days.
MAX_SKEW = timedelta(minutes=15)
MAX_EXPIRES_SECONDS = 604_800

_SCOPE_PARTS = 5
_TERMINATOR = "aws4_request"
_TIME_FORMAT = "%Y%m%dT%H%M%SZ"
_SHA256_HEX_LENGTH = 64


@dataclass(frozen=True)
class Refusal:
    """The reason why a request is refused, with S3's code."""

    status: HTTPStatus
    code: str
    message: str


MISMATCH = Refusal(HTTPStatus.FORBIDDEN, "SignatureDoesNotMatch", "The signature was not made with the secret key")
UNSIGNED_REQUEST = Refusal(HTTPStatus.FORBIDDEN, "AccessDenied", "The request is not signed")
UNKNOWN_KEY = Refusal(HTTPStatus.FORBIDDEN, "InvalidAccessKeyId", "The access key does not exist here")
UNSIGNED_HEADERS = Refusal(HTTPStatus.FORBIDDEN, "AccessDenied", "Host and all x-amz- headers have to be signed")
SKEWED = Refusal(HTTPStatus.FORBIDDEN, "RequestTimeTooSkewed", "The request's time is more than 15 minutes off")
NOT_YET = Refusal(HTTPStatus.FORBIDDEN, "AccessDenied", "The request is not valid yet")
EXPIRED = Refusal(HTTPStatus.FORBIDDEN, "AccessDenied", "The request has expired")
TWO_SIGNATURES = Refusal(HTTPStatus.BAD_REQUEST, "InvalidArgument", "A request is signed in a header or in its query")
WRONG_HASH = Refusal(HTTPStatus.BAD_REQUEST, "XAmzContentSHA256Mismatch", f"{CONTENT_HASH} is not that of the body")


def refusal_of(
    environ: Mapping[str, Any], body: bytes, credentials: Credentials, *, now: datetime | None = None
) -> Refusal | None:
    """The reason to refuse the request in gunicorn's WSGI `environ`; `None` if it is signed with `credentials`.

    `body` is hashed if the client sent no hash of it; `wrong_hash` compares the one that S3 clients send. `now` is the
    time in UTC, by default the present one.
    """
    claim = _claim(environ)
    if not claim.signature:
        return UNSIGNED_REQUEST
    if claim.is_in_query and environ.get("HTTP_AUTHORIZATION"):
        return TWO_SIGNATURES
    if claim.scope[0] != credentials.access_key:
        return UNKNOWN_KEY
    problems = (
        _problem_of_scope(claim),
        _problem_of_time(claim, now or datetime.now(UTC)),
        _problem_of_headers(claim, environ),
        None if _is_signed(claim, environ, body, credentials) else MISMATCH,
    )
    return next((problem for problem in problems if problem is not None), None)


def wrong_hash(environ: Mapping[str, Any], body_sha256: Callable[[], str]) -> Refusal | None:
    """The reason to refuse a request to S3 whose signed hash is not that of its body.

    A request without the header passes: S3 needs it, but curl 7 does not send it, and Scaleway's rule is not known.
    """
    claimed = environ.get("HTTP_X_AMZ_CONTENT_SHA256", "")
    is_hash = len(claimed) == _SHA256_HEX_LENGTH  # the other values stand for no hash, or for hashes within the body
    # Only then is a body hashed, which takes seconds for a film.
    return WRONG_HASH if is_hash and claimed.lower() != body_sha256() else None


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
    expires: str
    target: str
    is_in_query: bool

    def malformed(self, message: str) -> Refusal:
        code = "AuthorizationQueryParametersError" if self.is_in_query else "AuthorizationHeaderMalformed"
        return Refusal(HTTPStatus.BAD_REQUEST, code, message)


def _claim(environ: Mapping[str, Any]) -> _Claim:
    target = environ["RAW_URI"]
    if not _is_presigned(environ):
        header = environ.get("HTTP_AUTHORIZATION", "")
        parts = header.removeprefix(ALGORITHM).split(",") if header.startswith(ALGORITHM) else ()
        claimed = {name: value for name, _, value in (part.strip().partition("=") for part in parts)}
        timestamp = environ.get("HTTP_X_AMZ_DATE", "")
    else:
        path, _, query = target.partition("?")
        claimed = {name.removeprefix("X-Amz-"): value for name, value in parse_qsl(query)}
        timestamp = claimed.get("Date", "")
        signed = (pair for pair in query.split("&") if not pair.startswith(f"{SIGNATURE_PARAMETER}="))
        target = f"{path}?{'&'.join(signed)}"
    return _Claim(
        scope=tuple(claimed.get("Credential", "").split("/")),
        signed_headers=tuple(claimed.get("SignedHeaders", "").split(";")),
        signature=claimed.get("Signature", ""),
        timestamp=timestamp,
        expires=claimed.get("Expires", ""),
        target=target,
        is_in_query=_is_presigned(environ),
    )


def _is_presigned(environ: Mapping[str, Any]) -> bool:
    query = environ["RAW_URI"].partition("?")[2]
    return any(pair.startswith(f"{SIGNATURE_PARAMETER}=") for pair in query.split("&"))


def _problem_of_scope(claim: _Claim) -> Refusal | None:
    if len(claim.scope) != _SCOPE_PARTS or claim.scope[-1] != _TERMINATOR:
        return claim.malformed(f"The credential is not <key>/<date>/<region>/<service>/{_TERMINATOR}")
    if claim.scope[1] != claim.timestamp[: len("20260101")]:
        return claim.malformed("The credential's date is not that of the request")
    return None


def _problem_of_time(claim: _Claim, now: datetime) -> Refusal | None:
    try:
        signed_at = datetime.strptime(claim.timestamp, _TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return claim.malformed("X-Amz-Date has to be in the form of 20260101T000000Z")
    if not claim.is_in_query:
        return SKEWED if abs(now - signed_at) > MAX_SKEW else None
    if not claim.expires.isascii() or not claim.expires.isdigit() or int(claim.expires) > MAX_EXPIRES_SECONDS:
        return claim.malformed(f"X-Amz-Expires has to be a number of seconds up to {MAX_EXPIRES_SECONDS}")
    if signed_at > now + MAX_SKEW:
        return NOT_YET
    return EXPIRED if now > signed_at + timedelta(seconds=int(claim.expires)) else None


def _problem_of_headers(claim: _Claim, environ: Mapping[str, Any]) -> Refusal | None:
    """A header that changes the meaning of a request must not be added by somebody without the key."""
    needed = {"host", *(name for name in _names(environ) if name.startswith("x-amz-"))}
    return None if needed <= set(claim.signed_headers) else UNSIGNED_HEADERS


def _names(environ: Mapping[str, Any]) -> Iterator[str]:
    for variable in environ:
        if variable.startswith("HTTP_"):
            yield variable.removeprefix("HTTP_").lower().replace("_", "-")


def _is_signed(claim: _Claim, environ: Mapping[str, Any], body: bytes, credentials: Credentials) -> bool:
    _, _, region, service, _ = claim.scope if len(claim.scope) == _SCOPE_PARTS else ("",) * _SCOPE_PARTS
    headers = {name: _header(environ, name) for name in claim.signed_headers}
    if claim.is_in_query and service == S3:
        headers.setdefault(CONTENT_HASH, UNSIGNED_PAYLOAD)
    url = f"http://{environ.get('HTTP_HOST', '')}{claim.target}"
    request = AWSRequest(environ["REQUEST_METHOD"], url, headers, body)
    request.context["timestamp"] = claim.timestamp
    signer = (_S3AsSigned if service == S3 else _AsSigned)(credentials, service, region)
    signer.names = claim.signed_headers
    signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    return hmac.compare_digest(signature.encode(), claim.signature.encode())


def _header(environ: Mapping[str, Any], name: str) -> str:
    variable = name.upper().replace("-", "_")
    if variable in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
        return str(environ.get(variable, ""))
    return str(environ.get(f"HTTP_{variable}", ""))
