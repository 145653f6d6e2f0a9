"""What belongs to one request and ends with it: its deadline, its log and its report."""

from dataclasses import dataclass

from transcriber.deadline import Deadline
from transcriber.request_log import JsonLogger, RequestReport


@dataclass(frozen=True)
class RequestScope:
    """Handed down the whole way; an object of a sweep or of an upload event has a report of its own.

    With `is_interactive`, a client waits for the answer. `traceparent` is the trace that the request belongs to.
    """

    deadline: Deadline
    log: JsonLogger
    report: RequestReport
    is_interactive: bool = False
    traceparent: str | None = None
