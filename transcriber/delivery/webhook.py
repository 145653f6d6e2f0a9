"""Sends results to a request's callback address, signed as Standard Webhooks; reads no answer body.

The form is that of https://www.standardwebhooks.com: the receiver verifies it with any of its libraries, or with
`client.webhooks.verify_signature` of the openai client, and recognises repetitions by `webhook-id`.
"""

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from transcriber.deadline import Deadline
from transcriber.delivery.webhook_signature import sign
from transcriber.errors import (
    AddressRefusedError,
    CallbackFailedError,
    CallbackRefusedError,
    RequestError,
    SourceError,
    SourceFailedError,
)
from transcriber.net.ssrf_guard import SsrfGuard
from transcriber.retry import RetryPolicy
from transcriber.sources.url import Downloader
from transcriber.sources.url_check import check_url

CONNECT_TIMEOUT_SECONDS = 10.0
# A receiver has to record the result, not to work on it.
ANSWER_TIMEOUT_SECONDS = 20.0
MAX_ATTEMPTS = 5
_RETRYABLE: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


class WebhookSender:
    """Sends callbacks to public addresses, over the connections of downloads."""

    def __init__(
        self,
        guard: SsrfGuard,
        downloader: Downloader,
        key: bytes,
        *,
        retry: RetryPolicy | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._guard = guard
        self._downloader = downloader
        self._key = key
        self._retry = retry or RetryPolicy(max_attempts=MAX_ATTEMPTS)
        self._now = now

    def check(self, url: str) -> None:
        """Raise `RequestError` for an address that no callback can reach: before the work, rather than after it."""
        try:
            check_url(url)
            parts = urlsplit(url)
            self._guard.addresses(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        except AddressRefusedError:
            message = (
                "The callback is not an http or https address on the public internet. To allow it, name its host in "
                "ALLOWED_PRIVATE_HOSTS."
            )
            raise RequestError(message, param="callback") from None
        except (RequestError, UnicodeError):
            raise RequestError("The callback is not a valid address.", param="callback") from None
        except OSError:
            raise RequestError("The callback's host has no address.", param="callback") from None

    def send(self, url: str, body: str, content_type: str, *, message_id: str, deadline: Deadline) -> None:
        """Post `body`, with retries, under the same `message_id`.

        `CallbackFailedError` where the receiver may take it later; `CallbackRefusedError` where it will not.
        """
        encoded = body.encode("utf-8", "replace")  # half a surrogate pair, which a model may write, is no UTF-8
        try:
            self._retry(lambda: self._post(url, encoded, content_type, message_id, deadline), deadline=deadline)
        except (AddressRefusedError, RequestError) as error:
            message = f"The receiver refuses the callback: {error.message}"
            raise CallbackRefusedError(message, param="callback") from None
        except SourceError as error:
            raise CallbackFailedError(f"The callback was not delivered: {error.message}", param="callback") from None

    def _post(self, url: str, body: bytes, content_type: str, message_id: str, deadline: Deadline) -> None:
        timestamp = int(self._now())
        headers = {
            "Content-Type": content_type,
            "User-Agent": "transcriber (+serverless function)",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(self._key, message_id, timestamp, body),
        }
        self._guard.thread_deadline.set(deadline.timeout_seconds(float("inf")))
        timeouts = (deadline.timeout_seconds(CONNECT_TIMEOUT_SECONDS), deadline.timeout_seconds(ANSWER_TIMEOUT_SECONDS))
        try:
            # The adapter, not a session: redirects are not followed, and the body is not read.
            request = requests.Request("POST", url, headers=headers, data=body).prepare()
            with self._downloader.connections.send(request, stream=True, timeout=timeouts) as answer:
                status = answer.status_code
        except (requests.RequestException, HTTPError, OSError, ValueError):
            raise SourceFailedError("its receiver cannot be reached, or says nothing.") from None
        if status in _RETRYABLE or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise SourceFailedError(f"its receiver answered {status}.")
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise RequestError(f"its receiver answered {status}.")
