"""Sends messages to a queue of Scaleway Queues, by the query form of SQS; receiving is up to a trigger."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import requests

from transcriber.cloud.queue_limits import MAX_BATCH, MAX_MESSAGE_BYTES
from transcriber.cloud.signing import signed_session
from transcriber.deadline import Deadline
from transcriber.errors import ApiFailedError, QueueFailedError, SettingsError
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
        self._url = settings.queue_url
        self._retry = retry or RetryPolicy(max_attempts=MAX_ATTEMPTS)
        region = _region(settings.queue_url) or settings.storage_region
        self._session = signed_session(settings.queue, region=region, service="sqs")

    def send(self, messages: Sequence[str], *, deadline: Deadline, delay_seconds: int = 0) -> None:
        """Send `messages`, in as few batches as possible; `QueueFailedError` when one is refused after retries.

        The messages before it have been sent then, and a message whose answer was lost may be sent twice. Each is
        delivered after `delay_seconds` at the earliest, at most `MAX_DELAY_SECONDS`.
        """
        for batch in _batches(messages):
            left = list(batch)

            def attempt(left: list[str] = left) -> None:
                left[:] = self._send(left, deadline, delay_seconds)
                if left:
                    raise ApiFailedError("")  # the policy retries it

            try:
                self._retry(attempt, deadline=deadline)
            except ApiFailedError:
                raise QueueFailedError("The queue of QUEUE_URL did not take a message, after retries.") from None

    def _send(self, messages: Sequence[str], deadline: Deadline, delay_seconds: int) -> list[str]:
        """Send one batch; the messages of it that were not sent."""
        form = {"Action": "SendMessageBatch", "Version": _PROTOCOL}
        for index, message in enumerate(messages):
            form[f"SendMessageBatchRequestEntry.{index + 1}.Id"] = str(index)
            form[f"SendMessageBatchRequestEntry.{index + 1}.MessageBody"] = message
            if delay_seconds:
                form[f"SendMessageBatchRequestEntry.{index + 1}.DelaySeconds"] = str(delay_seconds)
        timeout_seconds = deadline.timeout_seconds(TIMEOUT_SECONDS)
        try:
            answer = self._session.post(self._url, data=form, timeout=timeout_seconds, allow_redirects=False)
        except requests.RequestException:
            return list(messages)
        if answer.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
            raise SettingsError("QUEUE_URL", "names no queue that QUEUE_ACCESS_KEY and QUEUE_SECRET_KEY may send to")
        if answer.status_code != HTTPStatus.OK:
            return list(messages)
        try:
            root = ET.fromstring(answer.content)  # noqa: S314 # of the queue that the operator trusts
        except ET.ParseError:
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
