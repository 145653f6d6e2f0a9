"""Takes from moto's SQS what Scaleway Queues does not have, so that nothing works here that fails there.

The tables are those of Scaleway's page "Supported Actions" (validated 2025-11-19). That page does not say how an
unsupported parameter is refused; the errors here are SQS's own for what a queue does not support.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.sqs.exceptions import SQSException
from moto.sqs.responses import SQSResponse

# A guess: the code that SQS has for an operation or parameter that a queue does not support.
UNSUPPORTED = "AWS.SimpleQueueService.UnsupportedOperation"
INVALID = "InvalidParameterValue"
TOO_LONG = "AWS.SimpleQueueService.BatchRequestTooLong"

# The documented limit of a message. That of a batch is SQS's, from the time when it had the same limit.
MAX_MESSAGE_BYTES = 256 * 1024
MAX_BATCH_BYTES = MAX_MESSAGE_BYTES

SUPPORTED_ACTIONS = frozenset(
    {
        "change_message_visibility",
        "change_message_visibility_batch",
        "create_queue",
        "delete_message",
        "delete_message_batch",
        "delete_queue",
        "get_queue_attributes",
        "get_queue_url",
        "list_queues",
        "purge_queue",
        "receive_message",
        "send_message",
        "send_message_batch",
        "set_queue_attributes",
    }
)
# A message group is listed as unsupported, too; a FIFO queue of moto's needs one, so there it is let through.
UNSUPPORTED_OF_A_MESSAGE = ("DelaySeconds", "MessageSystemAttributes")
UNSUPPORTED_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "create_queue": ("Tags", "tags"),
    "list_queues": ("MaxResults", "NextToken"),
    "receive_message": ("ReceiveRequestAttemptId", "VisibilityTimeout"),
    "send_message": UNSUPPORTED_OF_A_MESSAGE,
}
UNSUPPORTED_QUEUE_ATTRIBUTES = frozenset(
    {
        "ApproximateNumberOfMessagesDelayed",
        "DeduplicationScope",
        "DelaySeconds",
        "FifoThroughputLimit",
        "KmsDataKeyReusePeriodSeconds",
        "KmsMasterKeyId",
        "LastModifiedTimestamp",
        "Policy",
        "RedriveAllowPolicy",
        "SqsManagedSseEnabled",
    }
)
UNSUPPORTED_MESSAGE_ATTRIBUTES = frozenset({"ApproximateFirstReceiveTimestamp", "AWSTraceHeader", "MessageGroupId"})

Action = Callable[[SQSResponse], ActionResult]


def restrict_moto() -> None:
    """Replace the actions of moto's SQS by restricted ones, in both of its protocols; once in a process."""
    for name in [name for name in vars(SQSResponse) if not name.startswith("_")]:
        action = getattr(SQSResponse, name)
        # moto has no list of its actions: they are the public functions that take no arguments.
        if callable(action) and action.__code__.co_argcount == 1:
            setattr(SQSResponse, name, _restricted(name, action))


def _restricted(name: str, action: Action) -> Action:
    @functools.wraps(action)
    def restricted(response: SQSResponse) -> ActionResult:
        if name not in SUPPORTED_ACTIONS:
            raise SQSException(UNSUPPORTED, "Scaleway Queues does not have this action")
        parameters: Mapping[str, Any] = response.params
        _refuse_parameters(parameters, UNSUPPORTED_PARAMETERS.get(name, ()))
        if check := _CHECKS.get(name):
            check(response, parameters)
        result = action(response)
        return _without_unsupported(result) if name == "get_queue_attributes" else result

    return restricted


def _refuse_parameters(parameters: Mapping[str, Any], unsupported: tuple[str, ...]) -> None:
    for name in unsupported:
        if parameters.get(name) is not None:
            raise SQSException(UNSUPPORTED, f"Scaleway Queues does not support the parameter {name}")


