"""The queue, and the queue of its dead letters, with credentials that live no longer than it takes to look at them."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError
from scaleway.mnq.v1beta1.types import SqsInfoStatus, SqsPermissions
from scaleway_core.api import ScalewayException

from deploy_tools.account.connection import Account, KeyPair
from deploy_tools.account.failures import DENIED_CODES, WRONG_KEY_CODES, code_of, explained, status_of
from deploy_tools.facts import (
    MAX_DELIVERIES,
    QUEUE_PERMISSIONS,
    dead_letter_attributes,
    queue_attributes,
    visibility_timeout_seconds,
)

NOT_FOUND: Final = 404
NO_QUEUE: Final = frozenset({"QueueDoesNotExist", "NonExistentQueue"})
DEAD_LETTERS_SUFFIX: Final = "-dead-letters"
# New credentials hold within seconds.
CREDENTIALS_WAIT_SECONDS: Final = 60
WAIT_SECONDS: Final = 2.0


@dataclass(frozen=True)
class Credentials:
    """Credentials of the account's queues, without their secret; `are_right`: they may do what they should."""

    id: str
    access_key: str
    are_right: bool


class Queues:
    """The queues of the function, by the name of the first."""

    def __init__(self, account: Account, name: str, *, timeout_seconds: int) -> None:
        self.name = name
        self._account = account
        dead_letters = f"{name}{DEAD_LETTERS_SUFFIX}"
        self._attributes: Mapping[str, Mapping[str, str]] = {
            dead_letters: dead_letter_attributes(timeout_seconds),
            name: queue_attributes(timeout_seconds),
        }
        self._dead_letters = dead_letters
        self._manager_name = f"{name}-setup"
        # The address of the first, once it has been made or found.
        self.url: str | None = None
        self.visibility_timeout = visibility_timeout_seconds(timeout_seconds)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of both queues."""
        return tuple(self._attributes)

    def is_active(self) -> bool:
        """Whether the project uses Scaleway Queues already; it costs nothing, and stays so when all else is removed."""
        with explained("look at Scaleway Queues", "queues"):
            try:
                status = self._account.queues.get_sqs_info().status
            except ScalewayException as error:
                if status_of(error) == NOT_FOUND:
                    return False
                raise
        return bool(status == SqsInfoStatus.ENABLED)

    def activate(self) -> None:
        """Have the project use Scaleway Queues."""
        with explained("turn on Scaleway Queues", "queues"):
            self._account.queues.activate_sqs(project_id=self._account.project_id)

    def credentials(self) -> list[Credentials]:
        """The function's credentials; more than one after an interruption."""
        return [
            Credentials(
                str(each.id),
                str(each.access_key),
                each.permissions is not None and vars(each.permissions) == dict(QUEUE_PERMISSIONS),
            )
            for each in self._listed(self.name)
        ]

    def new_credentials(self) -> KeyPair:
        """Credentials for the function."""
        with explained("make credentials of the queue", "queues"):
            made = self._create(self.name, SqsPermissions(**QUEUE_PERMISSIONS))
        return KeyPair(str(made.access_key), str(made.secret_key))

    def remove_credentials(self, identifier: str) -> None:
        """Remove credentials by their id."""
        with explained("remove credentials of the queue", "queues"):
            self._account.queues.delete_sqs_credentials(sqs_credentials_id=identifier)

    def make(self) -> Iterator[str]:
        """Make both queues what they should be; yields a line for each that is changed."""
        with self._manager() as sqs, explained("set up the queues", "queues"):
            target = None
            for name, wanted in self._attributes.items():
                redrive = {"deadLetterTargetArn": target, "maxReceiveCount": str(MAX_DELIVERIES)}
                attributes = dict(wanted) if target is None else {**wanted, "RedrivePolicy": json.dumps(redrive)}
                url = _url(sqs, name)
                if url is None:
                    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
                    yield f"made the queue {name}"
                elif changed := _different(_all_attributes(sqs, url), attributes):
                    sqs.set_queue_attributes(QueueUrl=url, Attributes=changed)
                    yield f"set {', '.join(changed)} of the queue {name}"
                target = _all_attributes(sqs, url)["QueueArn"]
                self.url = str(url)

    def remove(self) -> Iterator[str]:
        """Remove both queues, with the messages in them; yields a line for each."""
        with self._manager() as sqs, explained("remove the queues", "queues"):
            for name in reversed(self.names):
                if (url := _url(sqs, name)) is not None:
                    sqs.delete_queue(QueueUrl=url)
                    yield f"removed the queue {name}"

    def strays(self) -> list[str]:
        """The ids of credentials for looking at queues that an interrupted run left."""
        return [str(each.id) for each in self._listed(self._manager_name)]

    @contextmanager
    def _manager(self) -> Iterator[Any]:
        """A client that may make and remove queues, by credentials that are removed afterwards."""
        for identifier in self.strays():
            self.remove_credentials(identifier)
        with explained("make credentials for a look at the queues", "queues"):
            endpoint = self._account.queues.get_sqs_info().sqs_endpoint_url
            made = self._create(self._manager_name, SqsPermissions(can_manage=True))
        try:
            client = self._account.queue_client(str(endpoint), KeyPair(str(made.access_key), str(made.secret_key)))
            with explained("use the credentials that were made for a look at the queues", "queues"):
                _wait_until_taken(client)
            yield client
        finally:
            self.remove_credentials(str(made.id))

    def _create(self, name: str, permissions: SqsPermissions) -> Any:
        return self._account.queues.create_sqs_credentials(
            project_id=self._account.project_id, name=name, permissions=permissions
        )

    def _listed(self, name: str) -> list[Any]:
        with explained("list the credentials of queues", "queues"):
            try:
                listed = self._account.queues.list_sqs_credentials_all(project_id=self._account.project_id)
            except ScalewayException as error:
                if status_of(error) == NOT_FOUND:  # Queues are not turned on
                    return []
                raise
        return [each for each in listed if each.name == name]


def _url(sqs: Any, name: str) -> str | None:
    try:
        return str(sqs.get_queue_url(QueueName=name)["QueueUrl"])
    except ClientError as error:
        if code_of(error) in NO_QUEUE:
            return None
        raise


def _all_attributes(sqs: Any, url: str) -> dict[str, str]:
    return dict(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"])


def _different(present: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in wanted.items() if _value(present.get(name)) != _value(value)}


def _value(text: str | None) -> object:
    """An attribute as it can be compared: 4, "4" and JSON of either are one."""
    try:
        read = json.loads(text or "null")
    except ValueError:
        return text
    return {name: str(each) for name, each in read.items()} if isinstance(read, dict) else str(read)


def _wait_until_taken(sqs: Any) -> None:
    end = time.monotonic() + CREDENTIALS_WAIT_SECONDS
    while True:
        try:
            sqs.list_queues()
        except ClientError as error:
            if code_of(error) not in WRONG_KEY_CODES | DENIED_CODES or time.monotonic() > end:
                raise
            time.sleep(WAIT_SECONDS)
        else:
            return
