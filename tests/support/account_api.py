"""An account on loopback: its IAM, queues' credentials and project beside the Functions API, as the SDK asks.

Each body that is sent is held against the SDK's own request types: a field that they do not have, or a value of another
type, is refused. Each answer is made of the SDK's own types. What the account does is kept, and so can be looked at.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from threading import Thread
from typing import Any
from uuid import uuid4

from flask import Flask, Response, abort, jsonify, request
from scaleway.mnq.v1beta1.types import (
    SqsApiActivateSqsRequest,
    SqsApiCreateSqsCredentialsRequest,
    SqsCredentials,
    SqsInfo,
    SqsPermissions,
)
from support.account_state import INTERRUPTED, ORGANIZATION_ID, AccountApi
from support.api_answers import Quiet, body_of, found, new_access_key, page
from support.functions_api import FunctionsApi, create_app
from support.iam_api import a_key, add_applications, add_keys, add_policies
from werkzeug.serving import make_server

MNQ = "/mnq/v1beta1/regions"


@contextmanager
def account_api(*, token: str, project_id: str, storage_url: str) -> Iterator[AccountApi]:
    """Serve an account that holds a person's API key and nothing else; `url` is what SCW_API_URL is to be."""
    account = AccountApi(FunctionsApi(token, project_id), storage_url)
    access_key = new_access_key()
    account.api_keys[access_key] = a_key(access_key, project_id, user_id=str(uuid4()))
    account.secret_keys[access_key] = token
    app = create_app(account.functions)
    for add in (add_interruptions, add_project, add_applications, add_policies, add_keys, add_queues):
        add(app, account)
    server = make_server("127.0.0.1", 0, in_any_region(app, account), request_handler=Quiet, threaded=True)
    account.url = f"http://127.0.0.1:{server.server_port}"
    account.functions.url = f"{account.url}/functions/v1beta1/regions/fr-par"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield account
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def in_any_region(app: Flask, account: AccountApi) -> Any:
    """The functions of each region as those of the first, with a note of which one it was."""

    def wsgi(environ: dict[str, Any], start_response: Any) -> Any:
        start, middle, rest = environ["PATH_INFO"].partition("/functions/v1beta1/regions/")
        if middle:
            region, _, path = rest.partition("/")
            if not path.startswith("uploads/"):
                account.regions.add(region)
            environ["PATH_INFO"] = f"{start}{middle}fr-par/{path}"
        return app(environ, start_response)

    return wsgi


def add_interruptions(app: Flask, account: AccountApi) -> None:
    @app.before_request
    def interrupt() -> None:
        if account.is_interrupted_by(request.method):
            abort(INTERRUPTED, "interrupted")
        account.changes += request.method != "GET"

    @app.after_request
    def lose(response: Response) -> Response:
        if response.status_code < INTERRUPTED and account.is_answer_lost_of(request.method):
            return Response('{"message": "interrupted"}', INTERRUPTED, content_type="application/json")
        return response


def add_project(app: Flask, account: AccountApi) -> None:
    @app.get("/account/v3/projects/<project>")
    def get_project(project: str) -> Response:
        if project != account.functions.project_id:
            abort(404, "no such project")
        return jsonify(id=project, name="default", organization_id=ORGANIZATION_ID, description="")


def add_queues(app: Flask, account: AccountApi) -> None:
    @app.get(f"{MNQ}/<region>/sqs-info")
    def get_info(region: str) -> Response:
        return jsonify(info(region))

    @app.post(f"{MNQ}/<region>/activate-sqs")
    def activate(region: str) -> Response:
        assert body_of(SqsApiActivateSqsRequest)["project_id"] == account.functions.project_id
        account.is_sqs_active = True
        return jsonify(info(region))

    @app.get(f"{MNQ}/<region>/sqs-credentials")
    def list_credentials(region: str) -> Response:
        info(region)
        if not account.is_sqs_active:
            abort(404, "Queues are not turned on")
        return page("sqs_credentials", list(account.credentials.values()))

    @app.post(f"{MNQ}/<region>/sqs-credentials")
    def create_credentials(region: str) -> Response:
        info(region)
        if not account.is_sqs_active:
            abort(412, "Queues are not turned on")
        new = body_of(SqsApiCreateSqsCredentialsRequest)
        permissions = SqsPermissions(**new["permissions"])
        access_key, secret = new_access_key(), secrets.token_hex(32)
        made = SqsCredentials(
            id=str(uuid4()), name=new["name"], project_id=new["project_id"], region=region, access_key=access_key,
            secret_key="", secret_checksum="", permissions=permissions,
        )  # fmt: skip
        account.credentials[made.id] = asdict(made)
        account.secret_keys[access_key] = secret
        return jsonify(asdict(made) | {"secret_key": secret})  # this once

    @app.delete(f"{MNQ}/<region>/sqs-credentials/<identifier>")
    def delete_credentials(region: str, identifier: str) -> Response:
        info(region)
        del account.secret_keys[found(account.credentials, identifier)["access_key"]]
        del account.credentials[identifier]
        return Response(status=204)

    def info(region: str) -> dict[str, Any]:
        if region not in {"fr-par", "nl-ams"}:
            abort(404, "Queues are not in this region")
        status = "enabled" if account.is_sqs_active else "disabled"
        project = account.functions.project_id
        return asdict(SqsInfo(project_id=project, region=region, status=status, sqs_endpoint_url=account.storage_url))
