"""Tests of the platform around a function: triggers, faults, schedules, and its state."""

import dataclasses
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from support.function_folders import TIMEOUT_SECONDS, wait_until, written

from emulator.control.client import ControlClient
from emulator.generative.quota import QuotaState
from emulator.local_platform import LocalPlatform, PlatformOptions
from emulator.processes import ServerFailedError
from emulator.state.platform_state import (
    BucketState,
    CronState,
    FaultState,
    InstanceState,
    ObjectState,
    PlatformState,
    QueueState,
    RequestRecord,
)
from emulator.triggers.schedules import ScheduleError

TOKEN = "the-token"

# Records each request, and then does what the body says: waits for the file `release`, or returns the settings.
HANDLER = """
    import json, os, pathlib, sys, time

    FOLDER = pathlib.Path(__file__).parent

    def handle(event, context):
        call = {"body": event["body"], "headers": event["headers"], "pid": os.getpid()}
        with (FOLDER / "calls").open("a") as calls:
            calls.write(json.dumps(call) + "\\n")
        print("request:", event["body"][:20], file=sys.stderr)
        while event["body"] == "wait" and not (FOLDER / "release").exists():
            time.sleep(0.01)
        if event["body"] == "settings":
            return {"statusCode": 200, "body": json.dumps(dict(os.environ))}
        return {"statusCode": 200, "body": "done"}
    """

SERVERLESS = """
    functions:
      transcribe:
        events:
          - schedule:
              rate: "0 0 1 1 *"
              input: {sweep: {bucket: "recordings"}}
    """


class Running:
    """A platform with that function, and the requests that the function got."""

    def __init__(self, folder: Path, platform: LocalPlatform) -> None:
        assert platform.storage is not None
        assert platform.control is not None
        self.folder = folder
        self.url = platform.function.url
        self.pids = platform.function.instance_pids
        self.access = platform.storage.access
        self.control: ControlClient = platform.control
        self.s3 = self.access.client("s3")

    def calls(self) -> list[dict[str, Any]]:
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def bodies(self) -> list[str]:
        return [call["body"] for call in self.calls()]

    def call(self, body: str = "hello") -> requests.Response:
        headers = {"X-Auth-Token": TOKEN, "Connection": "close"}
        return requests.post(self.url, body.encode(), headers=headers, timeout=TIMEOUT_SECONDS)

    def wait_for_queue(self, is_so: Callable[[dict[str, int]], bool]) -> None:
        wait_until(lambda: is_so(self.control.platform()["queue"]))


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("function")
    written(written(folder, HANDLER), SERVERLESS, "serverless.yml")
    options = PlatformOptions(
        folder=folder,
        instances=2,
        recogniser="stand-in",
        storage=True,
        private_token=TOKEN,
        retry_seconds=0.1,
        data_folder=folder / "data",
    )
    with LocalPlatform(options, {"PATH": os.environ["PATH"], "LOG_LEVEL": "debug"}) as platform:
        yield Running(folder, platform)


@pytest.fixture
def running(started: Running) -> Iterator[Running]:
    yield started
    started.control.clear_faults()
    (started.folder / "release").unlink(missing_ok=True)
    (started.folder / "calls").unlink(missing_ok=True)


def test_an_upload_reaches_the_function(running: Running) -> None:
    """The record of an upload is the body of a POST of the platform's trigger, which has the token."""
    before = running.control.platform()["queue"]["delivered"]
    running.s3.put_object(Bucket=running.access.bucket, Key="a b.mp3", Body=b"audio")
    running.wait_for_queue(lambda queue: queue["delivered"] == before + 1)
    (call,) = running.calls()
    (record,) = json.loads(call["body"])["Records"]
    assert record["s3"]["object"]["key"] == "a+b.mp3"
    assert call["headers"]["User-Agent"] == "ScalewayServerlessOrchestrator/1.0"
    state = running.control.platform()
    assert (state["requests"][0]["trigger"], state["requests"][0]["status"]) == ("queue", 200)
    assert state["requests"][0]["request_id"] == call["headers"]["X-Request-Id"]
    (entry,) = state["bucket"]["objects"]
    assert (entry["key"], entry["size_bytes"], entry["etag"]) == ("a b.mp3", 5, record["s3"]["object"]["eTag"])


def test_the_function_has_the_settings(running: Running) -> None:
    """The function's environment has the addresses and keys of storage and queue, and a secret for callbacks."""
    settings = running.call("settings").json()
    assert settings.items() >= dict(running.access.function_environment).items()
    assert settings["CALLBACK_SECRET"].startswith("whsec_")
    assert not any(name.startswith("EMULAT") for name in settings)


