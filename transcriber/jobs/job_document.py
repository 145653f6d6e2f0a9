"""A job as its client sees it."""

import math
from datetime import datetime
from typing import Any, Final

from transcriber.jobs.records import JobRecord

OBJECT: Final = "transcription.job"
COMPLETED_PERCENT: Final = 100
# Between two looks of a client: soon at a short job, and not too often at a long one.
LEAST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 15.0
# The share of a job's age after which another look is worth it.
PAUSE_SHARE: Final = 0.1


def accepted_fields(record: JobRecord) -> dict[str, Any]:
    """The job in the answer to the request for it; `webhook_id` is that of its callback, where it has one."""
    fields = {
        "id": record.id,
        "object": OBJECT,
        "status": record.status.value,
        "created_at": _seconds(record.created_at),
    }
    return {**fields, "webhook_id": record.webhook_id} if "callback" in record.request else fields


def status_fields(record: JobRecord) -> dict[str, Any]:
    """The job in the answer to a look at it."""
    return {
        **accepted_fields(record),
        "progress": record.progress,
        "completed_at": None if record.completed_at is None else _seconds(record.completed_at),
        "error": None if record.failure is None else dict(record.failure.error),
        "warnings": list(record.warnings),
    }


def deleted_fields(job_id: str) -> dict[str, Any]:
    """The answer to its removal, in OpenAI's form."""
    return {"id": job_id, "object": OBJECT, "deleted": True}


def pause_seconds(record: JobRecord, now: datetime) -> int:
    """When another look at a job makes sense."""
    age_seconds = (now - record.created_at).total_seconds()
    return math.ceil(min(max(PAUSE_SHARE * age_seconds, LEAST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS))


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
