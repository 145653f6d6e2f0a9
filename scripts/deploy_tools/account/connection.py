"""Connections to the account: Scaleway's APIs by the official SDK, Object Storage and Queues by boto3."""

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Any, Final

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import ClientError
from scaleway import Client
from scaleway.account.v3 import AccountV3ProjectAPI
from scaleway.function.v1beta1 import FunctionV1Beta1API
from scaleway.iam.v1alpha1 import IamV1Alpha1API
from scaleway.mnq.v1beta1 import MnqV1Beta1SqsAPI

from deploy_tools.account.failures import WRONG_KEY_CODES, code_of, explained
from deploy_tools.errors import DeploymentError
from deploy_tools.facts import QUEUE_REGIONS

DEFAULT_API_URL: Final = "https://api.scaleway.com"
TIMEOUT_SECONDS: Final = 30
# With more keys than this in an organization, the key's own name has to be set.
MAX_KEYS_TRIED: Final = 100


@dataclass(frozen=True)
class KeyPair:
    """An access key, and its secret, which is not shown."""

    access_key: str
    secret_key: str = field(repr=False)


class Account:
    """The account of `SCW_SECRET_KEY`, in one project and region."""

    def __init__(self, environment: Mapping[str, str], *, region: str) -> None:
        self.region = region
        self.project_id = environment["SCW_DEFAULT_PROJECT_ID"]
        self.storage_url = environment.get("S3_ENDPOINT") or f"https://s3.{region}.scw.cloud"
        self._secret_key = environment["SCW_SECRET_KEY"]
        self._access_key = environment.get("SCW_ACCESS_KEY")
        self._organization_id = environment.get("SCW_DEFAULT_ORGANIZATION_ID")
        client = Client(
            secret_key=self._secret_key,
            default_project_id=self.project_id,
            default_region=region,
            api_url=(environment.get("SCW_API_URL") or DEFAULT_API_URL).rstrip("/"),
        )
        # The SDK would insist on an access key, which Scaleway's APIs do not need.
        self.functions = FunctionV1Beta1API(client, bypass_validation=True)
        self.iam = IamV1Alpha1API(client, bypass_validation=True)
        self.queues = MnqV1Beta1SqsAPI(client, bypass_validation=True)
        self._projects = AccountV3ProjectAPI(client, bypass_validation=True)

    @property
    def has_queues(self) -> bool:
        """Whether the region has Scaleway Queues."""
        return self.region in QUEUE_REGIONS

    @cached_property
    def organization_id(self) -> str:
        """The organization of the project, which applications and policies belong to."""
        if self._organization_id:
            return self._organization_id
        with explained("look up the project of SCW_DEFAULT_PROJECT_ID", "project"):
            return str(self._projects.get_project(project_id=self.project_id).organization_id)

    @cached_property
    def storage(self) -> Any:
        """A client of Object Storage with the key of the person who deploys, in the project."""
        return _client("s3", self.storage_url, self.region, self._own_key)

    def queue_client(self, url: str, key: KeyPair) -> Any:
        """A client of the queues at `url`."""
        return _client("sqs", url, self.region, key)

    @cached_property
    def _own_key(self) -> KeyPair:
        """The key pair of `SCW_SECRET_KEY`: its access key by `SCW_ACCESS_KEY`, or whichever fits.

        No API names the access key of a secret key. So the storage is asked who signs, with each access key of the
        organization; the secret itself is not sent.
        """
        candidates = [self._access_key] if self._access_key else list(self._access_keys())
        for access_key in candidates[:MAX_KEYS_TRIED]:
            key = KeyPair(access_key, self._secret_key)
            try:
                with explained("ask Object Storage", "storage"):
                    _list_buckets(_client("s3", self.storage_url, self.region, key))
            except _NotTheKeyError:
                continue
            return self._in_project(key)
        raise DeploymentError(
            "SCW_ACCESS_KEY: set it; Object Storage needs it. It is shown beside SCW_SECRET_KEY in the console, and "
            "begins with SCW. None of the access keys that the account lists belongs to SCW_SECRET_KEY."
        )

    def _access_keys(self) -> Iterator[str]:
        with explained("list the API keys, to find the access key of SCW_SECRET_KEY", "iam"):
            keys = self.iam.list_api_keys_all(organization_id=self.organization_id)
        now = datetime.now(UTC)
        # Keys of applications that this command makes are for the function; the newest are the likeliest.
        for key in reversed(keys):
            if key.expires_at is None or key.expires_at > now:
                yield str(key.access_key)

    def _in_project(self, key: KeyPair) -> KeyPair:
        """`key`, made to mean this project where it usually means another one: `<access key>@<project>`."""
        with explained("look up the API key of SCW_SECRET_KEY", "iam"):
            found = self.iam.get_api_key(access_key=key.access_key)
        if found.default_project_id in {self.project_id, None}:
            return key
        return KeyPair(f"{key.access_key}@{self.project_id}", key.secret_key)


class _NotTheKeyError(Exception):
    """The access key is that of another secret."""


def _list_buckets(storage: Any) -> None:
    try:
        storage.list_buckets()
    except ClientError as error:
        if code_of(error) in WRONG_KEY_CODES:
            raise _NotTheKeyError from None
        # A right that is missing here is reported where it is needed: the signature was the one that was expected.


@cache
def _session() -> Session:
    """One for all clients: each would read the descriptions of the services again."""
    return Session()


def _client(service: str, url: str, region: str, key: KeyPair) -> Any:
    client = _session().client(
        service,
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=key.access_key,
        aws_secret_access_key=key.secret_key,
        config=Config(
            connect_timeout=TIMEOUT_SECONDS,
            read_timeout=TIMEOUT_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 4},
            s3={"addressing_style": "path"},
            # The newer checksums are Amazon's alone; the hook below adds the one that each storage knows.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
    if service == "s3":
        client.meta.events.register("before-sign.s3", _add_md5)
    return client


def _add_md5(request: Any, **_: Any) -> None:
    """Add the Content-MD5 that S3 asks for where a body replaces rules, or names what is deleted."""
    if request.body and re.search(r"[?&](cors|lifecycle|delete)\b", request.url):
        digest = hashlib.md5(request.body, usedforsecurity=False).digest()
        request.headers["Content-MD5"] = base64.b64encode(digest).decode()
