"""Tests of the queue: it has what Scaleway's has, and refuses what that has not, in both of SQS's protocols."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from emulator.storage.server import MAX_DELIVERIES, StorageAccess, StorageServer

UNSUPPORTED = "AWS.SimpleQueueService.UnsupportedOperation"
QUEUE_VISIBILITY_SECONDS = 40
KIB_256 = 256 * 1024


@pytest.fixture(scope="module")
def access() -> Iterator[StorageAccess]:
    with StorageServer(visibility_timeout_seconds=QUEUE_VISIBILITY_SECONDS) as server:
        server.wait_until_ready()
        yield server.access


@pytest.fixture
def sqs(access: StorageAccess) -> Any:
    return access.client("sqs")


@pytest.fixture
def queue_url(sqs: Any) -> Iterator[str]:
    url = sqs.create_queue(QueueName="jobs", Attributes={"VisibilityTimeout": "40"})["QueueUrl"]
    yield url
    sqs.delete_queue(QueueUrl=url)


def code_of(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return str(caught.value.response["Error"]["Code"])


def entry(**fields: Any) -> dict[str, Any]:
    return {"Id": "1", "MessageBody": "a", **fields}


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("send_message", {"MessageBody": "a", "DelaySeconds": 5}),
        ("send_message", {"MessageBody": "a", "DelaySeconds": 0}),
        ("send_message", {"MessageBody": "a", "MessageGroupId": "g"}),
        ("send_message_batch", {"Entries": [entry(DelaySeconds=5)]}),
        ("send_message_batch", {"Entries": [entry(MessageGroupId="g")]}),
        ("receive_message", {"VisibilityTimeout": 5}),
        ("receive_message", {"ReceiveRequestAttemptId": "a"}),
        ("tag_queue", {"Tags": {"a": "b"}}),
        ("list_queue_tags", {}),
        ("add_permission", {"Label": "a", "AWSAccountIds": ["1"], "Actions": ["*"]}),
    ],
)
def test_what_the_queue_does_not_have_is_refused(
    sqs: Any, queue_url: str, action: str, arguments: dict[str, Any]
) -> None:
    """An unsupported parameter or action is an error, and no message is sent."""
    assert code_of(lambda: getattr(sqs, action)(QueueUrl=queue_url, **arguments)) == UNSUPPORTED
    assert "Messages" not in sqs.receive_message(QueueUrl=queue_url)


def test_unsupported_attributes_of_a_queue_are_refused(sqs: Any, queue_url: str) -> None:
    """A queue cannot be created or changed to delay its messages, has no tags, and does not list such attributes."""
    delay = {"Attributes": {"DelaySeconds": "5"}}
    assert code_of(lambda: sqs.create_queue(QueueName="slow", **delay)) == "InvalidAttributeName"
    assert code_of(lambda: sqs.set_queue_attributes(QueueUrl=queue_url, **delay)) == "InvalidAttributeName"
    assert code_of(lambda: sqs.create_queue(QueueName="tagged", tags={"a": "b"})) == UNSUPPORTED
    delayed = ["ApproximateNumberOfMessagesDelayed"]
    asked = lambda: sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=delayed)  # noqa: E731 # one call
    assert code_of(asked) == "InvalidAttributeName"
    everything = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
    assert "DelaySeconds" not in everything
    assert everything["VisibilityTimeout"] == "40"


def test_visibility_is_0_or_the_queues_own(sqs: Any, queue_url: str) -> None:
    """A received message can be given back at once, or held for the queue's own time, but for no other."""
    sqs.send_message(QueueUrl=queue_url, MessageBody="a")
    handle = sqs.receive_message(QueueUrl=queue_url)["Messages"][0]["ReceiptHandle"]

    def change(seconds: int) -> Any:
        return sqs.change_message_visibility(QueueUrl=queue_url, ReceiptHandle=handle, VisibilityTimeout=seconds)

    assert code_of(lambda: change(10)) == "InvalidParameterValue"
    change(40)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue_url)
    change(0)
    handle = sqs.receive_message(QueueUrl=queue_url)["Messages"][0]["ReceiptHandle"]
    batch = [{"Id": "1", "ReceiptHandle": handle, "VisibilityTimeout": 10}]
    refused = lambda: sqs.change_message_visibility_batch(QueueUrl=queue_url, Entries=batch)  # noqa: E731 # one call
    assert code_of(refused) == "InvalidParameterValue"


