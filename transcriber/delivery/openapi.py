"""Describes the function as OpenAPI 3.1, from the tables by which requests are read and answers written.

The document is made when it is requested: no other request imports this.
"""

from http import HTTPStatus
from typing import Any, Final

from transcriber import __version__
from transcriber.delivery import answer_schemas
from transcriber.delivery.answer_schemas import error_responses, json_response, reference, transcript_response
from transcriber.outputs.plain_json import JSON_TYPE
from transcriber.request import request_schemas, trigger_schemas
from transcriber.request.job_calls import JOBS_PATH
from transcriber.request.openai_api import ApiPath
from transcriber.settings import BYTES_PER_MB, Settings

Operation = dict[str, Any]

OPENAPI_VERSION: Final = "3.1.0"
# What a client may be answered to a request for a transcript.
_TRANSCRIPTION_ERRORS: Final = (404, 409, 413, 415, 422, 429, 502, 503, 504)
FORM_TYPES: Final = ("multipart/form-data", "application/x-www-form-urlencoded")
_EVENT_STREAM: Final = "text/event-stream; charset=utf-8"


def document(settings: Settings) -> dict[str, Any]:
    """The description of a function with these settings; no secret is in it."""
    schemas = {
        **answer_schemas.components(),
        "TranscriptionRequest": request_schemas.transcription_request(),
        "FormRequest": request_schemas.form_request(),
        "ChatCompletionRequest": request_schemas.chat_request(),
        "UploadRequest": request_schemas.upload_request(),
        "Sweep": trigger_schemas.sweep_request(),
        "UploadEvent": trigger_schemas.upload_event(),
    }
    return {
        "openapi": OPENAPI_VERSION,
        "info": {"title": "Transcriber", "version": __version__, "description": _description(settings)},
        "servers": [{"url": "/"}],
        # Either of them, both, or none: the platform checks the one, the function the other.
        "security": [{}, {"accessToken": []}, {"platformToken": []}, {"accessToken": [], "platformToken": []}],
        "paths": _paths(),
        "components": {"schemas": schemas, "securitySchemes": _security_schemes()},
    }


def _description(settings: Settings) -> str:
    return (
        f"Turns audio into text. Models: {', '.join(settings.models)}. A recording has at most "
        f"{settings.max_audio_bytes / BYTES_PER_MB:g} MB and {settings.max_audio_seconds / 60:g} minutes, a request at "
        f"most 6 MiB, and {settings.time_limit_seconds:g} s. Paths may stand under any prefix."
    )


def _security_schemes() -> dict[str, Any]:
    return {
        "accessToken": {"type": "http", "scheme": "bearer", "description": "ACCESS_TOKEN, where it is set."},
        "platformToken": {
            "type": "apiKey",
            "in": "header",
            "name": "X-Auth-Token",
            "description": "Of a private function: the secret key of an API key that may call it.",
        },
    }


def _paths() -> dict[str, Any]:
    return {
        "/": {"get": _get("status", "Version, models and limits.", "Status"), "post": _post_transcription()},
        f"/v1{ApiPath.TRANSCRIPTIONS}": {"post": _post_form()},
        f"{JOBS_PATH}/{{id}}": {"get": _get_job(), "delete": _delete_job()},
        f"{JOBS_PATH}/{{id}}/content": {"get": _get_job_content()},
        f"/v1{ApiPath.CHAT}": {"post": _post_chat()},
        f"/v1{ApiPath.UPLOADS}": {"post": _post_upload()},
        f"/v1{ApiPath.MODELS}": {"get": _get("models", "The models, as the OpenAI API lists them.", "Models")},
        f"/v1{ApiPath.MODELS}/{{model}}": {"get": _get_model()},
        str(ApiPath.OPENAPI): {"get": _get_document()},
    }


def _get(name: str, description: str, schema: str) -> Operation:
    return _operation(name, description, {"200": json_response(description, schema)}, error_responses(404))


def _get_model() -> Operation:
    model = {"name": "model", "in": "path", "required": True, "schema": answer_schemas.TEXT}
    return {**_get("model", "One of the models.", "Model"), "parameters": [model]}


