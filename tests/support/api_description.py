"""Holds requests and answers against the function's own OpenAPI document."""

import json
import re
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator


class ApiDescription:
    """The document of a function."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document

    def schema(self, name: str) -> Draft202012Validator:
        """What checks values by a schema of the document."""
        return self._validator({"$ref": f"#/components/schemas/{name}"})

    def check_answer(self, method: str, path: str, answer: Mapping[str, Any]) -> None:
        """Fail unless the document has this answer of `method` at `path`: its status, its headers, its body."""
        status = str(answer["statusCode"])
        responses = self.document["paths"][self._template(path)][method]["responses"]
        assert status in responses, (method, path, status)
        response = responses[status]
        content_type = answer["headers"]["Content-Type"]
        assert content_type in response["content"], (method, path, status, content_type)
        schema = response["content"][content_type]["schema"]
        is_json = content_type == "application/json"
        self._validator(schema).validate(json.loads(answer["body"]) if is_json else answer["body"])
        for name, header in response.get("headers", {}).items():
            if name in answer["headers"] and header["schema"] != {"type": "string"}:
                self._validator(header["schema"]).validate(json.loads(answer["headers"][name]))

    def _template(self, path: str) -> str:
        """The path of the document that `path` is one of."""
        patterns: dict[str, str] = {
            each: re.sub(r"\\{\w+\\}", "[^/]+", re.escape(each)) for each in self.document["paths"]
        }
        return next(each for each, pattern in patterns.items() if re.fullmatch(pattern, path))

    def _validator(self, schema: Mapping[str, Any]) -> Draft202012Validator:
        # References in the document begin at its root.
        return Draft202012Validator({**schema, "components": self.document["components"]})
