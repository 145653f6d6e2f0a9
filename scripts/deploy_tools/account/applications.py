"""An IAM application of the function: who it is to one service, with a policy of exactly the rights that it uses."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from scaleway.iam.v1alpha1.types import RuleSpecs

from deploy_tools.account.change import Change
from deploy_tools.account.connection import Account, KeyPair
from deploy_tools.account.failures import explained
from deploy_tools.errors import DeploymentError

# Marks what is ours; an application of the same name without it is left alone.
TAG: Final = "made-by-scripts-deploy"
DESCRIPTION: Final = "The transcriber's function. Made and changed by scripts/deploy."


class Application:
    """The application `name`, which may do what `rights` say in the project; notes are kept as its tags."""

    def __init__(self, account: Account, name: str, rights: Sequence[str]) -> None:
        self.name = name
        self._account = account
        self._rights = tuple(rights)
        self._wanted_notes: dict[str, str] = {}
        self._found: Any = None
        self._policy: Any = None

    def look(self) -> bool:
        """Look for the application and its policy; whether there is one."""
        with explained("look for the function's IAM application", "iam"):
            organization = self._account.organization_id
            listed = self._account.iam.list_applications_all(organization_id=organization, name=self.name)
            named = [each for each in listed if each.name == self.name]  # the API's filter is a search
            if named and not any(TAG in each.tags for each in named):
                raise DeploymentError(
                    f"There is an IAM application {self.name} that scripts/deploy did not make. Rename or remove it."
                )
            self._found = next((each for each in named if TAG in each.tags), None)
            self._policy = None
            if self._found is not None:
                policies = self._account.iam.list_policies_all(
                    organization_id=organization, application_ids=[self._found.id]
                )
                self._policy = next((each for each in policies if each.name == self.name), None)
        return self._found is not None

    @property
    def notes(self) -> dict[str, str]:
        """What the tags of the application say, by name."""
        tags = [] if self._found is None else [str(tag) for tag in self._found.tags]
        return {name: value for name, equals, value in (tag.partition("=") for tag in tags) if equals}

    def want_notes(self, notes: Mapping[str, str]) -> None:
        """Have these notes kept, and no others."""
        self._wanted_notes = dict(notes)

    def plan(self) -> Iterator[Change]:
        """What is missing of the application and its policy; `look` comes before."""
        if self._found is None:
            yield Change(f"make the IAM application {self.name}", self._make)
        elif self.notes != self._wanted_notes:
            yield Change(f"note {self._tags()[1:]} at the IAM application {self.name}", self._note)
        rights = ", ".join(self._rights)
        if self._policy is None:
            yield Change(f"make the IAM policy {self.name}, in this project alone: {rights}", self._make_policy)
        elif not self._has_exact_rights():
            yield Change(f"set the rights of the IAM policy {self.name} to exactly {rights}", self._set_rights)

    def access_keys(self) -> list[str]:
        """The access keys of the application, oldest first."""
        if self._found is None:
            return []
        with explained(f"list the API keys of {self.name}", "iam"):
            keys = self._account.iam.list_api_keys_all(
                organization_id=self._account.organization_id, application_id=self._found.id
            )
        return [str(key.access_key) for key in keys if key.application_id == self._found.id]

    def new_key(self) -> KeyPair:
        """A new API key of the application."""
        with explained(f"make an API key of {self.name}", "iam"):
            made = self._account.iam.create_api_key(
                description=f"A secret of the function. {DESCRIPTION}",
                application_id=self._found.id,
                default_project_id=self._account.project_id,
            )
        return KeyPair(str(made.access_key), str(made.secret_key))

    def remove_key(self, access_key: str) -> None:
        """Remove an API key."""
        with explained(f"remove an API key of {self.name}", "iam"):
            self._account.iam.delete_api_key(access_key=access_key)

    def plan_removal(self) -> Iterator[Change]:
        """What there is to take away, the application itself last; `look` comes before."""
        for access_key in self.access_keys():
            yield Change(f"remove the API key {access_key} of {self.name}", partial(self.remove_key, access_key))
        if self._policy is not None:
            yield Change(f"remove the IAM policy {self.name}", self._remove_policy)
        if self._found is not None:
            yield Change(f"remove the IAM application {self.name}", self._remove)

    def _make(self) -> None:
        with explained(f"make the IAM application {self.name}", "iam"):
            self._found = self._account.iam.create_application(
                description=DESCRIPTION,
                name=self.name,
                organization_id=self._account.organization_id,
                tags=self._tags(),
            )

    def _tags(self) -> list[str]:
        return [TAG, *(f"{name}={value}" for name, value in self._wanted_notes.items())]

    def _note(self) -> None:
        with explained(f"change the IAM application {self.name}", "iam"):
            self._found = self._account.iam.update_application(application_id=self._found.id, tags=self._tags())

    def _rules(self) -> list[RuleSpecs]:
        project = self._account.project_id
        return [RuleSpecs(condition="", permission_set_names=list(self._rights), project_ids=[project])]

    def _make_policy(self) -> None:
        with explained(f"make the IAM policy {self.name}", "iam"):
            self._policy = self._account.iam.create_policy(
                description=DESCRIPTION,
                name=self.name,
                organization_id=self._account.organization_id,
                rules=self._rules(),
                tags=[TAG],
                application_id=self._found.id,
            )

    def _has_exact_rights(self) -> bool:
        with explained(f"look at the rules of the IAM policy {self.name}", "iam"):
            rules = self._account.iam.list_rules_all(policy_id=self._policy.id)
        given = {
            (right, project)
            for rule in rules
            for right in rule.permission_set_names or []
            for project in rule.project_ids or [None]
        }
        return given == {(right, self._account.project_id) for right in self._rights}

    def _set_rights(self) -> None:
        with explained(f"set the rules of the IAM policy {self.name}", "iam"):
            self._account.iam.set_rules(policy_id=self._policy.id, rules=self._rules())

    def _remove_policy(self) -> None:
        with explained(f"remove the IAM policy {self.name}", "iam"):
            self._account.iam.delete_policy(policy_id=self._policy.id)

    def _remove(self) -> None:
        with explained(f"remove the IAM application {self.name}", "iam"):
            self._account.iam.delete_application(application_id=self._found.id)
