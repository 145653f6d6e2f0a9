"""Reads the request of a schedule: a sweep through a bucket."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from transcriber.errors import RequestError
from transcriber.request.fields import is_key, read_bucket, refuse_unknown
from transcriber.request.trigger import Trigger

# More than a bucket's sweep finds in an hour.
MAX_LIMIT = 1_000_000


@dataclass(frozen=True)
class SweepRequest:
    """Transcribe the objects of `bucket` under `prefix` that have no transcript: `limit` of them, or all."""

    trigger: ClassVar[Trigger] = Trigger.CRON

    bucket: str
    prefix: str = ""
    limit: int | None = None


def read_sweep(fields: Mapping[str, Any]) -> SweepRequest:
    """The sweep in `fields`; `RequestError` says which part is wrong."""
    sweep = fields["sweep"]
    if len(fields) > 1 or not isinstance(sweep, dict):
        raise RequestError('A sweep is {"sweep": {"bucket", "prefix"?, "limit"?}}, and stands alone.', param="sweep")
    known = ("bucket", "prefix", "limit")
    refuse_unknown(sweep, known, what="a sweep", prefix="sweep.")
    prefix, limit = sweep.get("prefix") or "", sweep.get("limit")
    if not isinstance(prefix, str) or not (prefix == "" or is_key(prefix)):
        raise RequestError("sweep.prefix is the beginning of keys, such as incoming/.", param="sweep.prefix")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_LIMIT):
        message = f"sweep.limit is a whole number above 0 and at most {MAX_LIMIT}; without it, all are swept."
        raise RequestError(message, param="sweep.limit")
    return SweepRequest(read_bucket(sweep, prefix="sweep."), prefix, limit)