def _check_message(response: SQSResponse, message: Mapping[str, Any]) -> None:
    _refuse_parameters(message, UNSUPPORTED_OF_A_MESSAGE)
    if not _queue(response).fifo_queue:
        _refuse_parameters(message, ("MessageGroupId",))
    if _size_bytes(message) > MAX_MESSAGE_BYTES:
        reason = f"Message must be shorter than {MAX_MESSAGE_BYTES} bytes."
        raise SQSException(INVALID, f"One or more parameters are invalid. Reason: {reason}")


def _check_batch(response: SQSResponse, parameters: Mapping[str, Any]) -> None:
    """SQS refuses each entry by itself; here the whole batch is, since nothing is known of Scaleway's."""
    messages = parameters.get("Entries") or []
    size_bytes = sum(_size_bytes(message) for message in messages)
    if size_bytes > MAX_BATCH_BYTES:
        raise SQSException(TOO_LONG, f"A batch has at most {MAX_BATCH_BYTES} bytes; this one has {size_bytes}.")
    for message in messages:
        _check_message(response, message)


def _check_visibility(response: SQSResponse, parameters: Mapping[str, Any]) -> None:
    allowed = {0, int(_queue(response).visibility_timeout)}
    for entry in parameters.get("Entries") or [parameters]:
        if int(entry.get("VisibilityTimeout") or 0) not in allowed:
            raise SQSException(INVALID, "VisibilityTimeout has to be 0, or the queue's own visibility timeout")


def _check_queue_attributes(_response: SQSResponse, parameters: Mapping[str, Any]) -> None:
    for name in parameters.get("Attributes") or {}:
        _refuse_attribute(name, UNSUPPORTED_QUEUE_ATTRIBUTES)


def _check_asked_attributes(_response: SQSResponse, parameters: Mapping[str, Any]) -> None:
    for name in parameters.get("AttributeNames") or []:
        _refuse_attribute(name, UNSUPPORTED_QUEUE_ATTRIBUTES)


def _check_received_attributes(_response: SQSResponse, parameters: Mapping[str, Any]) -> None:
    for name in parameters.get("AttributeNames") or []:
        _refuse_attribute(name, UNSUPPORTED_MESSAGE_ATTRIBUTES)


def _refuse_attribute(name: str, unsupported: frozenset[str]) -> None:
    if name in unsupported:
        raise SQSException("InvalidAttributeName", f"Scaleway Queues does not have the attribute {name}")


_CHECKS: Mapping[str, Callable[[SQSResponse, Mapping[str, Any]], None]] = {
    "change_message_visibility": _check_visibility,
    "change_message_visibility_batch": _check_visibility,
    "create_queue": _check_queue_attributes,
    "get_queue_attributes": _check_asked_attributes,
    "receive_message": _check_received_attributes,
    "send_message": _check_message,
    "send_message_batch": _check_batch,
    "set_queue_attributes": _check_queue_attributes,
}


def _without_unsupported(result: ActionResult) -> ActionResult:
    """The answer to a request for all attributes, without those that Scaleway's queues do not have."""
    answer: Any = result.result
    attributes = answer.get("Attributes", {})
    for name in UNSUPPORTED_QUEUE_ATTRIBUTES & attributes.keys():
        del attributes[name]
    return result


def _queue(response: SQSResponse) -> Any:
    return response.sqs_backend.get_queue(response._get_queue_name())  # noqa: SLF001 # moto has no public form of it


def _size_bytes(message: Mapping[str, Any]) -> int:
    """The size as SQS counts it: the body, and the name, type and value of each attribute."""
    size = len(str(message.get("MessageBody", "")).encode("utf-8", "surrogatepass"))
    for name, attribute in (message.get("MessageAttributes") or {}).items():
        size += len(name.encode())
        for value in attribute.values():
            size += len(value if isinstance(value, bytes) else str(value).encode())
    return size
