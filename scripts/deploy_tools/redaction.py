"""Keeps secrets out of what is printed."""

import json
from collections.abc import Iterable


def without_secrets(secrets: Iterable[str], text: str) -> str:
    """`text` with each of `secrets` replaced, as it is and as JSON has it: an error may hold a request whole."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "[…]").replace(json.dumps(secret)[1:-1], "[…]")
    return text
