"""The bucket: made where it is missing, given the rules that are ours, and rid of them again."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final

from botocore.exceptions import ClientError

from deploy_tools.account.change import Change
from deploy_tools.account.connection import Account
from deploy_tools.account.failures import DENIED_CODES, code_of, explained
from deploy_tools.account.rules import Rule, are_same, merged, without
from deploy_tools.errors import DeploymentError
from deploy_tools.facts import WORK_FOLDER, Expiry, cors_rule

MISSING_BUCKET = frozenset({"404", "NoSuchBucket"})
# How S3 says that a bucket has no rules of a kind.
NO_RULES = frozenset({"NoSuchCORSConfiguration", "NoSuchLifecycleConfiguration"})
ELSEWHERE = frozenset({"301", "PermanentRedirect", "AuthorizationHeaderMalformed"})
# Of what lies under the prefix now, no more than this is counted: it is for the plan's text.
MAX_COUNTED: Final = 10_000
# What only work needs. All else under the same prefix is what people sent, or what came of it.
WORK_ALONE: Final = ("parts/", "leases/", "done/", "sweeps/")
# What people sent to be transcribed, and what came of it: never removed, but by the rules that end it.
KEPT_WORK: Final = ("jobs/", "uploads/")


class Bucket:
    """The bucket `name`, with the rules that follow from `expiries`."""

    def __init__(self, account: Account, name: str, expiries: Sequence[Expiry]) -> None:
        self.name = name
        self._account = account
        self._lifecycle: list[Rule] = [expiry.rule() for expiry in expiries]
        self._expiries = expiries

    def exists(self) -> bool:
        """Whether the bucket is there; `DeploymentError` where it is another account's, or in another region."""
        with explained(f"look at the bucket {self.name}", "storage"):
            try:
                self._storage.head_bucket(Bucket=self.name)
            except ClientError as error:
                if code_of(error) in MISSING_BUCKET:
                    return False
                if code_of(error) in ELSEWHERE:
                    raise DeploymentError(
                        f"The bucket {self.name} is not in {self._account.region}: set SCW_DEFAULT_REGION to its "
                        "region, or take another bucket."
                    ) from None
                raise
        return True

    def plan(self) -> Iterator[Change]:
        """What is missing of the bucket and its rules."""
        exists = self.exists()
        if not exists:
            yield Change(f"make the bucket {self.name}", self._make)
        if not exists or self._lacks_cors():
            yield Change(f"let pages upload to {self.name}, by the CORS rule {cors_rule()['ID']}", self._add_cors)
        if not exists or self._lacks_lifecycle():
            ends = ", ".join(f"{each.id} after {each.days} d" for each in self._expiries)
            yield Change(f"have the storage remove what is kept for a while: {ends}", self._add_lifecycle)

    def plan_removal(self, *, is_made_here: bool) -> Iterator[Change]:
        """What there is to take away: our rules, what only work needs, and the bucket if made here and empty."""
        if not self.exists():
            return
        kept = [expiry for expiry in self._expiries if self._still_ends_something(expiry)]
        if (rules := self._lifecycle_without(kept)) is not None:
            names = ", ".join(str(rule["ID"]) for rule in self._present_ours(kept))
            yield Change(f"remove the lifecycle rules {names}", partial(self._put_lifecycle, rules))
        cors = self._cors()
        if not are_same(others := without(cors, [cors_rule()]), cors):
            yield Change(f"remove the CORS rule {cors_rule()['ID']}", partial(self._put_cors, others))
        for folder in self._work_folders():
            yield Change(f"remove {folder}, which only work needs", partial(self._remove_objects, folder))
        if is_made_here:
            yield Change(f"remove the bucket {self.name}, if nothing is in it", self._remove_if_empty)
        if kept:
            held = ", ".join(f"{each.id} ({each.prefix})" for each in kept)
            print(f"Left as they are, until what they end is gone: {held}. Remove them by the same command, later.")

    def count(self, prefix: str) -> str:
        """How many objects begin with `prefix`, in words."""
        try:
            pages = self._storage.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=prefix, PaginationConfig={"MaxItems": MAX_COUNTED}
            )
            contents = [content for page in pages for content in page.get("Contents", [])]
        except ClientError as error:
            if code_of(error) in MISSING_BUCKET:
                return "0 objects"
            if code_of(error) in DENIED_CODES:  # the deployment itself needs no right to see objects
                return "an unknown number of objects"
            with explained(f"list the bucket {self.name}", "storage"):
                raise
        size = sum(content["Size"] for content in contents)
        more = "at least " if len(contents) == MAX_COUNTED else ""
        return f"{more}{len(contents):,} objects of {size / 1_000_000:,.1f} MB"

    @property
    def _storage(self) -> Any:
        return self._account.storage

    def _make(self) -> None:
        with explained(f"make the bucket {self.name}", "storage"):
            place = {"LocationConstraint": self._account.region}
            self._storage.create_bucket(Bucket=self.name, CreateBucketConfiguration=place)

    def _cors(self) -> list[Rule]:
        return self._rules(lambda: self._storage.get_bucket_cors(Bucket=self.name)["CORSRules"], "CORS")

    def _lacks_cors(self) -> bool:
        present = self._cors()
        return not are_same(merged(present, [cors_rule()]), present)

    def _add_cors(self) -> None:
        self._put_cors(merged(self._cors(), [cors_rule()]))

    def _put_cors(self, rules: list[Rule]) -> None:
        with explained(f"set the CORS rules of {self.name}", "storage"):
            if rules:
                self._storage.put_bucket_cors(Bucket=self.name, CORSConfiguration={"CORSRules": rules})
            else:
                self._storage.delete_bucket_cors(Bucket=self.name)

    def _present_lifecycle(self) -> list[Rule]:
        ask = self._storage.get_bucket_lifecycle_configuration
        return self._rules(lambda: ask(Bucket=self.name)["Rules"], "lifecycle")

    def _lacks_lifecycle(self) -> bool:
        present = self._present_lifecycle()
        return not are_same(merged(present, self._lifecycle), present)

    def _add_lifecycle(self) -> None:
        self._put_lifecycle(merged(self._present_lifecycle(), self._lifecycle))

    def _put_lifecycle(self, rules: list[Rule]) -> None:
        with explained(f"set the lifecycle rules of {self.name}", "storage"):
            if rules:
                configuration = {"Rules": rules}
                self._storage.put_bucket_lifecycle_configuration(Bucket=self.name, LifecycleConfiguration=configuration)
            else:
                self._storage.delete_bucket_lifecycle(Bucket=self.name)

    def _lifecycle_without(self, kept: Sequence[Expiry]) -> list[Rule] | None:
        """The rules that are left without ours but the `kept` ones; None where that changes nothing."""
        present = self._present_lifecycle()
        gone = [rule for rule in self._lifecycle if rule["ID"] not in {expiry.id for expiry in kept}]
        left = without(present, gone)
        return None if are_same(left, present) else left

    def _present_ours(self, kept: Sequence[Expiry]) -> list[Rule]:
        there = {rule.get("ID") for rule in self._present_lifecycle()} - {expiry.id for expiry in kept}
        return [rule for rule in self._lifecycle if rule["ID"] in there]

    def _rules(self, ask: Callable[[], list[Rule]], kind: str) -> list[Rule]:
        with explained(f"read the {kind} rules of {self.name}", "storage"):
            try:
                return list(ask())
            except ClientError as error:
                if code_of(error) in NO_RULES:
                    return []
                raise

    def _still_ends_something(self, expiry: Expiry) -> bool:
        """Whether the rule is all that ends somebody's recordings: those of uploads and jobs that are still there."""
        return expiry.prefix.endswith(tuple(WORK_FOLDER + kind for kind in KEPT_WORK)) and self._holds(expiry.prefix)

    def _holds(self, prefix: str) -> bool:
        with explained(f"list the bucket {self.name}", "removal"):
            page = self._storage.list_objects_v2(Bucket=self.name, Prefix=prefix, MaxKeys=1)
        return bool(page.get("Contents"))

    def _work_folders(self) -> list[str]:
        """The folders of what only work needs, which are there."""
        work = {expiry.prefix for expiry in self._expiries if expiry.is_of_open_uploads}
        folders: list[str] = []
        with explained(f"list the bucket {self.name}", "removal"):
            for prefix in sorted(work):
                pages = self._storage.get_paginator("list_objects_v2").paginate(
                    Bucket=self.name, Prefix=prefix, Delimiter="/"
                )
                folders += [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", [])]
        return [folder for folder in folders if folder.endswith(WORK_ALONE)]

    def _remove_objects(self, prefix: str) -> None:
        with explained(f"remove {prefix} from {self.name}", "removal"):
            for page in self._storage.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix):
                if keys := [{"Key": content["Key"]} for content in page.get("Contents", [])]:
                    self._storage.delete_objects(Bucket=self.name, Delete={"Objects": keys, "Quiet": True})

    def _remove_if_empty(self) -> None:
        if self._holds(""):
            print(f"  The bucket {self.name} stays, with all that is in it.")
            return
        with explained(f"remove the bucket {self.name}", "removal"):
            self._storage.delete_bucket(Bucket=self.name)