def test_a_published_message_is_delivered(running: Running) -> None:
    """A published message becomes the body of a POST, unchanged; an empty one is refused."""
    running.control.publish('{"url": "é"}'.encode())
    wait_until(lambda: running.bodies() == ['{"url": "é"}'])
    with pytest.raises(ValueError, match="it is empty"):
        running.control.publish(b"")


def test_a_schedule_is_fired(running: Running) -> None:
    """A schedule's input is sent as JSON; a number without a schedule is an error."""
    running.control.fire(0)
    wait_until(lambda: running.control.platform()["crons"][0]["last_status"] == 200)
    assert running.bodies() == ['{"sweep": {"bucket": "recordings"}}']
    assert running.control.platform()["requests"][0]["trigger"] == "cron"
    with pytest.raises(ValueError, match="1 schedules"):
        running.control.fire(1)


def test_lifecycle_rules_are_fired(running: Running) -> None:
    """The control ends what the storage's rules would have ended in some days, and refuses what are no days."""
    rule = {"ID": "old", "Status": "Enabled", "Prefix": "old/", "Expiration": {"Days": 7}}
    running.s3.put_bucket_lifecycle_configuration(
        Bucket=running.access.bucket, LifecycleConfiguration={"Rules": [rule]}
    )
    running.s3.put_object(Bucket=running.access.bucket, Key="old/a.txt", Body=b"text")
    assert running.control.fire_lifecycle(6)["objects"] == 0
    assert running.control.fire_lifecycle(8) == {"objects": 1, "multipart_uploads": 0}
    for days in (-1, 10_000):
        with pytest.raises(ValueError, match="days is a number"):
            running.control.fire_lifecycle(days)


def test_an_instance_is_killed_during_a_request(running: Running) -> None:
    """A kill ends the process after the handler has started; the message is delivered again, to another process."""
    before = running.control.platform()["queue"]
    running.control.fault("kill", trigger="queue", seconds=0.5)
    running.control.publish(b"survives")
    running.wait_for_queue(lambda queue: queue["delivered"] == before["delivered"] + 1)
    calls = running.calls()
    assert [call["body"] for call in calls] == ["survives", "survives"]
    wait_until(lambda: len(running.pids()) == 2)
    assert calls[0]["pid"] not in running.pids()
    assert calls[1]["pid"] in running.pids()
    assert running.control.platform()["queue"]["redelivered"] == before["redelivered"] + 1


def test_a_client_of_a_killed_instance_gets_the_platforms_error(running: Running) -> None:
    """An immediate kill is a 500 with the platform's text, and never the handler's answer."""
    running.control.fault("kill")
    answer = running.call()
    assert (answer.status_code, "too many retries" in answer.text) == (500, True)
    assert running.call().text == "done"


def test_an_answer_is_lost(running: Running) -> None:
    """The handler runs, but the client gets a broken connection or an error; later requests are answered."""
    running.control.fault("lose", trigger="http")
    running.control.fault("lose", trigger="http", status=502)
    with pytest.raises(requests.ConnectionError):
        running.call("lost")
    assert running.call("lost too").status_code == 502
    assert running.call("answered").text == "done"
    assert running.bodies() == ["lost", "lost too", "answered"]
    assert [record["status"] for record in running.control.platform()["requests"][:3]] == [200, 502, None]


def test_a_lost_answer_to_the_trigger_is_redelivered(running: Running) -> None:
    """The function gets a message twice if its first answer is lost."""
    running.control.fault("lose", trigger="queue")
    running.control.publish(b"again")
    wait_until(lambda: running.bodies() == ["again", "again"])


def test_a_doubled_message(running: Running) -> None:
    """A doubled message is delivered to two instances at the same time."""
    running.control.fault("double")
    running.control.publish(b"wait")
    wait_until(lambda: running.bodies() == ["wait", "wait"])
    assert all(instance["busy_since"] for instance in running.control.platform()["instances"])
    (running.folder / "release").touch()
    running.wait_for_queue(lambda queue: queue["in_flight"] == 0)
    assert len({call["pid"] for call in running.calls()}) == 2


def test_the_state_shows_busy_instances_and_the_log(running: Running) -> None:
    """A busy instance is shown with its start time, and the log has the function's output."""
    started = time.time()
    running.control.publish(b"wait")
    wait_until(lambda: running.bodies() == ["wait"])
    pid = running.calls()[0]["pid"]
    instances = {entry["pid"]: entry["busy_since"] for entry in running.control.platform()["instances"]}
    assert sorted(instances) == running.pids()
    assert started - 1 < instances.pop(pid) <= time.time()
    assert list(instances.values()) == [None]
    (running.folder / "release").touch()
    wait_until(lambda: not any(entry["busy_since"] for entry in running.control.platform()["instances"]))
    wait_until(lambda: running.control.platform()["log"][-1] == "request: wait")


