"""Spells header names as the platform's core, which is written in Go: `X-Foo-Bar`."""


def canonical_name(name: str) -> str:
    """`name` as Go's `CanonicalMIMEHeaderKey` spells it: capitals at the start and after each hyphen only."""
    return "-".join(part.capitalize() for part in name.split("-"))
