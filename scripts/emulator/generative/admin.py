"""The emulator's own endpoints, for people and tests on this machine: faults, models, quota, and received requests."""

from dataclasses import asdict
from ipaddress import ip_address
from typing import Annotated

from flask import Blueprint, Response, jsonify, request
from pydantic import Field, TypeAdapter

from emulator.generative.errors import ApiError
from emulator.generative.faults import Fault
from emulator.generative.intake import Apis

PREFIX = "/_emulator"
NO_CONTENT = 204

MODEL_NAMES = TypeAdapter(list[Annotated[str, Field(min_length=1)]])


def admin_blueprint(apis: Apis) -> Blueprint:
    """The routes under `/_emulator/`; requests of other machines are refused (403)."""
    blueprint = Blueprint("admin", __name__, url_prefix=PREFIX)

    @blueprint.before_request
    def refuse_other_machines() -> None:
        if not ip_address(request.remote_addr or "0.0.0.0").is_loopback:  # noqa: S104 # refused, not listened on
            raise ApiError(403, "Only this machine may do that")

    @blueprint.post("/faults")
    def add_fault() -> Response:
        apis.faults.add(Fault.model_validate_json(request.get_data()))
        return Response(status=NO_CONTENT)

    @blueprint.delete("/faults")
    def clear_faults() -> Response:
        apis.faults.clear()
        return Response(status=NO_CONTENT)

    @blueprint.get("/requests")
    def list_requests() -> Response:
        return jsonify(apis.received.as_json())

    @blueprint.delete("/requests")
    def clear_requests() -> Response:
        apis.received.clear()
        return Response(status=NO_CONTENT)

    _add_quota_routes(blueprint, apis)

    @blueprint.get("/models")
    def list_models() -> Response:
        return jsonify(apis.models.names())

    @blueprint.put("/models")
    def replace_models() -> Response:
        apis.models.replace(MODEL_NAMES.validate_json(request.get_data(), strict=True))
        return jsonify(apis.models.names())

    @blueprint.delete("/models")
    def default_models() -> Response:
        apis.models.replace()
        return jsonify(apis.models.names())

    return blueprint


def _add_quota_routes(blueprint: Blueprint, apis: Apis) -> None:
    @blueprint.get("/quota")
    def quota() -> Response:
        return jsonify(asdict(apis.quota.state()))

    @blueprint.get("/quota/events")
    def quota_events() -> Response:
        return jsonify(apis.quota.events())

    @blueprint.delete("/quota")
    def clear_quota() -> Response:
        apis.quota.clear()
        return Response(status=NO_CONTENT)