def _get_document() -> Operation:
    content = {JSON_TYPE: {"schema": {"type": "object", "required": ["openapi", "info", "paths"]}}}
    answer = {"200": {"description": "This document.", "content": content}}
    return _operation("openapi", "This document.", answer, error_responses())


def _post_transcription() -> Operation:
    answer = transcript_response()
    answer["content"][JSON_TYPE]["schema"]["anyOf"] += [reference("Counts"), reference("InProgress")]
    schemas = [reference(name) for name in ("TranscriptionRequest", "Sweep", "UploadEvent")]
    base64_text = {"type": "string", "description": "The recording as base64 text, and nothing else."}
    content = {**_forms(), JSON_TYPE: {"schema": {"anyOf": schemas}}, "text/plain": {"schema": base64_text}}
    return {
        **_operation(
            "transcribe",
            "Transcribe a recording. Upload events and sweeps of triggers come by the same path.",
            {"200": answer, "202": _accepted()},
            error_responses(*_TRANSCRIPTION_ERRORS),
        ),
        "parameters": [*request_schemas.query_options(), *request_schemas.job_headers()],
        "requestBody": {"required": True, "content": content},
    }


def _post_form() -> Operation:
    answer = transcript_response()
    answer["content"][_EVENT_STREAM] = {"schema": answer_schemas.TEXT}
    content = {**_body("FormRequest")["content"], **_forms()}
    return {
        **_operation(
            "transcribeAsOpenAi",
            "Transcribe a recording, at the path of the OpenAI API.",
            {"200": answer, "202": _accepted()},
            error_responses(*_TRANSCRIPTION_ERRORS),
        ),
        "parameters": request_schemas.job_headers(),
        "requestBody": {"required": True, "content": content},
    }


def _get_job() -> Operation:
    answer = json_response("How far the job is; Retry-After says when another look makes sense.", "Job")
    return {
        **_operation("getJob", "Look at a job.", {"200": answer}, error_responses(404, 422, 502, 504)),
        "parameters": request_schemas.job_parameters("wait"),
    }


def _delete_job() -> Operation:
    answer = json_response("What was the job's alone is gone.", "DeletedJob")
    return {
        **_operation("deleteJob", "Delete a job.", {"200": answer}, error_responses(404, 422, 502, 504)),
        "parameters": request_schemas.job_parameters(),
    }


def _get_job_content() -> Operation:
    # A job that failed is answered with its error, whatever that is.
    errors = error_responses(*_TRANSCRIPTION_ERRORS)
    return {
        **_operation("getJobContent", "The transcript of a job.", {"200": transcript_response()}, errors),
        "parameters": request_schemas.job_parameters("response_format"),
    }


def _post_chat() -> Operation:
    answer = json_response("The transcript as a chat completion.", "ChatCompletion")
    answer["content"][_EVENT_STREAM] = {"schema": answer_schemas.TEXT}
    return {
        **_operation("chatCompletion", answer["description"], {"200": answer}, error_responses(*_TRANSCRIPTION_ERRORS)),
        "requestBody": _body("ChatCompletionRequest"),
    }


def _post_upload() -> Operation:
    description = "Where the file may be PUT, once; then name its bucket and key in a request."
    answer = {"201": json_response(description, "Upload")}
    return {
        **_operation("createUpload", "Open an upload into Object Storage.", answer, error_responses(413)),
        "requestBody": _body("UploadRequest"),
    }


def _forms() -> dict[str, Any]:
    """Forms of the same fields, in which everything is a text, and the recording base64 text."""
    schema = {"type": "object", "description": "The fields of FormRequest, each as text."}
    return {kind: {"schema": schema} for kind in FORM_TYPES}


def _accepted() -> dict[str, Any]:
    names = ("AcceptedJob", "Queued", "InProgress")
    return json_response(f"{HTTPStatus.ACCEPTED.phrase}: a job, or the callback gets the answer.", *names)


def _body(schema: str) -> dict[str, Any]:
    return {"required": True, "content": {JSON_TYPE: {"schema": reference(schema)}}}


def _operation(name: str, summary: str, *responses: dict[str, Any]) -> Operation:
    merged = {status: response for each in responses for status, response in each.items()}
    return {"operationId": name, "summary": summary, "responses": merged}
