"""The one spelling of header names in the platform's core, which is written in Go: `X-Foo-Bar`."""


def canonical_name(name: str) -> str:
    """`name` as Go's `CanonicalMIMEHeaderKey` spells it: a capital at the start and after each hyphen."""
    return "-".join(part.capitalize() for part in name.split("-"))
