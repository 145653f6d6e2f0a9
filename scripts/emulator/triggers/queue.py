"""The queue's trigger: POSTs each message to the function, and retries a failed delivery as the platform does."""

import json
import sys
import threading
from typing import Any

from emulator.closing import Closing
from emulator.state.faults import PlatformFaultKind, PlatformFaults
from emulator.state.platform_state import QueueState
from emulator.storage.server import MAX_DELIVERIES, StorageAccess
from emulator.triggers.client import CallFunction

# "At most 10 in flight for a trigger", and a status from 300 "is retried, three times", by the documentation.
MAX_IN_FLIGHT = 10
FIRST_FAILING_STATUS = 300

# The time until a failed message is delivered again. The platform's own is not known.
REDELIVERY_SECONDS = 1
# How long a receiver waits for a message: long enough to cause no load, short enough to stop soon.
WAIT_SECONDS = 1
# The time until the next attempt if the queue does not answer: it may still be starting.
RETRY_SECONDS = 0.1


class QueueTrigger(Closing):
    """Delivers the messages of one queue by `call_function`, on threads of its own, from `start` until closed.

    The queue's visibility timeout has to exceed the longest delivery: a message that becomes visible during its
    delivery is delivered twice. `redelivery_seconds` is the time until a failed message is delivered again; then it is
    made visible, since a queue of Scaleway's cannot hold a message back for a chosen time.
    """

    def __init__(
        self,
        access: StorageAccess,
        call_function: CallFunction,
        faults: PlatformFaults,
        *,
        redelivery_seconds: float = REDELIVERY_SECONDS,
    ) -> None:
        self._access = access
        self._call_function = call_function
        self._faults = faults
        self._redelivery_seconds = redelivery_seconds
        self._closed = threading.Event()
        self._receiver = threading.Thread(target=self._run, name="queue trigger", daemon=True)
        self._changed = threading.Condition()
        self._in_flight = 0
        self._delivered = 0
        self._redelivered = 0
        self._dropped = 0

    def start(self) -> None:
        """Start delivering."""
        self._receiver.start()

    def state(self, sqs: Any) -> QueueState:
        """The state of the queue, read by the boto3 client `sqs`, and the results of past deliveries."""
        in_queue = _messages_in(sqs, self._access.queue_url)
        dead_letters = _messages_in(sqs, self._access.dead_letters_url)
        with self._changed:
            return QueueState(
                name=self._access.queue,
                # A message that waits for its next delivery is invisible, like one that is being delivered.
                waiting=max(0, in_queue - self._in_flight),
                in_flight=self._in_flight,
                delivered=self._delivered,
                redelivered=self._redelivered,
                dropped=self._dropped,
                dead_letters=dead_letters,
            )

    def close(self) -> None:
        """Stop receiving messages; those already received are still delivered."""
        self._closed.set()
        if self._receiver.is_alive():
            self._receiver.join()

    def _run(self) -> None:
        # Imported here, on a thread of its own: at the start it would take a fifth of a second.
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 # as above

        sqs = self._access.client("sqs")
        while not self._closed.is_set():
            try:
                messages = self._receive(sqs)
            except (BotoCoreError, ClientError):
                self._closed.wait(RETRY_SECONDS)
                continue
            for message in messages:
                self._begin_delivery(sqs, message, is_copy=False)
                if self._faults.take(PlatformFaultKind.DOUBLE, "queue"):
                    self._begin_delivery(sqs, message, is_copy=True)

    def _receive(self, sqs: Any) -> list[dict[str, Any]]:
        with self._changed:
            self._changed.wait_for(lambda: self._in_flight < MAX_IN_FLIGHT)
            free = MAX_IN_FLIGHT - self._in_flight
        answer = sqs.receive_message(
            QueueUrl=self._access.queue_url,
            MaxNumberOfMessages=free,
            WaitTimeSeconds=WAIT_SECONDS,
            AttributeNames=["ApproximateReceiveCount"],
        )
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages

    def _begin_delivery(self, sqs: Any, message: dict[str, Any], *, is_copy: bool) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._in_flight < MAX_IN_FLIGHT)
            self._in_flight += 1
        threading.Thread(target=self._deliver, args=(sqs, message, is_copy), daemon=True).start()

    def _deliver(self, sqs: Any, message: dict[str, Any], is_copy: bool) -> None:  # noqa: FBT001 # a thread's arguments are positional
        try:
            status = self._call_function(message["Body"].encode(), trigger="queue")
            has_failed = status is None or status >= FIRST_FAILING_STATUS
            if not is_copy and not has_failed:  # the queue does not know the copy, so its result does not matter
                sqs.delete_message(QueueUrl=self._access.queue_url, ReceiptHandle=message["ReceiptHandle"])
                self._count(delivered=1)
        finally:
            with self._changed:
                self._in_flight -= 1
                self._changed.notify_all()
        if not is_copy and has_failed:
            self._put_back(sqs, message, status)

    def _put_back(self, sqs: Any, message: dict[str, Any], status: int | None) -> None:
        """Make a failed message visible: for its next delivery, or for the queue to move it to the dead letters."""
        deliveries = int(message["Attributes"]["ApproximateReceiveCount"])
        if deliveries < MAX_DELIVERIES:
            self._count(redelivered=1)
            self._closed.wait(self._redelivery_seconds)
        else:
            self._count(dropped=1)
            print(json.dumps({"event": "message dropped", "status": status, "deliveries": deliveries}), file=sys.stderr)
        sqs.change_message_visibility(
            QueueUrl=self._access.queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )

    def _count(self, *, delivered: int = 0, redelivered: int = 0, dropped: int = 0) -> None:
        with self._changed:
            self._delivered += delivered
            self._redelivered += redelivered
            self._dropped += dropped


def _messages_in(sqs: Any, queue_url: str) -> int:
    """The number of a queue's messages, visible or not."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)
    return sum(int(number) for number in answer["Attributes"].values())
