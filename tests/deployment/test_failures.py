"""What an API refuses is told as the right or the quota that is missing, in one sentence, and without a secret."""

from typing import Any

import pytest
from support.account_api import MNQ
from support.api_answers import new_access_key
from support.guarded_storage import GuardedStorage
from support.iam_api import IAM, a_key
from support.pipelines import BUCKET, World

from deploy_tools.errors import DeploymentError

SQS = f"{MNQ}/fr-par"


def denied(resource: str) -> dict[str, Any]:
    return {
        "type": "permissions_denied",
        "message": "insufficient permissions",
        "details": [{"action": "write", "resource": resource}],
    }


@pytest.mark.parametrize(
    ("request_", "rights"),
    [
        ("GET /account/v3/projects/PROJECT", "ProjectReadOnly"),
        (f"GET {IAM}/applications", "IAMApplicationManager and IAMPolicyManager"),
        (f"POST {IAM}/applications", "IAMApplicationManager and IAMPolicyManager"),
        (f"POST {IAM}/policies", "IAMApplicationManager and IAMPolicyManager"),
        (f"POST {IAM}/api-keys", "IAMApplicationManager and IAMPolicyManager"),
        (f"GET {SQS}/sqs-info", "MessagingAndQueuingFullAccess"),
        (f"POST {SQS}/activate-sqs", "MessagingAndQueuingFullAccess"),
        (f"POST {SQS}/sqs-credentials", "MessagingAndQueuingFullAccess"),
        ("GET /namespaces", "FunctionsFullAccess"),
    ],
)
def test_missing_right(here: World, request_: str, rights: str) -> None:
    """A right that is missing is named, for each API, with what was going to be done."""
    request_ = request_.replace("PROJECT", here.account.functions.project_id)
    here.account.functions.refusals[request_] = (403, denied("thing"))
    with pytest.raises(DeploymentError, match=f"^Could not .*lacks a right; it needs {rights} .*refused: write thing"):
        here.set_up()


@pytest.mark.parametrize("right", ["ObjectStorageBucketsRead", "ObjectStorageBucketsWrite"])
def test_missing_right_to_the_storage(here: World, storage: GuardedStorage, right: str) -> None:
    """A right to the storage that is missing is named, too, and a policy of the bucket as the other cause."""
    storage.withheld.add(right)
    with pytest.raises(DeploymentError, match=f"{right}.* or a policy of the bucket shuts its owner out"):
        here.set_up()


def test_quota(here: World) -> None:
    """A quota that is used up is named, with how much of it is used, and where to have it raised."""
    body = {
        "type": "quotas_exceeded",
        "message": "quotas exceeded",
        "details": [{"resource": "iam_applications", "quota": 10, "current": 10}],
    }
    here.account.functions.refusals[f"POST {IAM}/applications"] = (403, body)
    with pytest.raises(DeploymentError, match=r"a quota .* used up \(iam_applications: 10 of 10\).*under Quotas"):
        here.set_up()


def test_wrong_key(here: World) -> None:
    """A key that is not taken is named by its variable, and not shown."""
    here.account.functions.refusals["GET /namespaces"] = (401, {"type": "denied_authentication", "message": "no"})
    with pytest.raises(DeploymentError, match="SCW_SECRET_KEY is not taken"):
        here.set_up()


def test_arguments(here: World) -> None:
    """An argument that is refused is named with the reason."""
    body = {
        "type": "invalid_arguments",
        "message": "invalid argument(s)",
        "details": [{"argument_name": "tags", "help_message": "too many"}],
    }
    here.account.functions.refusals[f"POST {IAM}/applications"] = (400, body)
    with pytest.raises(DeploymentError, match="refuses tags: too many"):
        here.set_up()


