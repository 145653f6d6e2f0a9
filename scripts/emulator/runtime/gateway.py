"""The platform's core: passes requests to the function as events, and sends its return values as answers.

It is the official local emulator (`scaleway-functions-python`). Overrides correct the steps that differ from the
platform; the docstring of each says how.
"""

import errno
import hmac
import os
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from socket import SHUT_RDWR
from typing import Any, NoReturn

import flask
from gunicorn.http.errors import ParseException
from scaleway_functions_python.local import LocalFunctionServer, infra
from scaleway_functions_python.local.serving import MAX_CONTENT_LENGTH, HandlerWrapper
from werkzeug.exceptions import abort

from emulator.runtime import answers, events
from emulator.runtime.gateway_config import IS_CLOSED, PRIVATE_TOKEN_VARIABLE, REQUEST_ID, received_headers
from emulator.runtime.invoker import FunctionInvoker, NoFreeInstanceError, SubRuntimeAnswer, SubRuntimeDownError
from emulator.runtime.refusals import refusal_of

PAYLOAD_TOO_LARGE = f"Request payload too large, max payload size = {MAX_CONTENT_LENGTH} bytes"
HANDLER_FAILED = "An error occured during handler execution: "
SUB_RUNTIME_DOWN = "too many retries, sub-runtime server did not come up in 10ms seconds"  # sic: it means ten seconds

FORWARDED_FOR = "X-Forwarded-For"

KillAfter = Callable[[dict[str, Any]], float | None]


def never(_environ: dict[str, Any]) -> None:
    """Kill no instance: the default of `create_app`."""


def create_app(
    *,
    socket_path: str,
    instances: int,
    function_name: str,
    memory_limit_mb: int,
    queue_limit: int,
    queue_timeout_seconds: float,
    retry_seconds: float,
    forbidden_text: str,
    busy_text: str,
    kill_after_seconds: KillAfter = never,
) -> flask.Flask:
    """The WSGI application in front of `instances` at `socket_path`; `FunctionServer` explains the other arguments.

    `kill_after_seconds` returns, for the WSGI `environ` of a request, the moment of its run at which the instance is
    killed, or `None`.
    """
    invoker = FunctionInvoker(
        Path(socket_path),
        instances=instances,
        queue_limit=queue_limit,
        queue_timeout_seconds=queue_timeout_seconds,
        retry_seconds=retry_seconds,
    )
    context = {"memoryLimitInMb": memory_limit_mb, "functionName": function_name, "functionVersion": ""}
    core = Core(
        invoker,
        context,
        private_token=os.environ.get(PRIVATE_TOKEN_VARIABLE),
        forbidden_text=forbidden_text,
        busy_text=busy_text,
        kill_after_seconds=kill_after_seconds,
    )
    app: flask.Flask = Gateway(core).app
    return app


