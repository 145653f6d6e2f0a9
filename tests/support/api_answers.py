"""What the account's APIs on loopback share: pages of lists, things that are not there, and hashes of secrets."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from flask import Response, abort, jsonify, request
from pydantic import TypeAdapter
from werkzeug.serving import WSGIRequestHandler


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 # its name in the base class
        """A line for each request is for terminals."""


def page(name: str, listed: list[dict[str, Any]]) -> Response:
    """A list, whole on its first page, as large as ours are."""
    first = request.args.get("page", "1") == "1"
    return jsonify({name: listed if first else [], "total_count": len(listed)})


def found(kept: Mapping[str, dict[str, Any]], identifier: str) -> dict[str, Any]:
    return kept[identifier] if identifier in kept else abort(404, "there is no such thing")


def argon2id(value: str) -> str:
    """A hash with a salt of its own; the smallest costs that the algorithm has, since nothing depends on them."""
    return Argon2id(salt=os.urandom(16), length=32, iterations=1, lanes=1, memory_cost=8).derive_phc_encoded(
        value.encode()
    )


def body_of(kind: type, *, in_path: str = "") -> dict[str, Any]:
    """The body, held against the SDK's type of such a request; of what is not sent, the type's defaults."""
    sent = request.get_json()
    known = {each.name for each in fields(kind)} - {"region", in_path}
    if unknown := set(sent) - known:
        abort(400, f"unknown fields: {sorted(unknown)}")
    given = TypeAdapter(dict[str, Any]).validate_python(sent)
    checked: Any = TypeAdapter(kind).validate_python({**given, **({in_path: ""} if in_path else {})}, strict=False)
    return {name: value for name, value in asdict(checked).items() if name in sent}


def new_access_key() -> str:
    return "SCW" + secrets.token_hex(9).upper()[:17]
