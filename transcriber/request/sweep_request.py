"""Reads what the schedule asks for: a sweep through a bucket; does none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from transcriber.errors import RequestError
from transcriber.request.fields import MAX_NAME_LENGTH, is_key, nearest, read_bucket, short


@dataclass(frozen=True)
class SweepRequest:
    """The objects of `bucket` under `prefix` that have no transcript are to get one: `limit` of them, or all."""

    bucket: str
    prefix: str = ""
    limit: int | None = None


def read_sweep(fields: Mapping[str, Any]) -> SweepRequest:
    """The sweep that `fields` ask for; `RequestError` says which part is wrong."""
    sweep = fields["sweep"]
    if len(fields) > 1 or not isinstance(sweep, dict):
        raise RequestError('A sweep is {"sweep": {"bucket", "prefix"?, "limit"?}}, and stands alone.', param="sweep")
    known = ("bucket", "prefix", "limit")
    for name in sweep:
        if name not in known:
            message = f"{short(name)} is no field of a sweep.{nearest(name, known)}"
            raise RequestError(message, param=f"sweep.{name[:MAX_NAME_LENGTH]}")
    prefix, limit = sweep.get("prefix") or "", sweep.get("limit")
    if not isinstance(prefix, str) or not (prefix == "" or is_key(prefix)):
        raise RequestError("sweep.prefix is the beginning of keys, such as incoming/.", param="sweep.prefix")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise RequestError("sweep.limit is a whole number above 0.", param="sweep.limit")
    return SweepRequest(read_bucket(sweep, prefix="sweep."), prefix, limit)
