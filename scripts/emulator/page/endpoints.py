"""Serves the page, and does for it what a browser cannot do: write to the storage, and inject faults of the APIs.

GET    /                            the page; GET /<name> its style and its modules
PUT    /_emulator/objects/<key>     stores the body in the bucket, with an upload event
GET    /_emulator/objects/<key>     an object of the bucket, as text
POST   /_emulator/api-faults        injects an `emulator.generative.faults.Fault`; DELETE removes all faults of the APIs
"""

from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests
from flask import Blueprint, Response, abort, request, send_from_directory

from emulator.control.client import PREFIX
from emulator.storage.server import StorageAccess

PAGE_FOLDER = Path(__file__).parent / "static"

# The page shows transcripts, not recordings.
MAX_SHOWN_BYTES = 5_000_000
FORWARD_TIMEOUT_SECONDS = 10


def page_blueprint(function_url: str, storage: StorageAccess, apis_admin_url: str | None) -> Blueprint:
    """The page's routes; `apis_admin_url` is `None` if the Generative APIs are not emulated."""
    blueprint = Blueprint("page", __name__)
    _add_files(blueprint, content_policy(function_url, storage.endpoint))
    _add_objects(blueprint, storage)

    @blueprint.route(f"{PREFIX}/api-faults", methods=["POST", "DELETE"])
    def forward_fault() -> Response:
        if apis_admin_url is None:
            abort(HTTPStatus.NOT_FOUND, "The Generative APIs are not emulated, so they have no faults on demand")
        with requests.Session() as session:
            session.trust_env = False  # a proxy is for other hosts
            answer = session.request(
                request.method, f"{apis_admin_url}/faults", data=request.get_data(), timeout=FORWARD_TIMEOUT_SECONDS
            )
        return Response(answer.content, answer.status_code, mimetype=answer.headers.get("Content-Type"))

    return blueprint


def _add_files(blueprint: Blueprint, policy: str) -> None:
    @blueprint.get("/")
    @blueprint.get("/<name>")
    def serve_file(name: str = "index.html") -> Response:
        response = send_from_directory(PAGE_FOLDER, name)
        response.headers["Content-Security-Policy"] = policy
        response.headers["Cache-Control"] = "no-cache"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response


def _add_objects(blueprint: Blueprint, storage: StorageAccess) -> None:
    @cache  # created at its first use: importing boto3 would delay the start
    def s3() -> Any:
        return storage.client("s3")

    @blueprint.put(f"{PREFIX}/objects/<path:key>")
    def put_object(key: str) -> Response:
        s3().upload_fileobj(request.stream, storage.bucket, key)
        return Response(status=HTTPStatus.NO_CONTENT)

    @blueprint.get(f"{PREFIX}/objects/<path:key>")
    def get_object(key: str) -> Response:
        try:
            found = s3().get_object(Bucket=storage.bucket, Key=key)
        except s3().exceptions.ClientError:
            abort(HTTPStatus.NOT_FOUND, f"There is no object {key}")
        if found["ContentLength"] > MAX_SHOWN_BYTES:
            abort(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"More than {MAX_SHOWN_BYTES} bytes are not shown")
        # Always as text: its author is unknown, and a script in it would have the rights of the page's origin.
        headers = {"X-Content-Type-Options": "nosniff"}
        return Response(found["Body"].read(), mimetype="text/plain", headers=headers)


def content_policy(function_url: str, storage_url: str) -> str:
    """The Content-Security-Policy: the page's files, the function, the storage, and sound in the browser's memory."""
    return "; ".join([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src blob:",
        f"connect-src 'self' {function_url} {storage_url}",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ])  # fmt: skip
