"""What a browser's page may do with a bucket: the bucket's CORS rules, applied as S3 does.

The first rule that allows origin and method counts, and for a preflight request all of its headers as well. moto would
apply all rules at once, or allow everything.
"""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from moto.s3.models import CorsRule

# As scripts/deploy sets it: any page may send a file, as long as somebody who has the keys has signed that.
ANY_PAGE: Mapping[str, Any] = {
    "AllowedOrigin": "*",
    "AllowedMethod": "PUT",
    "AllowedHeader": "*",
    "ExposeHeader": "ETag",
    "MaxAgeSeconds": "3600",
}

Headers = list[tuple[str, str]]


def answer_headers(rules: Sequence[CorsRule], environ: Mapping[str, Any]) -> Headers:
    """The headers with which a page may read the answer to its request; none where no rule allows it."""
    origin = environ.get("HTTP_ORIGIN", "")
    rule = _first(rules, origin, environ["REQUEST_METHOD"], ()) if origin else None
    return [] if rule is None else _headers(rule, origin)


def preflight_headers(rules: Sequence[CorsRule], environ: Mapping[str, Any]) -> Headers | None:
    """The headers of the answer to a preflight request; `None` where no rule allows what it asks."""
    origin = environ.get("HTTP_ORIGIN", "")
    method = environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD", "")
    listed = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
    names = [name.strip().lower() for name in listed.split(",") if name.strip()]
    rule = _first(rules, origin, method, names) if origin and method else None
    if rule is None:
        return None
    allowed = [("Access-Control-Allow-Headers", ", ".join(names))] if names else []
    age = [("Access-Control-Max-Age", str(rule.max_age_seconds))] if rule.max_age_seconds else []
    return [*_headers(rule, origin), *allowed, *age]


def without_cors(headers: Iterable[tuple[str, str]]) -> Headers:
    """`headers` without those that the server's own handling has set."""
    return [(name, value) for name, value in headers if not name.lower().startswith("access-control-")]


def _first(rules: Sequence[CorsRule], origin: str, method: str, names: Sequence[str]) -> CorsRule | None:
    for rule in rules:
        if (
            method in (rule.allowed_methods or ())
            and _matches(origin, rule.allowed_origins)
            and all(_matches(name, rule.allowed_headers) for name in names)
        ):
            return rule
    return None


def _matches(value: str, patterns: Sequence[str] | None) -> bool:
    """Whether `value` is one of `patterns`, in which a star stands for any text."""
    return any(fnmatchcase(value.lower(), pattern.lower().replace("[", "[[]")) for pattern in patterns or ())


def _headers(rule: CorsRule, origin: str) -> Headers:
    is_any = "*" in rule.allowed_origins
    exposed = rule.exposed_headers or []
    return [
        ("Access-Control-Allow-Origin", "*" if is_any else origin),
        ("Access-Control-Allow-Methods", ", ".join(rule.allowed_methods)),
        *([("Access-Control-Expose-Headers", ", ".join(exposed))] if exposed else []),
        ("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"),
    ]
