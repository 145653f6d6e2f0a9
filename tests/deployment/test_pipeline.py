"""The bucket pipeline: everything is made by one run, nothing by the next, and what was there before is left alone."""

import json
import re

import pytest
from support.account_state import ORGANIZATION_ID
from support.deployments import API_KEY, FILES, ROOT, archive_of
from support.pipelines import BUCKET, PREFIX, World

from deploy_tools.facts import expiries
from transcriber.jobs import layout

EVERY_FIVE_MINUTES = "0,5,10,15,20,25,30,35,40,45,50,55 * * * *"
STORAGE_RIGHTS = ["ObjectStorageObjectsRead", "ObjectStorageObjectsWrite", "ObjectStorageObjectsDelete"]
SENDING_ALONE = {"can_publish": True, "can_receive": False, "can_manage": False}


def names(here: World) -> tuple[str, str]:
    digits = here.account.functions.project_id[:8]
    return f"transcriber-storage-fr-par-{digits}", f"transcriber-api-fr-par-{digits}"


def test_from_nothing(here: World) -> None:
    """One run makes bucket, queues, applications, function and triggers, as they have to be."""
    here.set_up()
    found = here.snapshot()
    storage, api = names(here)
    assert found["applications"] == [
        (api, ["made-by-scripts-deploy"]),
        (storage, ["made-by-scripts-deploy", f"bucket={BUCKET}", "bucket-made=yes"]),
    ]
    assert found["policies"] == [(api, api), (storage, storage)]
    assert found["rights"] == [(("GenerativeApisModelAccess",), True), (tuple(STORAGE_RIGHTS), True)]
    assert found["keys"] == ["person", api, storage]
    assert found["credentials"] == [("transcriber", True, False, False)]
    dead = {"VisibilityTimeout": "960", "MessageRetentionPeriod": "1209600", "MaximumMessageSize": "262144"}
    queue = dict(found["queues"]["transcriber"])
    redrive = json.loads(queue.pop("RedrivePolicy"))
    assert queue == dead | {"MessageRetentionPeriod": "345600"}
    assert (redrive["deadLetterTargetArn"].rpartition(":")[2], str(redrive["maxReceiveCount"])) == (
        "transcriber-dead-letters",
        "4",
    )
    assert found["queues"].keys() == {"transcriber", "transcriber-dead-letters"}
    assert found["queues"]["transcriber-dead-letters"] == dead
    (rules,) = (found["buckets"][name] for name in [BUCKET])
    (cors,) = rules["cors"]
    assert (cors["AllowedMethods"], cors["AllowedOrigins"], cors["ExposeHeaders"]) == (["PUT"], ["*"], ["ETag"])
    ends = {rule["ID"]: (rule["Filter"]["Prefix"], rule.get("Expiration")) for rule in rules["lifecycle"]}
    assert ends == {
        "transcriber-parts": ("transcripts/.work/parts/", {"Days": 30}),
        "transcriber-jobs": ("transcripts/.work/jobs/", {"Days": 7}),
        "transcriber-uploads": ("transcripts/.work/uploads/", {"Days": 7}),
        "transcriber-open-uploads": ("transcripts/.work/", None),
    }
    assert rules["lifecycle"][-1]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert found["namespaces"] == ["transcriber"]
    assert found["crons"] == [{"schedule": EVERY_FIVE_MINUTES, "args": {"sweep": {"bucket": BUCKET, "prefix": PREFIX}}}]
    config = {"queue": "transcriber", "mnq_project_id": here.account.functions.project_id, "mnq_region": "fr-par"}
    assert found["triggers"] == [{"name": "transcriber", "scw_sqs_config": config}]
    assert found["code"] == [FILES["handler.py"]]
    assert list(here.account.functions.deployed.values()) == [here.archive.read_bytes()]


def test_function_gets_what_was_made(here: World) -> None:
    """The function's variables name the bucket, the storage and the queue; its secrets are keys that hold."""
    here.set_up()
    function, secrets = here.function()
    variables = function["environment_variables"]
    assert variables["OUTPUT_BUCKET"] == BUCKET
    assert (variables["S3_ENDPOINT"], variables["S3_REGION"]) == (here.storage.url, "fr-par")
    assert variables["QUEUE_URL"].endswith("/transcriber")
    given = here.account.secret_keys
    assert secrets["S3_SECRET_KEY"] == given[secrets["S3_ACCESS_KEY"]]
    assert secrets["QUEUE_SECRET_KEY"] == given[secrets["QUEUE_ACCESS_KEY"]]
    assert secrets["GENERATIVE_API_KEY"] in given.values()
    assert here.account.functions.token not in secrets.values()


