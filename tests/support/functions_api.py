"""A Functions API on loopback that is as strict as Scaleway's plugin needs it to be honest: it keeps what it is sent.

It refuses fields that it does not know, values of another type, a missing or a wrong token, a second namespace or
function of the same name, an upload of another length than announced, and the deployment of a function without code.
Secrets are given back as argon2id hashes only.
"""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any
from uuid import uuid4

from flask import Flask, Response, abort, jsonify, make_response, request
from pydantic import ValidationError
from support.api_answers import Quiet, argon2id, found, page
from support.functions_api_bodies import (
    FunctionUpdate,
    NamespaceUpdate,
    NewCron,
    NewFunction,
    NewNamespace,
    NewTrigger,
    TagsUpdate,
)
from werkzeug.exceptions import HTTPException
from werkzeug.serving import make_server

PREFIX = "/functions/v1beta1/regions/fr-par"


@dataclass(frozen=True)
class Received:
    """A request, as it came; `body` is None without one, and the bytes of an upload."""

    method: str
    path: str
    body: Any


@dataclass
class FunctionsApi:
    """What the account holds, by id, and every request since the start; `secrets` are in clear, by function and key."""

    token: str
    project_id: str
    url: str = ""
    namespaces: dict[str, dict[str, Any]] = field(default_factory=dict)
    functions: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    crons: dict[str, dict[str, Any]] = field(default_factory=dict)
    triggers: dict[str, dict[str, Any]] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    deployed: dict[str, bytes] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    # What becomes of a function that is deployed: its status, and the message that comes with "error".
    outcome: tuple[str, str | None] = ("ready", None)
    # Answers that are given instead of the real ones: a status, and a message or a whole body, by "METHOD /path".
    refusals: dict[str, tuple[int, str | dict[str, Any]]] = field(default_factory=dict)
    runtimes: tuple[str, ...] = ("python311", "python312", "python313", "python314")

    def sent(self, method: str, path: str) -> list[Any]:
        """The bodies of the requests with `method` whose path begins with `path`."""
        return [entry.body for entry in self.received if entry.method == method and entry.path.startswith(path)]


@contextmanager
def functions_api(*, token: str, project_id: str, tls: ssl.SSLContext | None = None) -> Iterator[FunctionsApi]:
    """Serve an account that holds nothing yet; `url` is what SCW_FUNCTION_URL is to be."""
    api = FunctionsApi(token, project_id)
    server = make_server("127.0.0.1", 0, create_app(api), request_handler=Quiet, ssl_context=tls)
    api.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}{PREFIX}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def create_app(api: FunctionsApi) -> Flask:
    app = Flask(__name__)
    for add in (add_rules, add_namespaces, add_functions, add_functions_as_the_sdk_asks, add_uploads, add_triggers):
        add(app, api)
    return app


def add_rules(app: Flask, api: FunctionsApi) -> None:

    @app.before_request
    def receive() -> Response | None:
        path = request.path.removeprefix(PREFIX)
        is_upload = path.startswith("/uploads/")
        body = request.get_data() if is_upload else request.get_json(silent=True)
        api.received.append(Received(request.method, path, body))
        if is_upload == ("X-Auth-Token" in request.headers):
            abort(401, "a token must only be sent to the API")
        if not is_upload and request.headers["X-Auth-Token"] != api.token:
            abort(403, "this is not the token")
        if refusal := api.refusals.get(f"{request.method} {path}"):
            status, message = refusal
            if isinstance(message, str):
                abort(status, message)
            return make_response(jsonify(message), status)
        return None

    @app.errorhandler(HTTPException)
    def explain(error: HTTPException) -> tuple[Response, int]:
        return jsonify(type="error", message=error.description), error.code or 500

    @app.errorhandler(ValidationError)
    def refuse(error: ValidationError) -> tuple[Response, int]:
        details = [
            {"argument_name": ".".join(map(str, problem["loc"])), "help_message": problem["msg"]}
            for problem in error.errors()
        ]
        return jsonify(type="invalid_arguments", message="invalid argument(s)", details=details), 400


def add_namespaces(app: Flask, api: FunctionsApi) -> None:
    @app.get(f"{PREFIX}/namespaces")
    def list_namespaces() -> Response:
        wanted = {name: request.args[name] for name in ("name", "project_id") if name in request.args}
        return page("namespaces", [shown for shown in api.namespaces.values() if wanted.items() <= shown.items()])

    @app.post(f"{PREFIX}/namespaces")
    def create_namespace() -> Response:
        new = NewNamespace.model_validate(request.get_json())
        if new.project_id != api.project_id:
            abort(403, "no such project")
        if new.name in {other["name"] for other in api.namespaces.values()}:
            abort(409, "a namespace has this name")
        shown = new.model_dump() | {"id": str(uuid4()), "status": "pending", "secret_environment_variables": []}
        api.namespaces[shown["id"]] = shown
        answer = jsonify(shown)
        # As at Scaleway, it takes some time: here, until it is asked for.
        shown["status"] = "ready"
        return answer

    @app.get(f"{PREFIX}/namespaces/<namespace>")
    def get_namespace(namespace: str) -> Response:
        return jsonify(found(api.namespaces, namespace))

    @app.delete(f"{PREFIX}/namespaces/<namespace>")
    def delete_namespace(namespace: str) -> Response:
        if any(each["namespace_id"] == namespace for each in api.functions.values()):
            abort(412, "the namespace still has functions")
        found(api.namespaces, namespace)
        return jsonify(api.namespaces.pop(namespace))

    @app.patch(f"{PREFIX}/namespaces/<namespace>")
    def update_namespace(namespace: str) -> Response:
        change = NamespaceUpdate.model_validate(request.get_json())
        shown = found(api.namespaces, namespace)
        shown["environment_variables"] = change.environment_variables
        return jsonify(shown)

    @app.get(f"{PREFIX}/runtimes")
    def list_runtimes() -> Response:
        others = {"language": "Python", "status": "available", "status_message": ""}
        return jsonify(runtimes=[{"name": name, **others} for name in api.runtimes])


