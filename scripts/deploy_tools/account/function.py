"""The function that is deployed: whether it is what it should be, and how it is taken away."""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from deploy_tools.account.change import Change
from deploy_tools.account.connection import Account
from deploy_tools.account.failures import explained
from deploy_tools.configuration import Triggers
from deploy_tools.errors import DeploymentError
from deploy_tools.facts import SCHEDULE

READY: Final = "ready"
# Tags of the function: which archive it runs, and which keys it has been given, by digests that are no keys.
ARCHIVE_TAG: Final = "archive"
STORAGE_TAG: Final = "storage-key"
API_TAG: Final = "api-key"
QUEUE_TAG: Final = "queue-key"
TAGS: Final = (ARCHIVE_TAG, STORAGE_TAG, API_TAG, QUEUE_TAG)
_DIGEST_LENGTH: Final = 32
# Removing a function takes the platform seconds.
REMOVAL_WAIT_SECONDS: Final = 120
WAIT_SECONDS: Final = 1.0


@dataclass(frozen=True)
class Wanted:
    """What the function should be.

    `secrets` are those whose values are known; of the secrets in `made`, each service's access key is (a name such as
    `S3_ACCESS_KEY`, and `None` for one that is in no secret), while their values were given to the function alone.
    """

    properties: Mapping[str, Any]
    variables: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    made: Sequence[str]
    triggers: Triggers
    archive_digest: str