def test_the_size_of_a_message(sqs: Any, queue_url: str) -> None:
    """A message of 256 KiB is taken; one byte more is refused, also in an attribute, and so is a longer batch."""
    sqs.send_message(QueueUrl=queue_url, MessageBody="a" * KIB_256)
    too_long = lambda: sqs.send_message(QueueUrl=queue_url, MessageBody="é" * (KIB_256 // 2) + "a")  # noqa: E731 # one call
    assert code_of(too_long) == "InvalidParameterValue"
    attributes = {"n": {"DataType": "String", "StringValue": "v"}}

    def with_attribute() -> Any:
        return sqs.send_message(QueueUrl=queue_url, MessageBody="a" * KIB_256, MessageAttributes=attributes)

    assert code_of(with_attribute) == "InvalidParameterValue"
    batch = [{"Id": str(number), "MessageBody": "a" * 100_000} for number in range(3)]
    refused = lambda: sqs.send_message_batch(QueueUrl=queue_url, Entries=batch)  # noqa: E731 # one call
    assert code_of(refused).endswith("BatchRequestTooLong")
    assert sqs.send_message_batch(QueueUrl=queue_url, Entries=batch[:2]).get("Failed", []) == []


def test_the_form_protocol_is_restricted_too(access: StorageAccess, queue_url: str) -> None:
    """A client of SQS's older protocol, a form with XML as its answer, meets the same limits."""
    form = {"Action": "SendMessageBatch", "SendMessageBatchRequestEntry.1.Id": "1"}
    form |= {"SendMessageBatchRequestEntry.1.MessageBody": "a"}
    for extra, status in (({}, 200), ({"SendMessageBatchRequestEntry.1.DelaySeconds": "5"}, 400)):
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        request = AWSRequest("POST", queue_url, kind, urlencode({**form, **extra}))
        keys = Credentials(access.access_key, access.secret_key)
        SigV4Auth(keys, "sqs", access.region).add_auth(request)
        prepared = request.prepare()
        answer = requests.post(queue_url, prepared.body, headers=dict(prepared.headers), timeout=30)
        assert answer.status_code == status, answer.text
        assert (UNSUPPORTED in answer.text) == (status == 400)


def test_the_uploads_queue_keeps_dead_letters(access: StorageAccess, sqs: Any) -> None:
    """A message that was received four times moves to the dead letters instead of being received again."""
    names = ["VisibilityTimeout", "RedrivePolicy", "MaximumMessageSize"]
    attributes = sqs.get_queue_attributes(QueueUrl=access.queue_url, AttributeNames=names)["Attributes"]
    assert attributes["VisibilityTimeout"] == str(QUEUE_VISIBILITY_SECONDS)
    assert json.loads(attributes["RedrivePolicy"])["maxReceiveCount"] == MAX_DELIVERIES
    sqs.send_message(QueueUrl=access.queue_url, MessageBody="bad")
    for _ in range(MAX_DELIVERIES):
        [message] = sqs.receive_message(QueueUrl=access.queue_url)["Messages"]
        handle = {"QueueUrl": access.queue_url, "ReceiptHandle": message["ReceiptHandle"]}
        sqs.change_message_visibility(**handle, VisibilityTimeout=0)
    assert "Messages" not in sqs.receive_message(QueueUrl=access.queue_url)
    [dead] = sqs.receive_message(QueueUrl=access.dead_letters_url)["Messages"]
    assert dead["Body"] == "bad"
