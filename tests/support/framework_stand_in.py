"""Deploys as the Serverless Framework with Scaleway's plugin does, request by request, where there is no Node.

What the real ones send is shown by the tests of `scripts/deploy`; this has the same requests in the same order.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import requests

from deploy_tools.configuration import Configuration
from deploy_tools.errors import DeploymentError

TIMEOUT_SECONDS = 30


def stand_in(archive: Path, config: Path, environment: Mapping[str, str], secrets: Sequence[str]) -> None:
    """Deploy `archive` as the file says; `secrets` are what the real one keeps out of its output."""
    assert environment["SCW_SECRET_KEY"] in secrets
    Deployment(environment, Configuration.read(config, environment)).deploy(archive.read_bytes())


class Deployment:
    def __init__(self, environment: Mapping[str, str], configuration: Configuration) -> None:
        self._url = environment["SCW_FUNCTION_URL"]
        self._headers = {"X-Auth-Token": environment["SCW_SECRET_KEY"]}
        self._project = environment["SCW_DEFAULT_PROJECT_ID"]
        self._region = configuration.region
        self._wanted = configuration

    def deploy(self, archive: bytes) -> None:
        namespace = self._namespace()
        function = self._function(namespace)
        upload = self._ask("GET", f"/functions/{function}/upload-url?content_length={len(archive)}")["url"]
        headers = {"Content-Type": "application/octet-stream"}
        self._check(requests.put(upload, data=archive, headers=headers, timeout=TIMEOUT_SECONDS))
        self._ask("POST", f"/functions/{function}/deploy", {})
        self._triggers(function)

    def _namespace(self) -> str:
        name = self._wanted.service
        listed = self._ask("GET", f"/namespaces?name={name}&project_id={self._project}")["namespaces"]
        if listed:
            return str(listed[0]["id"])
        body = {
            "name": name,
            "project_id": self._project,
            "environment_variables": {},
            "secret_environment_variables": [],
        }
        return str(self._ask("POST", "/namespaces", body)["id"])

    def _function(self, namespace: str) -> str:
        secrets = [{"key": name, "value": value} for name, value in self._wanted.secrets().items()]
        body = self._wanted.properties() | {"environment_variables": self._wanted.variables()}
        listed = self._ask("GET", f"/namespaces/{namespace}/functions")["functions"]
        if not listed:
            new = body | {"name": self._wanted.function_name, "namespace_id": namespace}
            return str(self._ask("POST", "/functions", new | {"secret_environment_variables": secrets})["id"])
        gone = {each["key"] for each in listed[0]["secret_environment_variables"]} - set(self._wanted.secrets())
        changed: list[Any] = [*secrets, *({"key": name, "value": None} for name in gone)]
        update = body | {"redeploy": False, "secret_environment_variables": changed}
        return str(self._ask("PATCH", f"/functions/{listed[0]['id']}", update)["id"])

    def _triggers(self, function: str) -> None:
        for kind in ("crons", "triggers"):
            for each in self._ask("GET", f"/{kind}?function_id={function}")[kind]:
                self._ask("DELETE", f"/{kind}/{each['id']}")
        for event in self._wanted.document["functions"][self._wanted.function_name]["events"]:
            if schedule := event.get("schedule"):
                body = {"schedule": schedule["rate"], "args": schedule["input"], "function_id": function}
                self._ask("POST", "/crons", body)
            else:
                queue = {"queue": event["sqs"]["queue"], "mnq_project_id": self._project, "mnq_region": self._region}
                self._ask(
                    "POST",
                    "/triggers",
                    {"name": event["sqs"]["name"], "scw_sqs_config": queue, "function_id": function},
                )

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        url = f"{self._url}{path}"
        return self._check(requests.request(method, url, headers=self._headers, json=body, timeout=TIMEOUT_SECONDS))

    def _check(self, answer: requests.Response) -> Any:
        if not answer.ok:
            raise DeploymentError("The deployment failed; what the framework said is above.")
        return answer.json() if answer.content else None