class Function:
    """The function `name` in the namespace `service`."""

    def __init__(self, account: Account, service: str, name: str) -> None:
        self.name = name
        self.service = service
        self._account = account
        self._namespace: Any = None
        self._function: Any = None
        self._crons: list[Any] = []
        self._triggers: list[Any] = []

    def look(self) -> bool:
        """Look for the function and what starts it; whether there is one."""
        api, project = self._account.functions, self._account.project_id
        self._function, self._crons, self._triggers = None, [], []
        with explained("look for the function", "functions"):
            spaces = api.list_namespaces_all(name=self.service, project_id=project)
            self._namespace = next((each for each in spaces if each.name == self.service), None)
            if self._namespace is None:
                return False
            listed = api.list_functions_all(namespace_id=self._namespace.id, name=self.name)
            self._function = next((each for each in listed if each.name == self.name), None)
            if self._function is None:
                return False
            self._crons = api.list_crons_all(function_id=self._function.id)
            self._triggers = api.list_triggers_all(function_id=self._function.id)
        return True

    @property
    def exists(self) -> bool:
        """Whether there is one."""
        return self._function is not None

    @property
    def is_of_pipeline(self) -> bool:
        """Whether `--bucket` gave it a key for the storage."""
        return self.exists and any(tag.startswith(f"{STORAGE_TAG}=") for tag in self._function.tags)

    def has_bucket(self, bucket: str) -> bool:
        """Whether it has been told to keep transcripts in `bucket`."""
        return self.exists and self._function.environment_variables.get("OUTPUT_BUCKET") == bucket

    def queue_url(self, name: str) -> str | None:
        """The address that the function has of the queue `name`."""
        url = "" if self._function is None else str(self._function.environment_variables.get("QUEUE_URL", ""))
        return url if url.endswith(f"/{name}") else None

    @property
    def url(self) -> str:
        """Where the function answers."""
        return f"https://{self._function.domain_name}"

    @property
    def swept_bucket(self) -> str | None:
        """The bucket that the schedule sweeps; None without one."""
        sweeps = ((cron.args or {}).get("sweep") or {} for cron in self._crons)
        return next((str(sweep["bucket"]) for sweep in sweeps if "bucket" in sweep), None)

    def differences(self, wanted: Wanted) -> list[str]:
        """Why the function has to be deployed; nothing where it is what is `wanted`."""
        if self._function is None:
            return ["there is none yet"]
        return list(self._differences(wanted))

    def is_given(self, name: str, access_key: str) -> bool:
        """Whether the function has the key of this access key, as the tag `name` says."""
        return self._function is not None and _tag(name, access_key) in self._function.tags

    def note(self, archive_digest: str, access_keys: Mapping[str, str]) -> None:
        """Tag the function with what it runs and was given, once that is so."""
        others = [tag for tag in self._function.tags if not tag.startswith(tuple(f"{name}=" for name in TAGS))]
        tags = [_tag(ARCHIVE_TAG, archive_digest), *(_tag(name, key) for name, key in access_keys.items())]
        with explained("tag the function", "functions"):
            self._function = self._account.functions.update_function(
                function_id=self._function.id, tags=[*others, *tags], redeploy=False
            )

    def plan_removal(self) -> Iterator[Change]:
        """What there is to take away, so that nothing starts what is being removed; `look` comes before."""
        api = self._account.functions
        for cron in self._crons:
            yield Change(
                "remove the schedule", partial(self._asked, "remove the schedule", api.delete_cron, cron_id=cron.id)
            )
        for trigger in self._triggers:
            text = f"remove the trigger {trigger.name}"
            yield Change(text, partial(self._asked, text, api.delete_trigger, trigger_id=trigger.id))
        if self._function is not None:
            yield Change(f"remove the function {self.name}", self._remove_function)

    def plan_removal_of_namespace(self) -> Iterator[Change]:
        """The namespace, which goes only if nothing else is in it; `look` comes before."""
        if self._namespace is not None:
            yield Change(f"remove the namespace {self.service}, if no other function is in it", self._remove_namespace)

    def _differences(self, wanted: Wanted) -> Iterator[str]:
        found = self._function
        if found.status != READY:
            yield f"it is in the state {found.status}"
        if _tag(ARCHIVE_TAG, wanted.archive_digest) not in found.tags:
            yield "its code is another"
        if changed := sorted(name for name, value in wanted.properties.items() if getattr(found, name) != value):
            yield f"{', '.join(changed)} differ"
        variables = dict(found.environment_variables)
        if changed := sorted(
            name for name in {*variables, *wanted.variables} if variables.get(name) != wanted.variables.get(name)
        ):
            yield f"{', '.join(changed)} differ"
        hashes = {str(each.key): str(each.hashed_value) for each in found.secret_environment_variables}
        names = {*wanted.secrets, *wanted.made}
        differ = {name for name, value in wanted.secrets.items() if not _is_hash_of(hashes.get(name, ""), value)}
        if changed := sorted(differ | (names ^ set(hashes))):
            yield f"the secrets {', '.join(changed)} differ"
        if [(cron.schedule, cron.args) for cron in self._crons] != [(SCHEDULE, wanted.triggers.sweep)]:
            yield "the schedule is not there, or another"
        expected = [(wanted.triggers.queue, self._account.project_id, self._account.region)]
        if [_queue_of(trigger) for trigger in self._triggers] != (expected if wanted.triggers.queue else []):
            yield "the queue's trigger is not there, or another"

    def _remove_function(self) -> None:
        identifier = self._function.id
        self._asked("remove the function", self._account.functions.delete_function, function_id=identifier)
        end = time.monotonic() + REMOVAL_WAIT_SECONDS
        while identifier in {each.id for each in self._all_functions()}:
            if time.monotonic() > end:
                raise DeploymentError("The function is still being removed. Run the command again in some minutes.")
            time.sleep(WAIT_SECONDS)

    def _remove_namespace(self) -> None:
        if self._all_functions():
            print(f"  The namespace {self.service} stays, with the other functions in it.")
            return
        delete = self._account.functions.delete_namespace
        self._asked("remove the namespace", delete, namespace_id=self._namespace.id)

    def _all_functions(self) -> list[Any]:
        with explained("list the functions", "functions"):
            return list(self._account.functions.list_functions_all(namespace_id=self._namespace.id))

    def _asked(self, doing: str, ask: Callable[..., object], **arguments: str) -> None:
        with explained(doing, "functions"):
            ask(**arguments)


def _queue_of(trigger: Any) -> tuple[str, str, str] | None:
    config = trigger.scw_sqs_config
    return None if config is None else (config.queue, config.mnq_project_id, config.mnq_region)


def _tag(name: str, value: str) -> str:
    return f"{name}={hashlib.sha256(value.encode()).hexdigest()[:_DIGEST_LENGTH]}"


def _is_hash_of(hashed: str, value: str) -> bool:
    try:
        return PasswordHasher().verify(hashed, value)
    except (Argon2Error, InvalidHashError):
        return False
