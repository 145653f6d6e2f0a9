"""`scripts/deploy --remove`: everything that was made is gone, and no recording or transcript is."""

import pytest
from support.pipelines import BUCKET, World, rules_of

from deploy_tools.errors import DeploymentError

EMPTY_ACCOUNT = {
    "applications": [],
    "policies": [],
    "rights": [],
    "keys": ["person"],
    "credentials": [],
    "queues": {},
    "buckets": {},
    "namespaces": [],
    "functions": [],
    "secrets": [],
    "crons": [],
    "triggers": [],
    "code": [],
}


def keys_in(here: World) -> list[str]:
    listed = here.storage.client("s3").list_objects_v2(Bucket=BUCKET)
    return [each["Key"] for each in listed.get("Contents", [])]


def put(here: World, *keys: str) -> None:
    for key in keys:
        here.storage.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"1")


def test_nothing_is_left(here: World) -> None:
    """An account that was set up and never used holds nothing afterwards, and nothing is left to be removed."""
    here.set_up()
    here.remove()
    assert here.snapshot() == EMPTY_ACCOUNT
    changes = here.account.changes
    assert here.remove() == []
    assert here.account.changes == changes


def test_recordings_and_transcripts_stay(here: World) -> None:
    """What is in the bucket stays, with the bucket; only what work needs goes, and the rules."""
    here.set_up()
    kept = [
        "incoming/talk.mp3",
        "transcripts/.work/partials/talk.mp3.v.json",
        "transcripts/incoming/talk.mp3.error.json",
        "transcripts/incoming/talk.mp3.json",
    ]
    put(here, *kept)
    put(here, *(f"transcripts/.work/{kind}/a" for kind in ("done", "leases", "parts", "sweeps")))
    here.remove()
    assert keys_in(here) == kept
    assert here.snapshot() == EMPTY_ACCOUNT | {"buckets": {BUCKET: {"cors": [], "lifecycle": []}}}


def test_bucket_of_somebody_stays(here: World) -> None:
    """A bucket that was there before is there afterwards, though nothing is in it."""
    s3 = here.storage.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "fr-par"})
    here.set_up()
    assert "remove the bucket" not in "\n".join(here.remove())
    assert here.snapshot() == EMPTY_ACCOUNT | {"buckets": {BUCKET: {"cors": [], "lifecycle": []}}}


def test_uploads_and_jobs_still_end(here: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Recordings of uploads and jobs are kept, and so is the rule that ends them, until they are gone."""
    here.set_up()
    upload = "transcripts/.work/uploads/a/talk.mp3"
    put(here, upload, "transcripts/.work/parts/b")
    here.remove()
    assert keys_in(here) == [upload]
    s3 = here.storage.client("s3")
    assert [rule["ID"] for rule in rules_of(s3, BUCKET)["lifecycle"]] == ["transcriber-uploads"]
    assert "transcriber-uploads (transcripts/.work/uploads/)" in capsys.readouterr().out
    s3.delete_object(Bucket=BUCKET, Key=upload)
    here.remove(BUCKET)
    assert rules_of(s3, BUCKET)["lifecycle"] == []


def test_other_functions_stay(here: World) -> None:
    """A namespace with another function in it stays, with that function."""
    here.set_up()
    functions = here.account.functions.functions
    (function,) = functions.values()
    functions["other"] = function | {"id": "other", "name": "other"}
    here.account.functions.secrets["other"] = {}
    here.remove()
    found = here.snapshot()
    assert found["namespaces"] == ["transcriber"]
    assert [each["name"] for each in found["functions"]] == ["other"]


def test_other_queues_and_applications_stay(here: World) -> None:
    """Queues, credentials and applications of others are left alone, by whatever names."""
    here.set_up()
    here.storage.client("sqs").create_queue(QueueName="transcriber-of-somebody")
    (ours,) = here.account.credentials.values()
    here.account.credentials["other"] = ours | {"id": "other", "name": "other"}
    application = next(iter(here.account.applications.values()))
    here.account.applications["other"] = application | {"id": "other", "name": f"{application['name']}-2", "tags": []}
    here.remove()
    found = here.snapshot()
    assert found["queues"].keys() == {"transcriber-of-somebody"}
    assert [each[0] for each in found["credentials"]] == ["other"]
    assert len(found["applications"]) == 1


def test_application_of_somebody_is_not_taken(here: World) -> None:
    """An application of our name that was not made here is neither used nor removed: the message says so."""
    here.set_up()
    for each in here.account.applications.values():
        each["tags"] = []
    before = here.snapshot()
    for act in (here.set_up, here.remove):
        with pytest.raises(DeploymentError, match="that scripts/deploy did not make"):
            act()
    assert here.snapshot() == before


def test_set_up_again_after_removal(here: World) -> None:
    """What was removed can be set up again, and is then as it was."""
    here.set_up()
    first = here.snapshot()
    here.remove()
    here.set_up()
    assert here.snapshot() == first


def test_function_without_a_bucket_stays(here: World) -> None:
    """A function that was deployed by itself is not what --bucket made, and stays; so does all that is with it."""
    here.set_up()
    function, secrets = here.function()
    namespaces = dict(here.account.functions.namespaces)
    here.remove()
    api = here.account.functions
    function["environment_variables"].pop("OUTPUT_BUCKET")
    api.namespaces |= namespaces
    api.functions[function["id"]], api.secrets[function["id"]] = function | {"tags": []}, secrets
    before = here.snapshot()
    assert here.remove() == []
    assert here.snapshot() == before