@pytest.mark.parametrize("answer", [(503, "over capacity"), (500, {}), (502, {"message": "bad gateway"})])
def test_failing_api(here: World, answer: tuple[int, Any]) -> None:
    """An API that fails is no mistake of anybody's: run again, and it goes on."""
    here.account.functions.refusals[f"GET {IAM}/applications"] = answer
    with pytest.raises(DeploymentError, match=rf"answers {answer[0]}.*Run the command again"):
        here.set_up()
    here.account.functions.refusals.clear()
    here.set_up()


def test_no_answer(here: World) -> None:
    """An API that cannot be reached is told as such, without its address or what was sent."""
    with pytest.raises(DeploymentError, match=r"no answer that can be read \(ConnectionError\)"):
        here.set_up(SCW_API_URL="http://127.0.0.1:9")


def test_project_that_is_not_there(here: World) -> None:
    """A project that does not exist is named by what was looked for."""
    with pytest.raises(DeploymentError, match="look up the project of SCW_DEFAULT_PROJECT_ID"):
        here.set_up(SCW_DEFAULT_PROJECT_ID="0" * 36)


def test_access_key_is_found(here: World) -> None:
    """Among all keys of the organization, the one that belongs to the secret is found, without SCW_ACCESS_KEY."""
    account, own = here.account, here.account.own_key()
    for _ in range(3):
        other = new_access_key()
        account.api_keys[other] = a_key(other, account.functions.project_id, user_id="somebody")
        account.secret_keys[other] = "another secret"
    here.set_up()
    assert here.storage.used.keys() >= {"person"}
    assert own in account.api_keys


def test_access_key_of_another_project(here: World) -> None:
    """A key that usually means another project is used for this one, by the name that the storage has for that."""
    here.account.api_keys[here.account.own_key()]["default_project_id"] = "another project"
    here.set_up()
    assert here.snapshot()["buckets"].keys() == {BUCKET}


def test_access_key_that_is_not_there(here: World) -> None:
    """Where no listed key belongs to the secret, the variable that helps is named."""
    account, own = here.account, here.account.own_key()
    del account.api_keys[own]
    with pytest.raises(DeploymentError, match="SCW_ACCESS_KEY: set it"):
        here.set_up()


def test_wrong_access_key(here: World) -> None:
    """An access key that is set and is that of another secret is named."""
    with pytest.raises(DeploymentError, match="SCW_ACCESS_KEY"):
        here.set_up(SCW_ACCESS_KEY=new_access_key())


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"ACCESS_TOKEN": "token"}, "ACCESS_TOKEN: unset it, since triggers cannot send it"),
        ({"S3_ACCESS_KEY": "a", "S3_SECRET_KEY": "b"}, "S3_ACCESS_KEY: unset it"),
        ({"QUEUE_URL": "https://example.com/q"}, "QUEUE_URL: unset it"),
        ({"OUTPUT_BUCKET": "elsewhere"}, "OUTPUT_BUCKET: unset it"),
        ({"SCW_SECRET_KEY": ""}, "SCW_SECRET_KEY: is not set"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL: is one of"),
    ],
)
def test_environment(here: World, variables: dict[str, str], told: str) -> None:
    """What the environment should not have, or lacks, is told before anything is sent."""
    with pytest.raises(DeploymentError, match=told):
        here.set_up(**variables)
    assert here.account.functions.received == []


def test_name_that_no_bucket_has(here: World) -> None:
    """A bucket's name that S3 does not take is told before anything is sent."""
    with pytest.raises(DeploymentError, match="--bucket: is 3 to 63 lowercase letters"):
        here.set_up(bucket="Recordings of ours")
    assert here.account.functions.received == []


@pytest.mark.parametrize("prefix", ["/incoming/", "transcripts/", "transcripts/incoming/"])
def test_prefix_without_recordings(here: World, prefix: str) -> None:
    """A prefix under which nothing would ever be transcribed is told before anything is sent."""
    with pytest.raises(DeploymentError, match=r"--prefix: .* holds no recordings"):
        here.set_up(prefix=prefix)
    assert here.account.functions.received == []
