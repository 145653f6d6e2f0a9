"""Signs requests with AWS Signature V4, over exactly what is sent.

The rules are those of https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. For
S3 the path is signed as it is sent; it must be encoded once, and its dot segments and empty segments stay.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from transcriber.settings import Account

# What the protocol leaves as it is in a path, beside letters, digits, '-', '.' and '_'.
_PATH_SAFE = "/~"
_ALGORITHM: Final = "AWS4-HMAC-SHA256"
# An address is signed before there is a body.
_UNSIGNED_PAYLOAD: Final = "UNSIGNED-PAYLOAD"


def encoded_path(path: str) -> str:
    """A path as it is sent and signed; `UnicodeEncodeError` where it is no UTF-8."""
    return quote(path.encode(), safe=_PATH_SAFE)


def encoded_query(query: Mapping[str, str]) -> str:
    """A query as it is sent and signed, in the order of its names."""
    return "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in sorted(query.items()))


class Signer:
    """Signs for one service in one region."""

    def __init__(self, account: Account, *, region: str, service: str) -> None:
        self.region = region
        self._account = account
        self._service = service

    def headers(
        self,
        method: str,
        path: str,
        query: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        now: datetime | None = None,
    ) -> dict[str, str]:
        """The `headers`, which must name the Host, with those that sign the request; `path` and `query` are encoded."""
        digest = hashlib.sha256(body).hexdigest()
        time = _time(now)
        signed = {**headers, "X-Amz-Content-Sha256": digest, "X-Amz-Date": time}
        values = _header_values(signed)
        signature = self._signature(method, path, query, values, digest=digest, time=time)
        credential = f"Credential={self._account.access_key}/{self._scope(time)}"
        authorization = f"{_ALGORITHM} {credential}, SignedHeaders={';'.join(sorted(values))}, Signature={signature}"
        return {**signed, "Authorization": authorization}

    def presigned_query(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        *,
        expires_seconds: int,
        now: datetime | None = None,
    ) -> str:
        """The query that makes an address of `path`, encoded, which allows one kind of request for `expires_seconds`.

        The request has to have each of `headers`, which must name the Host, with these values.
        """
        time = _time(now)
        values = _header_values(headers)
        query = encoded_query(
            {
                "X-Amz-Algorithm": _ALGORITHM,
                "X-Amz-Credential": f"{self._account.access_key}/{self._scope(time)}",
                "X-Amz-Date": time,
                "X-Amz-Expires": str(expires_seconds),
                "X-Amz-SignedHeaders": ";".join(sorted(values)),
            }
        )
        signature = self._signature(method, path, query, values, digest=_UNSIGNED_PAYLOAD, time=time)
        return f"{query}&X-Amz-Signature={signature}"

    def _signature(
        self, method: str, path: str, query: str, headers: Mapping[str, str], *, digest: str, time: str
    ) -> str:
        """The signature of a request with these `headers`, in lower case, and the `digest` of its body."""
        lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        canonical = f"{method}\n{path}\n{query}\n{lines}\n{';'.join(sorted(headers))}\n{digest}"
        text = f"{_ALGORITHM}\n{time}\n{self._scope(time)}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        return hmac.new(self._key(time[:8]), text.encode(), hashlib.sha256).hexdigest()

    def _scope(self, time: str) -> str:
        return f"{time[:8]}/{self.region}/{self._service}/aws4_request"

    def _key(self, day: str) -> bytes:
        key = b"AWS4" + self._account.secret_key.encode()
        for part in (day, self.region, self._service, "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key


def _time(now: datetime | None) -> str:
    return (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")


def _header_values(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): " ".join(value.split()) for name, value in headers.items()}
