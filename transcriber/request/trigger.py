"""What called the function: each trigger's request says so, since only some of them deliver a failed event again."""

from enum import StrEnum


class Trigger(StrEnum):
    """The sender of an event; the value stands in the log."""

    HTTP = "http"
    QUEUE = "queue"
    UPLOAD = "upload"
    CRON = "cron"

    @property
    def redelivers(self) -> bool:
        """Whether the sender delivers the event again after a failure; clients and schedules do not."""
        return self in {Trigger.QUEUE, Trigger.UPLOAD}
