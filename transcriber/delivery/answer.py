"""An HTTP answer, and its one form that the platform passes on unchanged."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from transcriber.outputs.plain_json import JSON_TYPE

# The headers that a page of another origin may read beside the body.
EXPOSED_HEADERS: Final = {
    "Access-Control-Expose-Headers": (
        "X-Request-Id, Server-Timing, Retry-After, X-Transcript-Warnings, Location, Idempotent-Replayed"
    )
}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_for_operator(self) -> bool:
        """Whether the operator should see it: a failure, or a wrong token, which no trigger ever has."""
        return self.status >= HTTPStatus.INTERNAL_SERVER_ERROR or self.status == HTTPStatus.UNAUTHORIZED

    @property
    def encoded(self) -> bytes:
        """The body as UTF-8; JSON can hold half of a surrogate pair, and models write them, but UTF-8 cannot."""
        return self.body.encode("utf-8", "replace")

    def to_platform(self, headers: Mapping[str, str]) -> dict[str, Any]:
        """The answer as the handler returns it, with `headers` added to its own."""
        return {
            "statusCode": self.status,
            "headers": {**EXPOSED_HEADERS, **self.headers, **headers},
            "body": self.encoded.decode(),
        }


def json_answer(status: int, value: object, headers: Mapping[str, str] | None = None) -> Answer:
    """The answer whose body is `value` as JSON."""
    return Answer(status, json.dumps(value, ensure_ascii=False), {"Content-Type": JSON_TYPE, **(headers or {})})
