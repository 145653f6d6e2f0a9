"""The control's endpoints, on a port of their own, since every path of the gateway belongs to the function.

GET    /_emulator/platform          the state, as `emulator.state.platform_state.PlatformState`
POST   /_emulator/faults            injects an `emulator.state.faults.PlatformFault`; DELETE removes all faults
POST   /_emulator/cron/0/fire       fires the first schedule now
POST   /_emulator/lifecycle         ends what the storage's lifecycle rules end, as if it were {"days": N} later
POST   /_emulator/messages          puts the body into the queue as a message
"""

import threading
from dataclasses import asdict
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, jsonify, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException
from werkzeug.serving import WSGIRequestHandler, make_server

from emulator.control.client import PREFIX
from emulator.control.platform import Control
from emulator.processes import LOOPBACK
from emulator.state.faults import PlatformFault

# With any other host name, a foreign page could pretend to be of the same origin in a browser.
OWN_NAMES: Final = frozenset({LOOPBACK, "localhost"})


# Ten years, so that no date ends beyond the calendar.
MAX_DAYS: Final = 3_650


def serve(control: Control, listener: int, page: Blueprint) -> None:
    """Serve on the bound socket with this file descriptor, on threads of its own, until the process ends."""
    app = control_app(control, page)
    server = make_server(LOOPBACK, 0, app, threaded=True, request_handler=_QuietHandler, fd=listener)
    server.server_activate()
    threading.Thread(target=server.serve_forever, name="control", daemon=True).start()


def control_app(control: Control, page: Blueprint) -> Flask:
    """The endpoints and the `page` as a WSGI application for this machine only; errors are JSON."""
    app = Flask(__name__, static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined] # the default provider has it, the base class does not
    app.before_request(_refuse_foreign_requests)
    app.register_blueprint(control_blueprint(control))
    app.register_blueprint(page)

    @app.errorhandler(ValidationError)
    def invalid(error: ValidationError) -> tuple[Response, int]:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the fault"
        return _error(HTTPStatus.BAD_REQUEST, f"{where}: {first['msg']}")

    @app.errorhandler(HTTPException)
    def other(error: HTTPException) -> tuple[Response, int]:
        return _error(error.code or HTTPStatus.INTERNAL_SERVER_ERROR, error.description or error.name)

    return app


def control_blueprint(control: Control) -> Blueprint:
    """The routes under `/_emulator/`."""
    blueprint = Blueprint("control", __name__, url_prefix=PREFIX)

    @blueprint.get("/platform")
    def platform() -> Response:
        return jsonify(asdict(control.state()))

    @blueprint.post("/faults")
    def add_fault() -> Response:
        control.faults.add(PlatformFault.model_validate_json(request.get_data()))
        return Response(status=HTTPStatus.NO_CONTENT)

    @blueprint.delete("/faults")
    def clear_faults() -> Response:
        control.faults.clear()
        return Response(status=HTTPStatus.NO_CONTENT)

    @blueprint.post("/cron/<int:number>/fire")
    def fire(number: int) -> Response | tuple[Response, int]:
        try:
            control.cron.fire(number)
        except IndexError:
            return _error(HTTPStatus.NOT_FOUND, f"There are {len(control.cron.states())} schedules, numbered from 0")
        return Response(status=HTTPStatus.ACCEPTED)

    @blueprint.post("/lifecycle")
    def lifecycle() -> Response | tuple[Response, int]:
        days = (request.get_json(silent=True) or {}).get("days", 0)
        if isinstance(days, bool) or not isinstance(days, int | float) or not 0 <= days <= MAX_DAYS:
            return _error(HTTPStatus.BAD_REQUEST, f"days is a number from 0 to {MAX_DAYS}")
        return jsonify(control.fire_lifecycle(days))

    @blueprint.post("/messages")
    def publish() -> Response | tuple[Response, int]:
        body = request.get_data().decode(errors="replace")
        if not body:
            return _error(HTTPStatus.BAD_REQUEST, "The body is the message, and it is empty")
        control.publish(body)
        return Response(status=HTTPStatus.ACCEPTED)

    return blueprint


def _refuse_foreign_requests() -> tuple[Response, int] | None:
    """Refuse requests of other machines, and those of pages of another origin in a browser of this one."""
    if not ip_address(request.remote_addr or "0.0.0.0").is_loopback:  # noqa: S104 # refused, not listened on
        return _error(HTTPStatus.FORBIDDEN, "Only this machine may do that")
    own = request.host_url.rstrip("/")
    if urlsplit(own).hostname not in OWN_NAMES or request.headers.get("Origin", own) != own:
        return _error(HTTPStatus.FORBIDDEN, "Only this machine's own page may do that")
    return None


class _QuietHandler(WSGIRequestHandler):
    """A handler that logs no requests: the page sends one a second, and the output is the function's log."""

    def log_request(self, *_arguments: Any) -> None:
        pass


def _error(status: int, message: str) -> tuple[Response, int]:
    return jsonify({"error": {"message": message}}), status