class Core(HandlerWrapper):  # type: ignore[misc] # it has no types
    """The official emulator's handling of a request, with the function in other processes instead of a callable."""

    def __init__(
        self,
        invoker: FunctionInvoker,
        context: dict[str, Any],
        *,
        private_token: str | None,
        forbidden_text: str,
        busy_text: str,
        kill_after_seconds: KillAfter,
    ) -> None:
        super().__init__(handler=None)
        self._invoker = invoker
        self._context = context
        self._private_token = private_token
        self._forbidden_text = forbidden_text
        self._busy_text = busy_text
        self._kill_after_seconds = kill_after_seconds

    def dispatch_request(self, *_args: object, **_kwargs: object) -> flask.Response:
        """Handle one request by the official steps, with the platform's event and context."""
        environ = flask.request.environ
        refusal = refusal_of(
            _version(environ), environ["REQUEST_METHOD"], environ["RAW_URI"], received_headers(environ)
        )
        if refusal is not None:
            return self.resp_record_to_flask_response(refusal)
        self.emulate_core_preprocess(flask.request)
        event = self.format_event(flask.request)
        sub_response = self.emulate_subruntime(event, self._context)
        record = self.emulate_core_postprocess(sub_response)
        if record is None:
            environ[IS_CLOSED] = True
            environ["gunicorn.socket"].shutdown(SHUT_RDWR)
            return flask.Response()  # nothing reads it
        return self.resp_record_to_flask_response(record)

    def emulate_core_preprocess(self, req: flask.Request) -> None:
        """Refuse requests that the platform refuses; the official emulator only warns."""
        if self._private_token is not None:
            token = dict(received_headers(req.environ)).get("X-AUTH-TOKEN", "")
            if not hmac.compare_digest(token.encode("latin-1"), self._private_token.encode()):
                self._refuse(HTTPStatus.FORBIDDEN, self._forbidden_text)
        if (req.content_length or 0) > MAX_CONTENT_LENGTH:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, PAYLOAD_TOO_LARGE)

    def format_event(self, req: flask.Request) -> dict[str, Any]:
        """The platform's event, with the ingress's headers as the official emulator adds them."""
        environ = req.environ  # Flask's request has the method in capitals and a normalised path
        received = events.ReceivedRequest(
            method=environ["REQUEST_METHOD"],
            target=environ["RAW_URI"],
            headers=received_headers(environ),
            body=self._read_body(req),
        )
        event = events.event_of(received)
        client_request_id = event["headers"].get("X-Request-Id")
        forwarded_for = [value for name, value in received.headers if name == FORWARDED_FOR.upper()]
        infra.inject_ingress_headers(req, event)
        if client_request_id:
            event["headers"]["X-Request-Id"] = client_request_id
        if forwarded_for:  # the ingress adds the address that it sees
            event["headers"][FORWARDED_FOR] = ",".join([*forwarded_for, event["headers"][FORWARDED_FOR]])
        environ[REQUEST_ID] = event["headers"]["X-Request-Id"]
        return event

    def emulate_subruntime(self, event: dict[str, Any], context: dict[str, Any]) -> SubRuntimeAnswer:
        """Run the handler in an instance, one request at a time in each, instead of in this thread."""
        try:
            return self._invoker.invoke(
                event, context, kill_after_seconds=self._kill_after_seconds(flask.request.environ)
            )
        except NoFreeInstanceError:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, self._busy_text)
        except SubRuntimeDownError:
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, SUB_RUNTIME_DOWN)

    def emulate_core_postprocess(self, sub_response: SubRuntimeAnswer) -> answers.Answer | None:
        """Read the sub-runtime's text as the core does, which keeps a record without a status, and JSON text."""
        if not sub_response.succeeded:
            return answers.error_answer(HTTPStatus.INTERNAL_SERVER_ERROR, HANDLER_FAILED + sub_response.text)
        return answers.answer_of(sub_response.text)

    def resp_record_to_flask_response(self, record: answers.Answer) -> flask.Response:
        """Send exactly the answer's headers: Flask's default content type would be HTML.

        The ingress's own `Server` replaces the handler's. An answer with a wrong length is sent, and the connection is
        closed after it.
        """
        is_broken = record.is_broken and flask.request.environ["REQUEST_METHOD"] != "HEAD"
        response = flask.Response(_then_closed(record.body) if is_broken else record.body, record.status)
        response.headers.clear()
        response.headers.update(record.headers)
        response.headers.pop("Server", None)
        response.headers.setdefault(answers.CONTENT_LENGTH, str(len(record.body)))
        return response

    def _read_body(self, req: flask.Request) -> bytes:
        """The received part of the body; the platform, too, runs the handler when only a part arrives."""
        stream = req.environ["wsgi.input"]
        try:
            body = stream.read(MAX_CONTENT_LENGTH + 1)
        except (OSError, ParseException):
            body = stream.read(MAX_CONTENT_LENGTH + 1)  # the bytes before the connection or the framing broke
        if len(body) > MAX_CONTENT_LENGTH:  # it arrived in chunks, without a length
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, PAYLOAD_TOO_LARGE)
        return bytes(body)

    def _refuse(self, status: int, message: str) -> NoReturn:
        abort(self.resp_record_to_flask_response(answers.error_answer(status, message)))


def _then_closed(body: bytes) -> Iterator[bytes]:
    yield body
    raise ConnectionResetError(errno.ECONNRESET, "the answer's length is wrong")  # gunicorn closes, and logs nothing


def _version(environ: dict[str, Any]) -> tuple[int, int]:
    major, _, minor = environ["SERVER_PROTOCOL"].removeprefix("HTTP/").partition(".")
    return int(major), int(minor or 0)


class Gateway(LocalFunctionServer):  # type: ignore[misc] # it has no types
    """The official server, with every method and path routed to the function."""

    def __init__(self, core: Core) -> None:
        super().__init__()
        # Before Flask's routing, which refuses methods, merges slashes and redirects paths.
        self.app.before_request(core.dispatch_request)
