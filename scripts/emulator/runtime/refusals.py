"""The requests that ingress and core answer by themselves, before any handler runs; pure.

The ingress is Envoy, the core a server in Go. A request that states its body's length and sends it in chunks is refused
by gunicorn with a 400, as Envoy does by default; Go's server alone would ignore the length. gunicorn also refuses a
second Host, and a `*` of another method than OPTIONS.
"""

import re
from collections.abc import Sequence
from http import HTTPStatus

from emulator.runtime.answers import Answer

OLDEST_VERSION = (1, 1)
BAD_REQUEST = "400 Bad Request"
_PLAIN = {"Content-Type": "text/plain; charset=utf-8"}

_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?://([^/?]*))?")
_MALFORMED_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(r"[A-Za-z0-9!$%&'()*+,\-.:;=\[\]_~]*")


def refusal_of(version: tuple[int, int], method: str, target: str, headers: Sequence[tuple[str, str]]) -> Answer | None:
    """The answer that a request gets without its handler; `None` if the handler is to run.

    `target` is the one of the request line, and the names in `headers` are in capitals.
    """
    if version < OLDEST_VERSION:
        return Answer(HTTPStatus.UPGRADE_REQUIRED)  # Envoy's has no body
    if method != "CONNECT" and not _is_target(target):
        return bad_request()
    if problem := _problem_of_host([value for name, value in headers if name == "HOST"], method):
        return bad_request(problem)
    if (method, target) == ("OPTIONS", "*"):
        return Answer(HTTPStatus.OK)
    return None


def _problem_of_host(hosts: Sequence[str], method: str) -> str | None:
    if not hosts:
        return None if method == "CONNECT" else "missing required Host header"
    return None if _HOST.fullmatch(hosts[0]) else "malformed Host header"


def bad_request(reason: str | None = None) -> Answer:
    """A 400 in the form of Go's server, with the reason where it gives one."""
    text = BAD_REQUEST if reason is None else f"{BAD_REQUEST}: {reason}"
    return Answer(HTTPStatus.BAD_REQUEST, _PLAIN, text.encode())


def _is_target(target: str) -> bool:
    """Whether Go parses the target: an absolute path, an address, or `*`, with no malformed escape but in the query."""
    if target == "*":
        return True
    address = _AUTHORITY.match(target)
    if not target.startswith("/") and address is None:
        return False
    path = target.partition("?")[0]
    return not _MALFORMED_ESCAPE.search(path)
