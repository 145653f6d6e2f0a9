"""The bucket pipeline where things are already: what is wrong is put right, and what is not ours is left alone."""

from typing import Any

import pytest
from support.pipelines import BUCKET, World, rules_of

from deploy_tools.errors import DeploymentError


def set_visibility(here: World, seconds: str) -> None:
    sqs = here.storage.client("sqs")
    url = sqs.get_queue_url(QueueName="transcriber")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": seconds})


def remove_function_keys(here: World) -> None:
    account = here.account
    for access_key in [name for name, key in account.api_keys.items() if key["application_id"]]:
        del account.api_keys[access_key], account.secret_keys[access_key]


def widen_credentials(here: World) -> None:
    for each in here.account.credentials.values():
        each["permissions"] = {"can_publish": True, "can_receive": True, "can_manage": True}


@pytest.mark.parametrize(
    ("break_it", "repaired"),
    [
        (lambda here: here.account.functions.crons.clear(), "crons"),
        (lambda here: here.account.functions.triggers.clear(), "triggers"),
        (lambda here: here.account.rules.update({each: [] for each in here.account.rules}), "rights"),
        (lambda here: here.storage.client("s3").delete_bucket_cors(Bucket=BUCKET), "buckets"),
        (lambda here: here.storage.client("s3").delete_bucket_lifecycle(Bucket=BUCKET), "buckets"),
        (lambda here: set_visibility(here, "30"), "queues"),
        (lambda here: here.function()[0].update(timeout="300s"), "functions"),
        (lambda here: here.function()[0]["environment_variables"].pop("OUTPUT_BUCKET"), "functions"),
        (lambda here: here.function()[0].update(privacy="public"), "functions"),
        (lambda here: here.function()[0].update(status="error"), "functions"),
        (remove_function_keys, "keys"),
        (widen_credentials, "credentials"),
    ],
    ids=[
        *("schedule", "trigger", "rights", "CORS", "lifecycle", "visibility", "timeout", "variable", "privacy"),
        *("error", "keys", "permissions"),
    ],
)
def test_what_was_changed_by_hand_is_repaired(here: World, break_it: Any, repaired: str) -> None:
    """What is missing or wrong is noticed by the next run, named in its plan, and put right."""
    here.set_up()
    right = here.snapshot()
    break_it(here)
    assert here.snapshot()[repaired] != right[repaired]
    here.set_up()
    assert here.snapshot() == right


def test_rules_of_others_stay(here: World) -> None:
    """CORS and lifecycle rules that were in the bucket are there afterwards as before, beside ours, and alone again."""
    s3 = here.storage.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "fr-par"})
    cors = {"ID": "theirs", "AllowedMethods": ["GET"], "AllowedOrigins": ["https://example.com"]}
    nameless = {"AllowedMethods": ["HEAD"], "AllowedOrigins": ["https://example.org"]}
    s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [cors, nameless]})
    lifecycle = {
        "ID": "archive",
        "Status": "Enabled",
        "Filter": {"Prefix": "old/"},
        "Transitions": [{"Days": 90, "StorageClass": "GLACIER"}],
    }
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [lifecycle]})
    before = rules_of(s3, BUCKET)
    for _ in range(2):
        here.set_up()
        after = rules_of(s3, BUCKET)
        assert after["cors"][:2] == before["cors"]
        assert [rule.get("ID") for rule in after["cors"][2:]] == ["transcriber-uploads"]
        assert after["lifecycle"][:1] == before["lifecycle"]
        assert len(after["lifecycle"]) == 5
    here.remove()
    assert rules_of(s3, BUCKET) == before


def test_one_bucket_for_a_function(here: World) -> None:
    """Another bucket does not take the function away from the first: the message says what to do."""
    here.set_up()
    before = here.snapshot()
    with pytest.raises(DeploymentError, match=f"transcribes the bucket {BUCKET}.*scripts/deploy --remove"):
        here.set_up(bucket="another-bucket")
    assert here.snapshot() == before


def test_another_python(here: World) -> None:
    """The runtime follows --python: the function is deployed anew for it, and then is what it should be."""
    here.set_up()
    here.set_up(python="3.13")
    assert here.function()[0]["runtime"] == "python313"
    assert "deploy nothing: the function is what it should be" in here.set_up(python="3.13")