def test_requests_of_the_sdk(here: World) -> None:
    """What is sent to IAM and to the queues' API is exactly this, field by field."""
    here.set_up()
    api = here.account.functions
    storage, models = names(here)
    description = "The transcriber's function. Made and changed by scripts/deploy."
    own = {"description": description, "organization_id": ORGANIZATION_ID}
    assert api.sent("POST", "/iam/v1alpha1/applications") == [
        own | {"name": storage, "tags": ["made-by-scripts-deploy", f"bucket={BUCKET}", "bucket-made=yes"]},
        own | {"name": models, "tags": ["made-by-scripts-deploy"]},
    ]
    ids = {each["name"]: each["id"] for each in here.account.applications.values()}
    assert api.sent("POST", "/iam/v1alpha1/policies") == [
        own
        | {
            "name": name,
            "tags": ["made-by-scripts-deploy"],
            "application_id": ids[name],
            "rules": [{"condition": "", "permission_set_names": rights, "project_ids": [api.project_id]}],
        }
        for name, rights in ((storage, STORAGE_RIGHTS), (models, ["GenerativeApisModelAccess"]))
    ]
    assert api.sent("POST", "/iam/v1alpha1/api-keys") == [
        {
            "application_id": ids[name],
            "default_project_id": api.project_id,
            "description": f"A secret of the function. {description}",
        }
        for name in (storage, models)
    ]
    assert api.sent("POST", "/mnq/v1beta1/regions/fr-par/activate-sqs") == [{"project_id": api.project_id}]
    looking, sending = api.sent("POST", "/mnq/v1beta1/regions/fr-par/sqs-credentials")
    project = {"project_id": api.project_id}
    may_manage = {"can_publish": False, "can_receive": False, "can_manage": True}
    assert looking == project | {"name": "transcriber-setup", "permissions": may_manage}
    assert sending == project | {"name": "transcriber", "permissions": SENDING_ALONE}
    (tags,) = (body for body in api.sent("PATCH", "/functions/") if "tags" in body)
    assert tags.keys() == {"tags", "redeploy"}
    assert tags["redeploy"] is False
    assert {tag.partition("=")[0] for tag in tags["tags"]} == {"archive", "storage-key", "api-key", "queue-key"}


def test_again(here: World) -> None:
    """A second run changes nothing: all that it sends are the credentials to see the queues, which it takes back."""
    here.set_up()
    first, api = here.snapshot(), here.account.functions
    secrets, changes = dict(here.function()[1]), here.account.changes
    api.received.clear()
    lines = here.set_up()
    assert here.snapshot() == first
    assert here.function()[1] == secrets
    sent = [(entry.method, re.sub(r"[0-9a-f-]{36}$", "ID", entry.path)) for entry in api.received]
    credentials = "/mnq/v1beta1/regions/fr-par/sqs-credentials"
    assert [each for each in sent if each[0] != "GET"] == [("POST", credentials), ("DELETE", f"{credentials}/ID")]
    assert here.account.changes == changes + 2  # so there was no change of the storage, nor of the queues
    assert "deploy nothing: the function is what it should be" in lines


def test_plan_changes_nothing(here: World) -> None:
    """The plan sends no change, in an account with nothing in it and in one with everything."""
    for _ in range(2):
        before, changes = here.snapshot(), here.account.changes
        lines = here.plan()
        assert here.snapshot() == before
        assert here.account.changes == changes
        here.set_up()
    assert lines != here.plan() or "deploy nothing: the function is what it should be" in lines


def test_plan_says_what_and_what_it_costs(here: World) -> None:
    """Before anything is done, each change has its line, and the costs have theirs, with what is there already."""
    s3 = here.storage.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "fr-par"})
    s3.put_object(Bucket=BUCKET, Key="incoming/a.mp3", Body=bytes(1_500_000))
    s3.put_object(Bucket=BUCKET, Key="elsewhere/b.mp3", Body=b"1")
    text = "\n".join(here.plan(PRICES="whisper-large-v3=0.003"))
    storage, api = names(here)
    for told in (
        f"make the IAM application {storage}",
        f"make the IAM policy {storage}, in this project alone: {', '.join(STORAGE_RIGHTS)}",
        f"make the IAM application {api}",
        f"let pages upload to {BUCKET}",
        "transcriber-parts after 30 d",
        "turn on Scaleway Queues",
        "visibility timeout of 960 s",
        "deploy the function, since there is none yet",
        "8,640 runs in 30 days, 2,160 GB-s for each second",
        "PRICES says whisper-large-v3=0.003 for a minute",
        "1 objects of 1.5 MB",
    ):
        assert told in text, told
    assert f"make the bucket {BUCKET}" not in text


