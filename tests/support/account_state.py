"""What an account of a test holds, and how far a run is let before it is interrupted."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from support.functions_api import FunctionsApi

ORGANIZATION_ID = str(uuid4())
# An interruption: every request after it is refused with this status, until the account is told to go on.
INTERRUPTED = 400


@dataclass
class AccountApi:
    """What the account holds beside its functions; keys are by their access keys, the rest by their ids."""

    functions: FunctionsApi
    storage_url: str
    url: str = ""
    applications: dict[str, dict[str, Any]] = field(default_factory=dict)
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)
    rules: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    api_keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    credentials: dict[str, dict[str, Any]] = field(default_factory=dict)
    # The secret of each access key, of both kinds.
    secret_keys: dict[str, str] = field(default_factory=dict)
    is_sqs_active: bool = False
    regions: set[str] = field(default_factory=set)
    # How many changes are still made before the interruption; and whether the last of them is made unheard.
    changes_left: int | None = None
    is_answer_lost: bool = False
    changes: int = 0

    def own_key(self) -> str:
        """The access key of the person who deploys."""
        return next(name for name, secret in self.secret_keys.items() if secret == self.functions.token)

    def rights_of(self, access_key: str) -> set[str] | None:
        """The permission sets of the key of an application; None for the key of a person, who may do all."""
        application = self.api_keys[access_key]["application_id"]
        if application is None:
            return None
        policies = [each["id"] for each in self.policies.values() if each["application_id"] == application]
        return {name for each in policies for rule in self.rules[each] for name in rule["permission_set_names"]}

    def is_interrupted_by(self, method: str) -> bool:
        """Whether this request is one too many; counts changes."""
        if self.changes_left is None or method in {"GET", "HEAD"}:
            return self.changes_left == -1
        if self.changes_left <= 0:
            self.changes_left = -1
            return True
        self.changes_left -= 1
        return False

    def is_answer_lost_of(self, method: str) -> bool:
        """Whether this change was the last one, and its answer does not arrive."""
        if self.is_answer_lost and self.changes_left == 0 and method not in {"GET", "HEAD"}:
            self.changes_left = -1
            return True
        return False

    def go_on(self) -> None:
        """End the interruption."""
        self.changes_left = None
        self.is_answer_lost = False
