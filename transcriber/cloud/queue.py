"""Sends messages to a queue of Scaleway Queues, by the query form of SQS; receiving is up to a trigger."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree as ET

from transcriber.cloud.queue_limits import MAX_BATCH, MAX_MESSAGE_BYTES
from transcriber.cloud.signed_client import EXCHANGE_ERRORS, SignedClient, SignedRequest
from transcriber.deadline import Deadline
from transcriber.errors import ApiFailedError, QueueFailedError, RequestError, SettingsError
from transcriber.retry import RetryPolicy
from transcriber.settings import Settings

_PROTOCOL: Final = "2012-11-05"
TIMEOUT_SECONDS = 10.0
MAX_ATTEMPTS = 4


class Queue:
    """The queue of the settings; the connection is kept."""

    def __init__(self, settings: Settings, *, retry: RetryPolicy | None = None) -> None:
        if settings.queue is None or not settings.queue_url:
            raise SettingsError("QUEUE_URL", "is not set")
        self._retry = retry or RetryPolicy(max_attempts=MAX_ATTEMPTS)
        region = _region(settings.queue_url) or settings.storage_region
        self._client = SignedClient(settings.queue_url, settings.queue, region=region, service="sqs")

    def send(self, messages: Sequence[str], *, deadline: Deadline) -> None:
        """Send `messages`, in as few batches as possible; `QueueFailedError` when one is refused after retries.

        The messages before it have been sent then, and a message whose answer was lost may be sent twice.
        `RequestError`, before any is sent, for one that no queue takes because of its size.
        """
        for message in messages:
            if (size_bytes := len(message.encode())) > MAX_MESSAGE_BYTES:
                text = f"A message of {size_bytes:,} bytes cannot be queued; a queue takes {MAX_MESSAGE_BYTES:,}."
                raise RequestError(text)
        for batch in _batches(messages):
            left = list(batch)

            def attempt(left: list[str] = left) -> None:
                left[:] = self._send(left, deadline)
                if left:
                    raise ApiFailedError("")  # the policy retries it

            try:
                self._retry(attempt, deadline=deadline)
            except ApiFailedError:
                raise QueueFailedError("The queue of QUEUE_URL did not take a message, after retries.") from None

    def _send(self, messages: Sequence[str], deadline: Deadline) -> list[str]:
        """Send one batch; the messages of it that were not sent."""
        form = {"Action": "SendMessageBatch", "Version": _PROTOCOL}
        for index, message in enumerate(messages):
            form[f"SendMessageBatchRequestEntry.{index + 1}.Id"] = str(index)
            form[f"SendMessageBatchRequestEntry.{index + 1}.MessageBody"] = message
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        request = SignedRequest("POST", "", headers=headers, body=urlencode(form).encode())
        try:
            answer = self._client.exchange(request, deadline.timeout_seconds(TIMEOUT_SECONDS))
        except EXCHANGE_ERRORS:
            return list(messages)
        if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
            raise SettingsError("QUEUE_URL", "names no queue that QUEUE_ACCESS_KEY and QUEUE_SECRET_KEY may send to")
        if answer.status != HTTPStatus.OK:
            return list(messages)
        try:
            root = ET.fromstring(answer.body)  # noqa: S314 # of the queue that the operator trusts
        except (ET.ParseError, ValueError):
            return list(messages)
        sent = {entry.findtext("{*}Id") for entry in root.iter() if entry.tag.endswith("SendMessageBatchResultEntry")}
        return [message for index, message in enumerate(messages) if str(index) not in sent]


def _region(url: str) -> str | None:
    """The region in the host of Scaleway's endpoint: `sqs.mnq.<region>.scaleway.com`."""
    match = re.fullmatch(r"sqs\.mnq\.([a-z-]+)\.scaleway\.com", urlsplit(url).hostname or "")
    return match[1] if match else None


def _batches(messages: Sequence[str]) -> list[list[str]]:
    batches: list[list[str]] = []
    size_bytes = 0
    for message in messages:
        message_bytes = len(message.encode())
        if not batches or len(batches[-1]) == MAX_BATCH or size_bytes + message_bytes > MAX_MESSAGE_BYTES:
            batches.append([])
            size_bytes = 0
        batches[-1].append(message)
        size_bytes += message_bytes
    return batches