def test_keys_are_replaced_and_removed(here: World) -> None:
    """A new archive is deployed with new keys, and the old ones are gone: of each kind there is one."""
    here.set_up()
    before = dict(here.function()[1])
    archive_of(FILES | {"handler.py": b"another"}, here.archive)
    here.set_up()
    after = here.function()[1]
    for name in ("S3_ACCESS_KEY", "S3_SECRET_KEY", "QUEUE_ACCESS_KEY", "QUEUE_SECRET_KEY", "GENERATIVE_API_KEY"):
        assert after[name] != before[name]
        assert before[name] not in {*here.account.secret_keys, *here.account.secret_keys.values()}
    assert len(here.account.api_keys) == 3
    assert len(here.account.credentials) == 1


def test_keys_are_written_nowhere_else(here: World, capfd: pytest.CaptureFixture[str]) -> None:
    """No secret is in what is printed, in a tag or a variable, nor in any request but the function's own secrets."""
    lines = here.set_up()
    function, secrets = here.function()
    printed = "\n".join([*capfd.readouterr(), *lines])
    for name in ("S3_SECRET_KEY", "QUEUE_SECRET_KEY", "GENERATIVE_API_KEY"):
        secret = secrets[name]
        assert secret not in printed
        assert secret not in json.dumps(function["environment_variables"]) + json.dumps(function["tags"])
        carriers = [
            entry for entry in here.account.functions.received if secret in json.dumps(entry.body, default=repr)
        ]
        assert [(entry.method, entry.path) for entry in carriers] == [("POST", "/functions")]
    assert here.account.functions.token not in printed


def test_other_prefix_and_days(here: World) -> None:
    """The rules follow OUTPUT_PREFIX and JOB_DAYS, and the schedule the prefix; without one it sweeps all."""
    here.set_up(prefix="", OUTPUT_PREFIX="words/", JOB_DAYS="3")
    rules = here.snapshot()["buckets"][BUCKET]["lifecycle"]
    assert [(rule["Filter"]["Prefix"], rule.get("Expiration")) for rule in rules[:2]] == [
        ("words/.work/parts/", {"Days": 30}),
        ("words/.work/jobs/", {"Days": 3}),
    ]
    (cron,) = here.account.functions.crons.values()
    assert cron["args"] == {"sweep": {"bucket": BUCKET}}


def test_own_api_key(here: World) -> None:
    """A key for the APIs that is given is the one that is deployed; one that was made before is removed."""
    here.set_up()
    assert len(here.account.applications) == 2
    here.set_up(GENERATIVE_API_KEY=API_KEY)
    assert here.function()[1]["GENERATIVE_API_KEY"] == API_KEY
    assert [each["name"] for each in here.account.applications.values()] == [names(here)[0]]
    assert len(here.account.api_keys) == 2
    first = here.snapshot()
    assert "deploy nothing: the function is what it should be" in here.set_up(GENERATIVE_API_KEY=API_KEY)
    assert here.snapshot() == first


def test_region_without_queues(here: World) -> None:
    """Where a region has no queues, the plan says so, and the schedule alone is set up."""
    lines = here.set_up(SCW_DEFAULT_REGION="pl-waw")
    assert "no queue: pl-waw has none. The schedule alone starts the function" in lines
    found = here.snapshot()
    assert (found["queues"], found["credentials"], found["triggers"]) == ({}, [], [])
    assert len(found["crons"]) == 1
    function, secrets = here.function()
    assert "QUEUE_URL" not in function["environment_variables"]
    assert secrets.keys() == {"GENERATIVE_API_KEY", "S3_ACCESS_KEY", "S3_SECRET_KEY"}
    assert function["environment_variables"]["S3_REGION"] == "pl-waw"
    assert here.account.regions == {"pl-waw"}
    assert here.snapshot() == found
    here.set_up(SCW_DEFAULT_REGION="pl-waw")
    assert here.snapshot() == found
    here.remove(SCW_DEFAULT_REGION="pl-waw")
    assert here.snapshot()["functions"] == []


def test_way_of_the_readme_is_short() -> None:
    """From an account to the first transcript are at most six lines of commands, the second of which sets all up."""
    text = (ROOT / "scripts" / "deploy_tools" / "README.md").read_text()
    lines = text.partition("```text\n")[2].partition("```")[0].splitlines()
    assert len(lines) <= 6
    assert lines[1].startswith("scripts/deploy --bucket ")


def test_rules_end_what_the_function_keeps() -> None:
    """The folders that the rules end are among those that the function keeps things in, by its own table of them."""
    folders = {expiry.prefix for expiry in expiries("transcripts/") if not expiry.is_of_open_uploads}
    table = layout.__doc__ or ""
    kept = {f"transcripts/.work/{name}/" for name in re.findall(r"<OUTPUT_PREFIX>\.work/(\w+)/", table)}
    assert folders == {f"transcripts/.work/{name}/" for name in ("parts", "jobs", "uploads")}
    assert folders < kept
