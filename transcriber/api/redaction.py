"""Makes a foreign text fit for a message: short, on one line, without secrets, payloads or internal addresses."""

import ipaddress
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import lru_cache

# Long enough for what an API explains, short enough for a line of a log.
MAX_TEXT_LENGTH = 300

# The part of a text that is redacted and shown from: patterns would take long over megabytes.
MAX_EXAMINED = 4_096

# A shorter part of a secret's base64 would be found in ordinary words.
SHORTEST_CORE = 4
_URL_SAFE = str.maketrans("+/", "-_")

# A run this long without a space is not a word but a payload, a token or a key.
_OPAQUE = re.compile(r"[A-Za-z0-9+/_=-]{40,}")
# The address of a server behind the API reveals its network.
_URL = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^\s\"'<>)]+", re.IGNORECASE)
# Names that exist within a network alone, names with a port, and the hosts that connection errors name.
_HOST = re.compile(
    r"\b(?:[a-z0-9_-]+\.)+(?:svc|local|localdomain|internal|intranet|lan|corp|private|home|cluster|consul)(?:\.[a-z0-9-]+)*\b"
    r"|\blocalhost\b|\bip(?:-\d{1,3}){4}\b|\b[a-z0-9]+(?:-[a-z0-9]+)*-[a-f0-9]{8,10}-[a-z0-9]{5}\b"
    r"|\b(?=[a-z0-9.-]*[a-z])[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?=:\d{2,5}\b)"
    r"|(?<=\bhost=)['\"]?[^\s'\",)]+['\"]?|(?<=\bhost )['\"][^\s'\",)]+['\"]?",
    re.IGNORECASE,
)
# Where a server's code lies: what a traceback says, and paths. Those of the API itself begin with its version.
_TRACEBACK = re.compile(r"Traceback \(most recent call last\).*|\bFile \"[^\"]*\", line \d+(?:, in \S+)?", re.DOTALL)
_PATH = re.compile(
    r"(?<![\w.:/])/(?!v\d+/)[\w.@+~-]+(?:/[\w.@+~-]*)+|(?<!\w)~/[\w./@+~-]+|\b[A-Za-z]:\\[^\s'\"]+"
    r"|[\w-]+(?:/[\w.-]+)*\.(?:py|pyc|so|go|rs|cc|cpp|cu)\b(?::\d+)?"
)
_CONTROL_OR_SPACE = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]+")
_IPV4 = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)")
_IPV6 = re.compile(r"(?<![\w:])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:\d{1,3}(?:\.\d{1,3}){3})?(?![\w:])")


def redact(text: str, *, secrets: Iterable[str] = ()) -> str:
    """`text` on one line, shortened; secrets, payloads and internal addresses are replaced by `[…]`."""
    for pattern in _secret_patterns(tuple(secrets)):
        text = pattern.sub("[…]", text)
    text = text[:MAX_EXAMINED]
    text = _TRACEBACK.sub("[…]", text)
    text = _CONTROL_OR_SPACE.sub(" ", text).strip()
    for pattern in (_URL, _OPAQUE, _PATH):
        text = pattern.sub("[…]", text)
    for pattern in (_IPV6, _IPV4):
        text = pattern.sub(_hide_internal_address, text)
    text = _HOST.sub("[…]", text)
    return text if len(text) <= MAX_TEXT_LENGTH else text[: MAX_TEXT_LENGTH - 1] + "…"


def _hide_internal_address(match: re.Match[str]) -> str:
    try:
        return match[0] if ipaddress.ip_address(match[0]).is_global else "[…]"
    except ValueError:
        return match[0]


@lru_cache(maxsize=4)
def _secret_patterns(secrets: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    """What finds each secret: as it is, in base64 at each alignment, in hexadecimal, and with characters as `%41`."""
    forms = {form: None for secret in secrets for form in (secret, secret.encode().hex(), *_base64_cores(secret))}
    return tuple(re.compile("".join(map(_character, form))) for form in sorted(forms, key=len, reverse=True))


def _base64_cores(secret: str) -> Iterator[str]:
    """The characters that base64 of any text has where the text has `secret`, whichever bytes are around it.

    A character stands for six bits; those with bits of the bytes before or after are left out.
    """
    data = secret.encode()
    for before in range(3):
        first = -(-before * 8 // 6)
        last = (before + len(data)) * 8 // 6
        core = b64encode(bytes(before) + data).decode()[first:last]
        if len(core) >= SHORTEST_CORE:
            yield core
            yield core.translate(_URL_SAFE)


def _character(character: str) -> str:
    """What matches the character itself, or its percent-encoding."""
    code = f"{ord(character):02x}"
    escaped = "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in code)
    return f"(?:{re.escape(character)}|%{escaped})"
