"""The queue: messages leave in batches, what is refused is sent again, and failures say what to look at."""

import re
import time
from urllib.parse import parse_qs

import pytest
from support.loopback import Conversation, Peer, body_of, serve

from transcriber.cloud.queue import MAX_ATTEMPTS, Queue
from transcriber.cloud.queue_limits import MAX_BATCH, MAX_MESSAGE_BYTES
from transcriber.deadline import Deadline
from transcriber.errors import QueueFailedError, RequestError, SettingsError
from transcriber.retry import RetryPolicy
from transcriber.settings import Account, Settings


def queue_at(url: str) -> Queue:
    settings = Settings(api_key="key", queue=Account("an-access-key", "a-secret-key"), queue_url=url)
    return Queue(settings, retry=RetryPolicy(sleep=lambda _: None, max_attempts=MAX_ATTEMPTS))


def form_of(request: bytes) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(body_of(request).decode()).items()}


def messages_of(request: bytes) -> list[str]:
    return [text for name, text in form_of(request).items() if name.endswith("MessageBody")]


def taking(*, all_but: frozenset[str] = frozenset()) -> Conversation:
    """A queue that takes every message of a batch but those of these ids."""

    def conversation(peer: Peer) -> None:
        ids = [text for name, text in form_of(peer.request).items() if name.endswith(".Id")]
        kind = {True: "BatchResultErrorEntry", False: "SendMessageBatchResultEntry"}
        entries = "".join(f"<{kind[name in all_but]}><Id>{name}</Id></{kind[name in all_but]}>" for name in ids)
        peer.answer(f'<R xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><S>{entries}</S></R>'.encode())

    return conversation


def test_messages_leave_in_batches() -> None:
    """As many messages go in a batch as the protocol takes, by number and by size, in their order, signed."""
    small, large = [f"{number}" for number in range(MAX_BATCH + 1)], ["x" * (MAX_MESSAGE_BYTES // 2)] * 3
    with serve(taking()) as server:
        queue_at(server.url).send([*small, *large], deadline=Deadline(5))
    assert [len(messages_of(request)) for request in server.requests] == [MAX_BATCH, 2, 2]
    assert [message for request in server.requests for message in messages_of(request)] == [*small, *large]
    assert re.search(rb"Credential=an-access-key/\d+/fr-par/sqs/aws4_request", server.requests[0])


def test_no_message_is_held_back() -> None:
    """No delay is requested: Scaleway's queues have none."""
    with serve(taking()) as server:
        queue_at(server.url).send(["a", "b"], deadline=Deadline(5))
    assert [name for name in form_of(server.requests[0]) if "Delay" in name] == []


def test_message_that_is_too_large_is_refused_before_any_is_sent() -> None:
    """A message over the protocol's limit is an error that states its size, and nothing is sent."""
    with serve(taking()) as server, pytest.raises(RequestError, match="262,145 bytes"):
        queue_at(server.url).send(["a", "x" * (MAX_MESSAGE_BYTES + 1)], deadline=Deadline(5))
    assert server.requests == []


def test_queue_that_drips_ends_by_the_deadline() -> None:
    """A queue that sends its answer byte by byte ends when the time does."""

    def drip(peer: Peer) -> None:
        for byte in b"HTTP/1.1 200 OK" * 20:
            peer.send(bytes([byte]))
            if peer.stopped.wait(0.2):
                return

    began = time.monotonic()
    with serve(drip) as server, pytest.raises(QueueFailedError):
        queue_at(server.url).send(["a"], deadline=Deadline(1.5))
    assert time.monotonic() - began < 4


def test_refused_part_of_a_batch_is_sent_again() -> None:
    """Only what the queue did not take is sent again."""
    refusals = iter([frozenset("13"), frozenset[str]()])

    def conversation(peer: Peer) -> None:
        taking(all_but=next(refusals))(peer)

    with serve(conversation) as server:
        queue_at(server.url).send(["a", "b", "c", "d"], deadline=Deadline(5))
    assert [messages_of(request) for request in server.requests] == [["a", "b", "c", "d"], ["b", "d"]]


@pytest.mark.parametrize(
    "conversation",
    [
        taking(all_but=frozenset("0")),
        Peer.reset,
        lambda peer: peer.answer(b"<"),
        lambda peer: peer.answer(status="500 X"),
    ],
    ids=["refuses", "resets", "garbage", "fails"],
)
def test_queue_on_a_bad_day(conversation: Conversation) -> None:
    """A queue that takes nothing is an error after a few tries."""
    with serve(conversation) as server, pytest.raises(QueueFailedError):
        queue_at(server.url).send(["a"], deadline=Deadline(60))
    assert len(server.requests) == MAX_ATTEMPTS


@pytest.mark.parametrize("status", ["403 X", "404 X"])
def test_wrong_queue_is_a_wrong_setting(status: str) -> None:
    """A queue that is not there, or refuses the key pair, is the operator's to mend, and not tried again."""
    with serve(lambda peer: peer.answer(status=status)) as server, pytest.raises(SettingsError, match="QUEUE_URL"):
        queue_at(server.url).send(["a"], deadline=Deadline(5))
    assert len(server.requests) == 1


def test_region_is_that_of_the_address() -> None:
    """Scaleway's address names the region that requests are signed for."""
    queue = queue_at("https://sqs.mnq.nl-ams.scaleway.com/project/jobs")
    assert queue._client._signer.region == "nl-ams"
