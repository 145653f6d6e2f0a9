"""`scripts/deploy --remove`: takes away what `--bucket` made, and leaves recordings and transcripts where they are."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from deploy_tools.account.applications import Application
from deploy_tools.account.bucket import Bucket
from deploy_tools.account.change import Change
from deploy_tools.account.connection import Account
from deploy_tools.account.function import Function
from deploy_tools.account.queues import Queues
from deploy_tools.configuration import Configuration
from deploy_tools.environment import check_account_environment
from deploy_tools.facts import API_RIGHTS, STORAGE_RIGHTS, expiries
from deploy_tools.names import BUCKET_NOTE, MADE_NOTE, application_name


class Removal:
    """What is left of a pipeline, in one account, to be taken away in an order that can be interrupted anywhere."""

    def __init__(self, bucket: str | None, config: Path, environment: Mapping[str, str]) -> None:
        self.secrets = check_account_environment(environment)
        self._configuration = Configuration.read(config, environment)
        self._account = Account(environment, region=self._configuration.region)
        service = self._configuration.service
        self._function = Function(self._account, service, self._configuration.function_name)
        self._queues = Queues(self._account, service, timeout_seconds=self._configuration.timeout_seconds)
        self._storage, self._api = (
            Application(self._account, application_name(service, kind, self._account), rights)
            for kind, rights in (("storage", STORAGE_RIGHTS), ("api", API_RIGHTS))
        )
        self._bucket = bucket

    def plan(self) -> Iterator[Change]:
        """What there is to take away: what starts the function first, what notes the bucket's name last."""
        self._function.look()
        self._storage.look()
        self._api.look()
        notes = self._storage.notes
        bucket = notes.get(BUCKET_NOTE)
        # A function that was deployed without a bucket belongs to the person who deployed it.
        if self._function.is_of_pipeline or (bucket and self._function.has_bucket(bucket)):
            yield from self._function.plan_removal()
        if notes or self._function.is_of_pipeline:
            yield from self._function.plan_removal_of_namespace()
        if self._account.has_queues and notes and self._queues.is_active():
            names = " and ".join(reversed(self._queues.names))
            yield Change(
                f"remove the queues {names} where they are there, with the messages in them", self._remove_queues
            )
        if self._account.has_queues and notes:
            for each in self._queues.credentials():
                yield Change(
                    f"remove the queue's credentials {each.access_key}",
                    partial(self._queues.remove_credentials, each.id),
                )
        if name := self._bucket or bucket:
            ends = expiries(
                self._configuration.variable("OUTPUT_PREFIX"), int(self._configuration.variable("JOB_DAYS"))
            )
            is_made_here = MADE_NOTE in notes and bucket == name
            yield from Bucket(self._account, name, ends).plan_removal(is_made_here=is_made_here)
        yield from self._api.plan_removal()
        yield from self._storage.plan_removal()

    def _remove_queues(self) -> None:
        for line in self._queues.remove():
            print(f"  {line}")