def test_an_instance_that_is_killed_from_outside_is_replaced(running: Running) -> None:
    """The state shows the running processes only, with the new one in place of the killed one."""
    gone = running.pids()[0]
    os.kill(gone, signal.SIGKILL)
    wait_until(lambda: len(running.pids()) == 2 and gone not in running.pids())
    assert [entry["pid"] for entry in running.control.platform()["instances"]] == running.pids()


def test_the_state_has_the_documented_shape(running: Running) -> None:
    """The JSON has exactly the names of `platform_state`, at each level, and no secret."""
    running.s3.put_object(Bucket=running.access.bucket, Key="a.mp3", Body=b"audio")
    running.control.fault("kill", count=3, share=0.5, trigger="cron")
    wait_until(lambda: running.bodies() != [])
    wait_until(lambda: running.control.platform()["requests"] != [])
    state = running.control.platform()

    def assert_shape(value: dict[str, Any], kind: type) -> None:
        assert list(value) == [field.name for field in dataclasses.fields(kind)]

    assert_shape(state, PlatformState)
    assert_shape(state["requests"][0], RequestRecord)
    assert_shape(state["instances"][0], InstanceState)
    assert_shape(state["bucket"], BucketState)
    assert_shape(state["bucket"]["objects"][0], ObjectState)
    assert_shape(state["queue"], QueueState)
    assert_shape(state["crons"][0], CronState)
    assert_shape(state["faults"][0], FaultState)
    assert state["faults"] == [{"fault": "kill", "left": 3, "share": 0.5}]
    assert_shape(state["quota"], QuotaState)
    assert running.access.secret_key not in json.dumps(state)
    assert TOKEN not in json.dumps(state)


def test_a_wrong_request_is_explained(running: Running) -> None:
    """An unknown fault is a 400 whose message names the field, and an unknown path a 404, both as JSON."""
    with pytest.raises(ValueError, match=r"fault: .*kill"):
        running.control.fault("melt")
    answer = requests.get(f"{running.control.url}/nothing", timeout=TIMEOUT_SECONDS)
    assert (answer.status_code, list(answer.json())) == (404, ["error"])


def test_the_control_takes_no_path_of_the_function(running: Running) -> None:
    """At the function's address, the control's paths belong to the function."""
    answer = requests.get(f"{running.url}/_emulator/platform", headers={"X-Auth-Token": TOKEN}, timeout=TIMEOUT_SECONDS)
    assert answer.text == "done"


def test_storage_settings_of_the_user_are_kept(tmp_path: Path) -> None:
    """With S3 settings in the environment, the emulated ones are not added; those of the queue are."""
    written(tmp_path, HANDLER)
    environment = {"PATH": os.environ["PATH"], "S3_ACCESS_KEY": "mine", "CALLBACK_SECRET": "whsec_mine"}
    options = PlatformOptions(folder=tmp_path, recogniser="stand-in", storage=True)
    with LocalPlatform(options, environment) as platform:
        settings = requests.post(platform.function.url, b"settings", timeout=TIMEOUT_SECONDS).json()
    assert {name for name in settings if name.startswith("S3_")} == {"S3_ACCESS_KEY"}
    assert settings["CALLBACK_SECRET"] == "whsec_mine"
    assert settings["QUEUE_URL"].endswith("/uploads")


def test_a_schedule_that_the_platform_refuses_stops_the_start(tmp_path: Path) -> None:
    """`*/15` in serverless.yml is an error at the start, since the deployment would fail with it."""
    written(written(tmp_path, HANDLER), SERVERLESS.replace("0 0 1 1 *", "*/15 * * * *"), "serverless.yml")
    with pytest.raises(ScheduleError, match="0,15,30,45"):
        LocalPlatform(PlatformOptions(folder=tmp_path, recogniser="stand-in", storage=True), {})
    assert issubclass(ScheduleError, ServerFailedError)


def test_without_storage_nothing_of_it_is_started(tmp_path: Path) -> None:
    """By default neither storage nor control is started, and the function's environment has no settings for them."""
    with LocalPlatform(PlatformOptions(folder=written(tmp_path, HANDLER), recogniser="stand-in"), {}) as platform:
        assert (platform.storage, platform.control) == (None, None)
        settings = requests.post(platform.function.url, b"settings", timeout=TIMEOUT_SECONDS).json()
    assert not any(name.startswith(("S3_", "QUEUE_", "CALLBACK_")) for name in settings)
