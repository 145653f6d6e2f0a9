"""Signs requests with AWS Signature V4, over exactly what is sent.

The rules are those of https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. For
S3 the path is signed as it is sent; it must be encoded once, and its dot segments and empty segments stay.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from transcriber.settings import Account

# What the protocol leaves as it is in a path, beside letters, digits, '-', '.' and '_'.
_PATH_SAFE = "/~"


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
        moment = now or datetime.now(UTC)
        digest = hashlib.sha256(body).hexdigest()
        time = moment.strftime("%Y%m%dT%H%M%SZ")
        signed = {**headers, "X-Amz-Content-Sha256": digest, "X-Amz-Date": time}
        values = {name.lower(): " ".join(value.split()) for name, value in signed.items()}
        names = ";".join(sorted(values))
        lines = "".join(f"{name}:{values[name]}\n" for name in sorted(values))
        canonical = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{digest}"
        scope = f"{time[:8]}/{self.region}/{self._service}/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.new(self._key(time[:8]), text.encode(), hashlib.sha256).hexdigest()
        credential = f"Credential={self._account.access_key}/{scope}"
        authorization = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={signature}"
        return {**signed, "Authorization": authorization}

    def _key(self, day: str) -> bytes:
        key = b"AWS4" + self._account.secret_key.encode()
        for part in (day, self.region, self._service, "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key
