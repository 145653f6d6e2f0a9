"""Keys that are made for the function: where each comes from, which one it has, and which are left over."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from deploy_tools.account.applications import Application
from deploy_tools.account.connection import KeyPair
from deploy_tools.account.function import API_TAG, QUEUE_TAG, STORAGE_TAG, Function
from deploy_tools.account.queues import Queues


class KeyIssuer(Protocol):
    """What makes keys of one kind, lists them by their access keys, and removes them."""

    def access_keys(self) -> list[str]:
        """The access keys that there are."""

    def new_key(self) -> KeyPair:
        """A new key, whose secret is shown this once."""

    def remove_key(self, access_key: str) -> None:
        """Remove a key."""


class QueueKeys:
    """The queue's credentials as keys; those that may do other things than they should do not count as there."""

    def __init__(self, queues: Queues) -> None:
        self._queues = queues

    def access_keys(self) -> list[str]:
        """The access keys that there are."""
        return [each.access_key for each in self._queues.credentials()]

    def wrong_keys(self) -> list[str]:
        """Those of them with other permissions."""
        return [each.access_key for each in self._queues.credentials() if not each.are_right]

    def new_key(self) -> KeyPair:
        """New credentials."""
        return self._queues.new_credentials()

    def remove_key(self, access_key: str) -> None:
        """Remove credentials."""
        for each in self._queues.credentials():
            if each.access_key == access_key:
                self._queues.remove_credentials(each.id)


@dataclass(frozen=True)
class FunctionKey:
    """One key of the function: the variables that hold it, and the tag by which the function says which one it has.

    `access_variable` is None where the function needs no access key.
    """

    tag: str
    issuer: KeyIssuer
    access_variable: str | None
    secret_variable: str

    def variables(self, pair: KeyPair) -> dict[str, str]:
        """The secrets that give `pair` to the function."""
        access = {self.access_variable: pair.access_key} if self.access_variable else {}
        return {**access, self.secret_variable: pair.secret_key}

    def current(self, function: Function) -> str | None:
        """The access key of the key that the function has; None where it has none that is still there."""
        return next((key for key in self.issuer.access_keys() if function.is_given(self.tag, key)), None)

    def known(self, function: Function) -> dict[str, str]:
        """The secrets whose values can be told: the access key, not its secret."""
        current = self.current(function)
        return {self.access_variable: current} if self.access_variable and current else {}

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that hold the key."""
        return (*([self.access_variable] if self.access_variable else []), self.secret_variable)

    def left_over(self, function: Function) -> list[str]:
        """The access keys of those that the function does not have."""
        return [key for key in self.issuer.access_keys() if not function.is_given(self.tag, key)]


def storage_key(application: Application) -> FunctionKey:
    """The key for Object Storage."""
    return FunctionKey(STORAGE_TAG, application, "S3_ACCESS_KEY", "S3_SECRET_KEY")


def api_key(application: Application) -> FunctionKey:
    """The key for the Generative APIs."""
    return FunctionKey(API_TAG, application, None, "GENERATIVE_API_KEY")


def queue_key(queues: Queues) -> FunctionKey:
    """The key for the queue."""
    return FunctionKey(QUEUE_TAG, QueueKeys(queues), "QUEUE_ACCESS_KEY", "QUEUE_SECRET_KEY")


def all_variables(keys: Mapping[FunctionKey, KeyPair]) -> dict[str, str]:
    """The secrets that give all `keys` to the function."""
    return {name: value for key, pair in keys.items() for name, value in key.variables(pair).items()}
