"""Lifecycle rules, fired on demand: objects that are old enough are removed, and open multipart uploads ended.

Rules by prefix are applied, by their days; those with tags, dates or versions are not. A removal by a rule is not
announced, as S3 announces it under a name of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from moto.s3.models import FakeBucket, FakeKey, FakeMultipart, LifecycleRule


@dataclass(frozen=True)
class Expired:
    """What the rules of a bucket have ended: keys of objects, and ids of multipart uploads."""

    keys: tuple[str, ...]
    uploads: tuple[str, ...]


def note_open_uploads(bucket: FakeBucket, began: dict[str, datetime], now: datetime) -> None:
    """Add the time to each open multipart upload that has none in `began`: moto keeps no time of them."""
    for upload in bucket.multiparts:
        began.setdefault(upload, now)


def apply_rules(bucket: FakeBucket, began: Mapping[str, datetime], now: datetime) -> Expired:
    """Remove what is too old at `now`; times are those of moto, naive and local."""
    expired = Expired(
        tuple(key for key, found in bucket.keys.items() if _is_old_object(bucket, key, found, now)),
        tuple(each for each, found in bucket.multiparts.items() if _is_old_upload(bucket, found, began.get(each), now)),
    )
    for key in expired.keys:
        bucket.keys.pop(key)
    for upload in expired.uploads:
        bucket.multiparts.pop(upload).dispose()
    return expired


def _is_old_object(bucket: FakeBucket, key: str, found: object, now: datetime) -> bool:
    return isinstance(found, FakeKey) and any(
        _is_over(rule.expiration_days, found.last_modified, now) for rule in bucket.rules if _holds_for(rule, key)
    )


def _is_old_upload(bucket: FakeBucket, found: FakeMultipart, began: datetime | None, now: datetime) -> bool:
    return began is not None and any(
        _is_over(rule.aimu_days, began, now) for rule in bucket.rules if _holds_for(rule, found.key_name)
    )


def _is_over(days: str | None, since: datetime, now: datetime) -> bool:
    return days is not None and now >= since + timedelta(days=int(days))


def _holds_for(rule: LifecycleRule, key: str) -> bool:
    chosen = rule.filter
    has_tags = chosen is not None and (chosen.tag_key is not None or chosen.and_filter is not None)
    prefix = rule.prefix if chosen is None or chosen.prefix is None else chosen.prefix
    return rule.status == "Enabled" and not has_tags and key.startswith(prefix or "")
