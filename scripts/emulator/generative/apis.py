"""Scaleway's Generative APIs as a local server: as strict as the real ones, with a recogniser and faults on demand."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from av.error import FFmpegError
from flask import Flask, Response, jsonify, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from emulator.audio_check import AudioRefusedError
from emulator.generative.admin import admin_blueprint
from emulator.generative.chat import chat_blueprint
from emulator.generative.errors import ApiError, error_response, from_validation
from emulator.generative.faults import InjectedFaults
from emulator.generative.intake import Apis, finish, receive, release
from emulator.generative.models import Models
from emulator.generative.quota import Quota, QuotaOptions
from emulator.generative.received import RequestLog
from emulator.generative.transcriptions import transcriptions_blueprint
from emulator.recognisers.base import Recogniser, UnsupportedLanguageError
from emulator.recognisers.model_files import RecogniserUnavailableError, cache_folder, find_model
from emulator.recognisers.paced import PacedRecogniser
from emulator.recognisers.stub import StubRecogniser
from emulator.recognisers.whisper import WhisperRecogniser

# The key is passed in the environment: every user of the machine can read a command line.
KEY_VARIABLE = "EMULATED_GENERATIVE_API_KEY"

# 25 MiB of audio are 33.4 MiB as base64; the rest is room for the JSON around it.
MAX_BODY_BYTES = 40 * 1024 * 1024

WHISPER = "whisper"
STUB = "stand-in"
MARKERS = "markers"


def create_app(
    recogniser: str = WHISPER,
    model_folder: str | None = None,
    real_time_factor: float | None = None,
    quota: Mapping[str, Any] | None = None,
) -> Flask:
    """The server, with the recogniser `whisper`, `stand-in` or `markers`; `model_folder` is for `whisper`.

    With a `real_time_factor`, an answer takes the audio's length times the factor, also with parallel requests.
    `whisper` has its own speed, so a factor raises `ValueError`. `quota` has the fields of `QuotaOptions`; `None` is no
    limit. The environment variable
    `EMULATED_GENERATIVE_API_KEY` holds the key that clients have to send.
    """
    apis = Apis(
        recogniser=_recogniser(recogniser, model_folder, real_time_factor),
        models=Models(),
        faults=InjectedFaults(),
        quota=Quota(None if quota is None else QuotaOptions(**quota)),
        received=RequestLog(),
        key=os.environ[KEY_VARIABLE],
    )
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined] # the default provider has it, the base class does not
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = MAX_BODY_BYTES  # a file without a filename counts as a form field
    app.before_request(lambda: receive(apis))
    app.after_request(finish)
    app.teardown_request(lambda _error: release(apis))
    app.register_blueprint(chat_blueprint(apis))
    app.register_blueprint(transcriptions_blueprint(apis))
    app.register_blueprint(admin_blueprint(apis))
    _handle_errors(app)
    started = int(time.time())

    @app.get("/v1/models")
    def list_models() -> Response:
        entries = [
            {"id": n, "object": "model", "created": started, "owned_by": "emulator"} for n in apis.models.names()
        ]
        return jsonify({"object": "list", "data": entries})

    return app


def _recogniser(name: str, model_folder: str | None, real_time_factor: float | None) -> Recogniser:
    if name == WHISPER:
        if real_time_factor is not None:
            raise ValueError(f"A real-time factor is for {STUB!r} and {MARKERS!r}: {WHISPER!r} has its own speed")
        return WhisperRecogniser(find_model(Path(model_folder) if model_folder else None), cache_folder())
    if name == STUB:
        fast: Recogniser = StubRecogniser()
    elif name == MARKERS:
        # Imported here: the others do not need numpy, which delays a server's start by a tenth of a second.
        from emulator.recognisers.marker_reader import MarkerRecogniser  # noqa: PLC0415 # as above

        fast = MarkerRecogniser()
    else:
        raise ValueError(f"There is no recogniser {name!r}: choose {WHISPER!r}, {STUB!r} or {MARKERS!r}")
    return fast if real_time_factor is None else PacedRecogniser(fast, real_time_factor)


def _handle_errors(app: Flask) -> None:
    """Answer every error in its route's format."""

    @app.errorhandler(ApiError)
    def refused(error: ApiError) -> Response:
        return error_response(error, request.path)

    @app.errorhandler(ValidationError)
    def invalid(error: ValidationError) -> Response:
        return error_response(from_validation(error), request.path)

    @app.errorhandler(AudioRefusedError)
    @app.errorhandler(UnsupportedLanguageError)
    def unfit(error: AudioRefusedError | UnsupportedLanguageError) -> Response:
        return error_response(ApiError(400, str(error)), request.path)

    @app.errorhandler(FFmpegError)
    def undecodable(error: FFmpegError) -> Response:
        return error_response(ApiError(400, f"The audio cannot be decoded: {error.strerror}"), request.path)

    @app.errorhandler(RecogniserUnavailableError)
    def unavailable(error: RecogniserUnavailableError) -> Response:
        app.logger.error("%s", error)
        return error_response(ApiError(500, str(error)), request.path)

    @app.errorhandler(HTTPException)
    def other(error: HTTPException) -> Response:
        response = error_response(ApiError(error.code or 500, error.description or error.name), request.path)
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(error.valid_methods)
        return response
