"""The errors of the Generative APIs, in both of their formats."""

from collections.abc import Mapping
from enum import StrEnum

from flask import Response, jsonify
from pydantic import ValidationError

# The audio route answers in the flat format, all others in the nested one: the real APIs have both.
FLAT_PREFIX = "/v1/audio/"


class ErrorKind(StrEnum):
    """The `type` of an error, in OpenAI's words."""

    INVALID_REQUEST = "invalid_request_error"
    AUTHENTICATION = "authentication_error"
    PERMISSION = "permission_error"
    RATE_LIMIT = "rate_limit_error"
    SERVER = "server_error"
    TIMEOUT = "timeout_error"


KIND_OF_STATUS = {
    401: ErrorKind.AUTHENTICATION,
    403: ErrorKind.PERMISSION,
    429: ErrorKind.RATE_LIMIT,
    500: ErrorKind.SERVER,
    504: ErrorKind.TIMEOUT,
}


class ApiError(Exception):
    """An error answer to a request; `param` names the wrong field, `code` the kind of error; `headers` are added."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code
        self.headers = headers or {}


def error_body(error: ApiError, path: str) -> dict[str, object]:
    """The JSON of `error` in the format of the route at `path`."""
    kind = KIND_OF_STATUS.get(error.status, ErrorKind.INVALID_REQUEST)
    if path.startswith(FLAT_PREFIX):
        fields = {"message": error.message, "type": kind, "param": error.param, "code": error.status}
        return {"object": "error", **fields}
    return {"error": {"message": error.message, "type": kind, "param": error.param, "code": error.code}}


def error_response(error: ApiError, path: str) -> Response:
    """The HTTP answer for `error`."""
    response = jsonify(error_body(error, path))
    response.status_code = error.status
    response.headers.update(error.headers)
    return response


def from_validation(error: ValidationError) -> ApiError:
    """The first error of a request's fields, without the wrong value: it may be audio."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    param = ".".join(str(step) for step in first["loc"])
    return ApiError(400, f"{param}: {first['msg']}" if param else first["msg"], param=param or None)
