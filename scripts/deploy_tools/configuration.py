"""serverless.yml as `scripts/deploy --bucket` needs it: its values for an environment, and itself with triggers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from build_archive.job import BYTECODE_NUMBERS, DEFAULT_PYTHON, python_of, runtime_of
from deploy_tools.errors import DeploymentError
from deploy_tools.facts import SCHEDULE

# The one form in which the file takes values from the environment: ${env:NAME}, or ${env:NAME, 'default'}.
_FROM_ENVIRONMENT: Final = re.compile(r"\$\{env:(\w+)(?:, *'([^']*)')?\}")

# The properties of a function in the file, and their names in the API.
API_NAMES: Final[Mapping[str, str]] = {
    "handler": "handler",
    "description": "description",
    "memoryLimit": "memory_limit",
    "minScale": "min_scale",
    "maxScale": "max_scale",
    "timeout": "timeout",
    "sandbox": "sandbox",
    "privacy": "privacy",
    "httpOption": "http_option",
}


@dataclass(frozen=True)
class Triggers:
    """What starts the function: a sweep of a bucket's `prefix` every five minutes and, where there is one, a queue."""

    bucket: str
    prefix: str
    queue: str | None

    @property
    def sweep(self) -> dict[str, Any]:
        """What the schedule sends."""
        prefix = {"prefix": self.prefix} if self.prefix else {}
        return {"sweep": {"bucket": self.bucket, **prefix}}

    @property
    def events(self) -> list[dict[str, Any]]:
        """The triggers as the file has them."""
        schedule = {"schedule": {"rate": SCHEDULE, "input": self.sweep}}
        return [schedule, *([{"sqs": {"name": self.queue, "queue": self.queue}}] if self.queue else [])]


@dataclass(frozen=True)
class Configuration:
    """A serverless.yml with one function."""

    path: Path
    document: Mapping[str, Any]
    environment: Mapping[str, str]

    @classmethod
    def read(cls, path: Path, environment: Mapping[str, str], python: str | None = None) -> "Configuration":
        """The file at `path`, with the values of `environment` and the runtime of that `python`, if one is named.

        `DeploymentError` where it is not of that form.
        """
        try:
            document = yaml.safe_load(path.read_text())
            functions = document["functions"]
            if python is not None:
                document["provider"]["runtime"] = runtime_of(python)
            is_readable = len(functions) == 1 and re.fullmatch(r"\d+s", next(iter(functions.values()))["timeout"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
            raise DeploymentError(f"{path}: cannot be read as a serverless.yml ({error}).") from error
        if not is_readable:
            raise DeploymentError(f"{path}: has to have one function, with a timeout such as 900s.")
        if python_of(str(document["provider"].get("runtime"))) is None:
            runtimes = ", ".join(map(runtime_of, BYTECODE_NUMBERS))
            raise DeploymentError(f"{path}: the provider's runtime has to be one of {runtimes}.")
        return cls(path, document, environment)

    @property
    def python(self) -> str:
        """The Python of the runtime, which the archive is for."""
        return python_of(str(self.document["provider"]["runtime"])) or DEFAULT_PYTHON

    @property
    def text(self) -> str:
        """The file, with the runtime that it was read with."""
        return yaml.safe_dump(self.document, sort_keys=False)

    @property
    def service(self) -> str:
        """The name of the namespace."""
        return str(self.document["service"])

    @property
    def function_name(self) -> str:
        """The name of the function."""
        return str(next(iter(self.document["functions"])))

    @property
    def region(self) -> str:
        """The region that the function is deployed to."""
        return self._value(self.document["provider"]["scwRegion"])

    @property
    def timeout_seconds(self) -> int:
        """The function's own time limit."""
        return int(self._function["timeout"].removesuffix("s"))

    def properties(self) -> dict[str, Any]:
        """The function's properties under the names of the API."""
        named = {API_NAMES[name]: value for name, value in self._function.items() if name in API_NAMES}
        return named | {"runtime": self.document["provider"]["runtime"]}

    def variables(self) -> dict[str, str]:
        """The function's plain variables; one that is empty is not sent, and so is not there."""
        return self._values("env")

    def secrets(self) -> dict[str, str]:
        """The function's secrets that are set."""
        return self._values("secret")

    def variable(self, name: str) -> str:
        """The value of a plain variable; "" where it has none."""
        return self.variables().get(name, "")

    def with_triggers(self, triggers: Triggers) -> str:
        """The text of the same file with `triggers` on."""
        function = {**self._function, "events": triggers.events}
        return yaml.safe_dump({**self.document, "functions": {self.function_name: function}}, sort_keys=False)

    @property
    def _function(self) -> Mapping[str, Any]:
        function: Mapping[str, Any] = self.document["functions"][self.function_name]
        return function

    def _values(self, kind: str) -> dict[str, str]:
        values = {name: self._value(value) for name, value in self._function.get(kind, {}).items()}
        return {name: value for name, value in values.items() if value.strip()}

    def _value(self, text: str) -> str:
        return _FROM_ENVIRONMENT.sub(lambda match: self.environment.get(match[1]) or match[2] or "", str(text))
