"""Checks of the queue with the function's own credentials: where it is, what it takes, and its times."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from deploy_tools.facts import QUEUE_REGIONS, visibility_timeout_seconds
from transcriber.cloud.signed_client import SignedClient
from verify_run.finding import Finding, failed, ok, skipped, warned
from verify_run.run import Run
from verify_run.signed import NO_QUEUE, SKEWED, WRONG_KEYS, SignedAnswer, sqs, texts_of

# The function answers it with 200 and counts nothing: a storage sends the same when a notification is set up.
HARMLESS_MESSAGE: Final = '{"Event": "s3:TestEvent", "Service": "scripts/verify"}'
_CREDENTIALS_CURE: Final = (
    "Make credentials of the queue's project and region with the permission to publish (console: Queues, Credentials), "
    "and set QUEUE_ACCESS_KEY and QUEUE_SECRET_KEY."
)


class QueueFacts:
    """What the checks learn for others."""

    skew: float | None = None
    works: bool = False


def queue_client(run: Run) -> SignedClient:
    """A client of the queue in QUEUE_URL."""
    settings = run.settings
    assert settings.queue is not None  # noqa: S101 # the caller looks first
    region = region_of(settings.queue_url) or settings.storage_region
    return SignedClient(settings.queue_url, settings.queue, region=region, service="sqs")


def region_of(url: str) -> str | None:
    """The region in an address of Scaleway's queues; None for another address."""
    match = re.fullmatch(r"sqs\.mnq\.([a-z0-9-]+)\.scaleway\.com", urlsplit(url).hostname or "")
    return match[1] if match else None


def check_queue(run: Run, facts: QueueFacts) -> Iterator[Finding]:
    """Whether the queue is where the function is, can be sent to, and hides messages for long enough."""
    settings = run.settings
    if not settings.queue_url:
        yield skipped("queue", "QUEUE_URL is not set: sweeps transcribe by themselves, and callbacks are not queued")
        return
    if finding := _wrong_region(run):
        yield finding
        return
    client = queue_client(run)
    looked = sqs(client, "GetQueueAttributes", run.deadline, **{"AttributeName.1": "All"})
    facts.skew = run.skew(looked.date)
    if looked.code in SKEWED | WRONG_KEYS or looked.code in NO_QUEUE or looked.status in {0, HTTPStatus.NOT_FOUND}:
        yield _refusal(run, "look at", looked)
        return
    attributes = dict(zip(texts_of(looked.body, "Name"), texts_of(looked.body, "Value"), strict=False))
    sent = sqs(client, "SendMessage", run.deadline, MessageBody=HARMLESS_MESSAGE)
    if not sent.is_ok:
        yield _refusal(run, "send to", sent)
        return
    facts.works = True
    waiting = attributes.get("ApproximateNumberOfMessages", "")
    if waiting == "0":
        run.clean_up.add("a message in the queue", lambda: take_back(client, run))
    yield ok("queue", f"takes messages{f'; {waiting} were waiting' if waiting else ''}")
    yield from _check_times(run, attributes if looked.is_ok else None)


def take_back(client: SignedClient, run: Run) -> None:
    """Receive and delete the message of this run, where credentials allow it; no trigger means that it is there."""
    received = sqs(client, "ReceiveMessage", run.deadline, MaxNumberOfMessages="10", WaitTimeSeconds="0")
    bodies, handles = texts_of(received.body, "Body"), texts_of(received.body, "ReceiptHandle")
    for body, handle in zip(bodies, handles, strict=False):
        if body == HARMLESS_MESSAGE:
            sqs(client, "DeleteMessage", run.deadline, ReceiptHandle=handle)
        else:
            sqs(client, "ChangeMessageVisibility", run.deadline, ReceiptHandle=handle, VisibilityTimeout="0")


def _wrong_region(run: Run) -> Finding | None:
    region, own = region_of(run.settings.queue_url), run.function_region
    if region is None:
        return None
    if region not in QUEUE_REGIONS:
        cure = f"Make the queue in {' or '.join(QUEUE_REGIONS)}, or leave QUEUE_URL unset: the schedule works without."
        return failed("queue", f"QUEUE_URL names {region}, where Scaleway has no queues.", cure)
    if own is not None and region != own:
        return failed(
            "queue",
            f"The queue is in {region}, and the function in {own}: its trigger reads queues of its own region alone.",
            f"Make a queue in {own} (scripts/deploy --bucket does), and set QUEUE_URL and its credentials; or deploy "
            f"the function to {region} (SCW_DEFAULT_REGION).",
        )
    return None


def _refusal(run: Run, deed: str, answer: SignedAnswer) -> Finding:
    region = region_of(run.settings.queue_url) or run.settings.storage_region
    if answer.status == 0:
        cure = "Set QUEUE_URL as the console shows it: https://sqs.mnq.fr-par.scaleway.com/…/name."
        return failed("queue", "The host of QUEUE_URL cannot be reached.", cure)
    if answer.code in SKEWED:
        cure = "Set the clock by the network: sudo timedatectl set-ntp true."
        return failed("queue", f"The queue refuses the time of the request ({answer.label}): the clock is wrong.", cure)
    if answer.code in NO_QUEUE or answer.status == HTTPStatus.NOT_FOUND:
        cure = "Make it (scripts/deploy --bucket does), or set QUEUE_URL of the one that the trigger reads."
        return failed("queue", f"There is no such queue in {region} ({answer.label}).", cure)
    if answer.code in WRONG_KEYS:
        cause = f"QUEUE_ACCESS_KEY and QUEUE_SECRET_KEY are no credentials of queues in {region} ({answer.label})."
        return failed("queue", cause, _CREDENTIALS_CURE)
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return failed("queue", f"The credentials may not {deed} the queue ({answer.label}).", _CREDENTIALS_CURE)
    return failed("queue", f"To {deed} the queue failed: {answer.label}.", "Run this again in some minutes.")


def _check_times(run: Run, attributes: dict[str, str] | None) -> Iterator[Finding]:
    timeout = run.function_timeout_seconds
    if attributes is None or "VisibilityTimeout" not in attributes:
        least = "" if timeout is None else f"; its visibility timeout has to be over {timeout:g} s (see the console)"
        yield skipped("queue times", f"the credentials may only send, which is right{least}")
        return
    hidden = float(attributes["VisibilityTimeout"])
    if timeout is not None and hidden <= timeout:
        yield failed(
            "queue times",
            f"The queue's visibility timeout is {hidden:g} s, and the function may take {timeout:g} s: a message would "
            "be delivered again while the first delivery is still at work.",
            f"Set the queue's visibility timeout to {visibility_timeout_seconds(int(timeout))} s (console: Queues, "
            "Settings; scripts/deploy --bucket does).",
        )
    else:
        yield ok("queue times", f"a message is hidden for {hidden:g} s, longer than the function takes")
    if not attributes.get("RedrivePolicy"):
        cure = "Name a dead-letter queue with maxReceiveCount 4 (scripts/deploy --bucket does)."
        yield warned("dead letters", "The queue has no queue of dead letters: what fails four times is lost.", cure)