def add_functions(app: Flask, api: FunctionsApi) -> None:
    @app.get(f"{PREFIX}/namespaces/<namespace>/functions")
    def list_functions(namespace: str) -> Response:
        found(api.namespaces, namespace)
        return jsonify(functions=[shown for shown in api.functions.values() if shown["namespace_id"] == namespace])

    @app.post(f"{PREFIX}/functions")
    def create_function() -> Response:
        new = NewFunction.model_validate(request.get_json())
        found(api.namespaces, new.namespace_id)
        if new.name in {other["name"] for other in api.functions.values()}:
            abort(409, "a function has this name")
        shown: dict[str, Any] = {
            "id": str(uuid4()),
            "status": "created",
            "domain_name": f"{new.name}.functions.example",
            "tags": [],
        }
        api.functions[shown["id"]], api.secrets[shown["id"]] = shown, {}
        return jsonify(change_function(shown, new))

    @app.patch(f"{PREFIX}/functions/<function>")
    def update_function(function: str) -> Response:
        body = request.get_json()
        if set(body) <= {"tags", "redeploy"}:
            # As the SDK changes tags alone; what is not in an update stays as it is.
            found(api.functions, function)["tags"] = TagsUpdate.model_validate(body).tags
            return jsonify(api.functions[function])
        return jsonify(change_function(found(api.functions, function), FunctionUpdate.model_validate(body)))

    def change_function(shown: dict[str, Any], change: FunctionUpdate) -> dict[str, Any]:
        secrets = api.secrets[shown["id"]]
        secrets |= {secret.key: secret.value or "" for secret in change.secret_environment_variables}
        for secret in change.secret_environment_variables:
            if secret.value is None:
                del secrets[secret.key]
        hashes = [{"key": key, "hashed_value": argon2id(value)} for key, value in secrets.items()]
        shown |= change.model_dump(exclude={"redeploy"}) | {"secret_environment_variables": hashes}
        return shown

    @app.get(f"{PREFIX}/functions/<function>")
    def get_function(function: str) -> Response:
        return jsonify(found(api.functions, function))


def add_functions_as_the_sdk_asks(app: Flask, api: FunctionsApi) -> None:
    @app.get(f"{PREFIX}/functions")
    def list_functions_of_namespace() -> Response:
        wanted = {name: request.args[name] for name in ("name", "namespace_id") if name in request.args}
        return page("functions", [shown for shown in api.functions.values() if wanted.items() <= shown.items()])

    @app.delete(f"{PREFIX}/functions/<function>")
    def delete_function(function: str) -> Response:
        if any(each["function_id"] == function for each in (*api.crons.values(), *api.triggers.values())):
            abort(412, "the function still has triggers")
        api.uploads.pop(function, None)
        api.deployed.pop(function, None)
        api.secrets.pop(function, None)
        found(api.functions, function)
        return jsonify(api.functions.pop(function))


def add_uploads(app: Flask, api: FunctionsApi) -> None:
    @app.get(f"{PREFIX}/functions/<function>/upload-url")
    def get_upload_url(function: str) -> Response:
        found(api.functions, function)
        return jsonify(url=f"{api.url}/uploads/{function}/{request.args['content_length']}")

    @app.put(f"{PREFIX}/uploads/<function>/<int:size_bytes>")
    def upload(function: str, size_bytes: int) -> str:
        if request.content_type != "application/octet-stream" or len(request.get_data()) != size_bytes:
            abort(403, "the signature is for another upload")
        api.uploads[function] = request.get_data()
        return ""

    @app.post(f"{PREFIX}/functions/<function>/deploy")
    def deploy_function(function: str) -> Response:
        shown = found(api.functions, function)
        if function not in api.uploads:
            abort(412, "there is no code")
        api.deployed[function] = api.uploads[function]
        shown["status"], shown["error_message"] = api.outcome
        return jsonify(shown)

    @app.get(f"{PREFIX}/domains")
    def list_domains() -> Response:
        return jsonify(domains=[])


def add_triggers(app: Flask, api: FunctionsApi) -> None:
    @app.get(f"{PREFIX}/crons")
    def list_crons() -> Response:
        return page("crons", of_function(api.crons))

    @app.post(f"{PREFIX}/crons")
    def create_cron() -> Response:
        return keep(api.crons, NewCron.model_validate(request.get_json()))

    @app.delete(f"{PREFIX}/crons/<cron>")
    def delete_cron(cron: str) -> Response:
        found(api.crons, cron)
        return jsonify(api.crons.pop(cron))

    @app.get(f"{PREFIX}/triggers")
    def list_triggers() -> Response:
        return page("triggers", of_function(api.triggers))

    @app.post(f"{PREFIX}/triggers")
    def create_trigger() -> Response:
        return keep(api.triggers, NewTrigger.model_validate(request.get_json()))

    @app.delete(f"{PREFIX}/triggers/<trigger>")
    def delete_trigger(trigger: str) -> Response:
        found(api.triggers, trigger)
        return jsonify(api.triggers.pop(trigger))

    def of_function(kept: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
        return [shown for shown in kept.values() if shown["function_id"] == request.args["function_id"]]

    def keep(kept: dict[str, dict[str, Any]], new: NewCron | NewTrigger) -> Response:
        found(api.functions, new.function_id)
        shown = new.model_dump() | {"id": str(uuid4())}
        kept[shown["id"]] = shown
        return jsonify(shown)
