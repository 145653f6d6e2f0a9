"""Checks that a callback arrives, signed with the secret that receivers check: this process is the receiver."""

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from threading import Event, Thread
from typing import Any, Final
from urllib.parse import urlsplit

from transcriber.delivery.webhook_signature import read_secret, sign
from transcriber.errors import SettingsError
from verify_run.finding import Finding, failed, ok, quoted, skipped
from verify_run.function import Function, inline
from verify_run.function_checks import LOG_CURE
from verify_run.pipeline_checks import remove_job_later
from verify_run.run import Run
from verify_run.settings_checks import MAX_SKEW_SECONDS

LOOPBACK: Final = "127.0.0.1"
WAIT_SECONDS: Final = 25.0
# Longer than a transcript of the sample; what sends more is not the function.
MAX_BODY_BYTES: Final = 1_000_000


@dataclass
class Received:
    """The callback that came."""

    arrived: Event = field(default_factory=Event)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    at: float = 0.0


def is_this_machine(host: str) -> bool:
    """Whether a function at `host` can reach this process at the loopback address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def receiver(host: str, port: int, path: str) -> Iterator[tuple[int, Received]]:
    """A server that takes one POST to `path`; its port, and what came."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(min(length, MAX_BODY_BYTES))
            is_ours = self.path == path and not received.arrived.is_set()
            self.send_response(HTTPStatus.OK if self.path == path else HTTPStatus.NOT_FOUND)
            self.send_header("Content-Length", "0")
            self.end_headers()
            if is_ours:
                received.headers = {name.lower(): value for name, value in self.headers.items()}
                received.body, received.at = body, time.time()
                received.arrived.set()

        def log_message(self, *_arguments: Any) -> None:
            """Write nothing: the report is the output."""

    server = ThreadingHTTPServer((host, port), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port, received
    finally:
        server.shutdown()
        server.server_close()


def check_callback(run: Run, function: Function, *, public_url: str | None, port: int) -> Iterator[Finding]:
    """A transcript that is called back to this process, at `public_url` or, for a function here, at loopback."""
    if public_url is None and not is_this_machine(function.host):
        yield skipped("callback", "the function cannot reach this machine: --callback URL names a public way to it")
        return
    path = f"/verify-{secrets.token_hex(16)}"
    with receiver(LOOPBACK if public_url is None else "", port, urlsplit(public_url or "").path.rstrip("/") + path) as (
        bound,
        received,
    ):
        base = (public_url or f"http://{LOOPBACK}:{bound}").rstrip("/")
        answer = function.post({**inline(run.sample), "callback": f"{base}{path}"})
        if answer.status not in {HTTPStatus.OK, HTTPStatus.ACCEPTED}:
            yield _refused(answer.status, answer.error, answer.message)
            return
        if isinstance(job_id := answer.fields.get("id"), str):
            remove_job_later(run, function, job_id)
        seconds = min(WAIT_SECONDS, max(0.0, run.deadline.remaining_seconds()))
        if not received.arrived.wait(seconds):
            where = "queued, and no trigger takes it" if answer.status == HTTPStatus.ACCEPTED else "not delivered"
            cause = f"No callback after {seconds:.0f} s: it is {where}, or {base} is not reachable for the function."
            yield failed("callback", cause, f"Check the trigger of the queue, and --callback. {LOG_CURE}")
            return
    yield _judge(run, received)


def _refused(status: int, error: Mapping[str, Any], message: str) -> Finding:
    said = quoted(message)
    if error.get("param") == "CALLBACK_SECRET":
        cure = 'Set CALLBACK_SECRET to what echo "whsec_$(openssl rand -base64 32)" prints, and run scripts/deploy.'
        return failed("callback", said, cure)
    if error.get("param") == "callback":
        return skipped("callback", f"the function may not reach this machine: {said}")
    return failed("callback", f"The request with a callback was answered {status}: {said}", LOG_CURE)


def _judge(run: Run, received: Received) -> Finding:
    """Whether the signature is that of the secret here."""
    try:
        key = read_secret(run.settings.callback_secret)
    except SettingsError:
        return ok("callback", "arrived; set CALLBACK_SECRET here to have its signature checked, too")
    stamp = received.headers.get("webhook-timestamp", "")
    if not stamp.isascii() or not stamp.isdigit():
        return failed(
            "callback", "It arrived without a webhook-timestamp.", "Deploy the function anew: scripts/deploy."
        )
    expected = sign(key, received.headers.get("webhook-id", ""), int(stamp), received.body)
    if expected not in received.headers.get("webhook-signature", "").split():
        return failed(
            "callback",
            "It arrived, and is signed with another secret than CALLBACK_SECRET here: receivers would refuse it.",
            "Set the same CALLBACK_SECRET for the function (scripts/deploy) and for its receivers.",
        )
    if (skew := abs(received.at - int(stamp))) > MAX_SKEW_SECONDS:
        cure = "Set this machine's clock by the network; the platform's is right."
        return failed(
            "callback", f"Its time is {skew:.0f} s off this machine's: receivers refuse more than 300 s.", cure
        )
    return ok("callback", "arrived, and its signature is right")
