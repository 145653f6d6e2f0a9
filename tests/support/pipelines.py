"""A bucket pipeline in an account of a test: set up, looked at, set up again, and removed, by the tools themselves."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from support.account_api import account_api
from support.account_state import AccountApi
from support.deployments import CONFIGURATION
from support.framework_stand_in import stand_in
from support.guarded_storage import GuardedStorage

from deploy_tools.pipeline import Order, Pipeline
from deploy_tools.removal import Removal

BUCKET, PREFIX = "recordings", "incoming/"


class World:
    """An account, its storage, and what somebody has in the environment who has this account."""

    def __init__(self, account: AccountApi, storage: GuardedStorage, archive: Path) -> None:
        self.account = account
        self.storage = storage
        self.archive = archive
        self.environment = {
            "SCW_SECRET_KEY": account.functions.token,
            "SCW_DEFAULT_PROJECT_ID": account.functions.project_id,
            "SCW_API_URL": account.url,
            "S3_ENDPOINT": storage.url,
        }

    def set_up(
        self, bucket: str = BUCKET, prefix: str = PREFIX, python: str | None = None, **variables: str
    ) -> list[str]:
        """Do what `scripts/deploy --bucket` does, with a stand-in for the framework; the plan's lines."""
        pipeline = self.pipeline(bucket, prefix, python, **variables)
        changes = list(pipeline.plan(self.archive))
        lines = [*(change.text for change in changes), *pipeline.describe(), *pipeline.costs()]
        for change in changes:
            change.make()
        list(pipeline.make_queues())
        pipeline.deploy(self.archive)
        return lines

    def plan(self, bucket: str = BUCKET, prefix: str = PREFIX, **variables: str) -> list[str]:
        """The lines of the plan alone."""
        pipeline = self.pipeline(bucket, prefix, **variables)
        return [*(change.text for change in pipeline.plan(self.archive)), *pipeline.describe(), *pipeline.costs()]

    def pipeline(
        self, bucket: str = BUCKET, prefix: str = PREFIX, python: str | None = None, **variables: str
    ) -> Pipeline:
        environment = self.environment | variables
        return Pipeline(Order(bucket, prefix, CONFIGURATION, python), environment, deploy=stand_in)

    def remove(self, bucket: str | None = None, **variables: str) -> list[str]:
        """Do what `scripts/deploy --remove` does; the plan's lines."""
        changes = list(Removal(bucket, CONFIGURATION, self.environment | variables).plan())
        for change in changes:
            change.make()
        return [change.text for change in changes]

    def person(self) -> Any:
        """A client of the storage with the key of the person who deploys."""
        return self.storage.client("s3", self.account.own_key(), self.account.functions.token)

    def function(self) -> tuple[dict[str, Any], dict[str, str]]:
        """The one function, and its secrets."""
        ((identifier, function),) = self.account.functions.functions.items()
        return function, self.account.functions.secrets[identifier]

    def snapshot(self) -> dict[str, Any]:
        """All that the account holds, without what differs from one account to the next: ids, keys, times."""
        account, api = self.account, self.account.functions
        names = {each["id"]: each["name"] for each in account.applications.values()}
        s3, sqs = self.storage.client("s3"), self.storage.client("sqs")
        buckets = [each["Name"] for each in s3.list_buckets()["Buckets"]]
        shown = {
            "applications": sorted((each["name"], each["tags"]) for each in account.applications.values()),
            "policies": sorted((each["name"], names[each["application_id"]]) for each in account.policies.values()),
            "rights": sorted(
                (tuple(rule["permission_set_names"]), rule["project_ids"] == [api.project_id])
                for rules in account.rules.values()
                for rule in rules
            ),
            "keys": sorted(names.get(each["application_id"], "person") for each in account.api_keys.values()),
            "credentials": sorted(
                (each["name"], *each["permissions"].values()) for each in account.credentials.values()
            ),
            "queues": {path_of(url): attributes_of(sqs, url) for url in sqs.list_queues().get("QueueUrls", [])},
            "buckets": {name: rules_of(s3, name) for name in buckets},
            "namespaces": [each["name"] for each in api.namespaces.values()],
            "functions": [without_ids(each) for each in api.functions.values()],
            "secrets": [sorted(each) for each in api.secrets.values()],
            "crons": [without_ids(each) for each in api.crons.values()],
            "triggers": [without_ids(each) for each in api.triggers.values()],
            "code": [handler_of(code) for code in api.deployed.values()],
        }
        return deepcopy(shown)


@contextmanager
def world(storage: GuardedStorage, archive: Path, project_id: str | None = None) -> Iterator[World]:
    """A new account in front of `storage`."""
    project = project_id or str(uuid4())
    with account_api(token=str(uuid4()), project_id=project, storage_url=storage.url) as account:
        storage.account = account
        yield World(account, storage, archive)
        storage.account = None


def handler_of(archive: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return opened.read("handler.py")


def without_ids(shown: dict[str, Any]) -> dict[str, Any]:
    left_out = {"id", "function_id", "namespace_id", "secret_environment_variables", "tags"}
    return {name: value for name, value in shown.items() if name not in left_out}


def path_of(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]


def attributes_of(sqs: Any, url: str) -> dict[str, str]:
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    kept = ("VisibilityTimeout", "MessageRetentionPeriod", "MaximumMessageSize", "RedrivePolicy")
    return {name: attributes[name] for name in kept if name in attributes}


def rules_of(s3: Any, bucket: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind, ask, field in (
        ("cors", s3.get_bucket_cors, "CORSRules"),
        ("lifecycle", s3.get_bucket_lifecycle_configuration, "Rules"),
    ):
        try:
            found[kind] = ask(Bucket=bucket)[field]
        except s3.exceptions.ClientError:
            found[kind] = []
    return found
