"""Signed exchanges with storage and queue, and what the code of an answer means."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from transcriber.cloud.signed_client import EXCHANGE_ERRORS, SignedClient, SignedRequest
from transcriber.deadline import Deadline
from verify_run.web import parse_date

EXCHANGE_SECONDS: Final = 10.0
SQS_VERSION: Final = "2012-11-05"

# What the codes of S3 and SQS say; the rest of an answer is for programs.
WRONG_KEYS: Final = frozenset({
    "InvalidAccessKeyId", "InvalidClientTokenId", "SignatureDoesNotMatch", "InvalidSecurity", "IncompleteSignature",
    "UnrecognizedClientException",
})  # fmt: skip
WRONG_REGION: Final = frozenset({
    "AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraint", "TemporaryRedirect",
})  # fmt: skip
SKEWED: Final = frozenset({"RequestTimeTooSkewed", "RequestExpired", "SignatureExpired"})
NO_BUCKET: Final = "NoSuchBucket"
NO_QUEUE: Final = ("NonExistentQueue", "QueueDoesNotExist")


@dataclass(frozen=True)
class SignedAnswer:
    """An answer of storage or queue; `status` 0 where there was none."""

    status: int
    code: str = ""
    body: bytes = b""
    headers: Mapping[str, str] | None = None

    @property
    def is_ok(self) -> bool:
        """Whether it succeeded."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def date(self) -> datetime | None:
        """The server's time."""
        return parse_date((self.headers or {}).get("date", ""))

    @property
    def label(self) -> str:
        """Status and code, for a line of the report."""
        return f"{self.status} {self.code}".strip() if self.status else "no answer"


def exchange(client: SignedClient, request: SignedRequest, deadline: Deadline) -> SignedAnswer:
    """The answer to one request, sent once."""
    try:
        answer = client.exchange(request, deadline.timeout_seconds(EXCHANGE_SECONDS))
    except EXCHANGE_ERRORS:
        return SignedAnswer(0)
    finally:
        client.close()
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return SignedAnswer(answer.status, error_code_of(answer.body), answer.body, headers)


def sqs(client: SignedClient, action: str, deadline: Deadline, **fields: str) -> SignedAnswer:
    """The answer of the queue to an action."""
    form = urlencode({"Action": action, "Version": SQS_VERSION, **fields}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return exchange(client, SignedRequest("POST", "", headers=headers, body=form), deadline)


def error_code_of(body: bytes) -> str:
    """The code in an error of S3 or SQS, without its namespace; empty where there is none."""
    text = body[:10_000]
    if text.lstrip().startswith(b"{"):
        return (
            text.partition(b'"__type"')[2]
            .partition(b'"')[2]
            .partition(b'"')[0]
            .decode("utf-8", "replace")
            .rpartition("#")[2]
        )
    try:
        root = ET.fromstring(text)  # noqa: S314 # of a service that the operator trusts
    except (ET.ParseError, ValueError):
        return ""
    if root.tag.rpartition("}")[2] not in {"Error", "ErrorResponse"}:
        return ""
    code = next((each.text for each in root.iter() if each.tag.rpartition("}")[2] == "Code"), "") or ""
    return code.rpartition(".")[2]


def texts_of(body: bytes, name: str) -> list[str]:
    """The texts of all elements `name` of an XML body."""
    try:
        root = ET.fromstring(body)  # noqa: S314 # of a service that the operator trusts
    except (ET.ParseError, ValueError):
        return []
    return [each.text or "" for each in root.iter() if each.tag.rpartition("}")[2] == name]
