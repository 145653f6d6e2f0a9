"""Turns a failure of one of the account's APIs into a sentence: which right or quota is missing, or what else to do."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from requests import RequestException
from scaleway_core.api import ScalewayException

from deploy_tools.errors import DeploymentError
from deploy_tools.facts import DEPLOYER_RIGHTS

UNAUTHORIZED, FORBIDDEN = 401, 403
# How S3 and SQS say that a key is not known, or that a right is missing.
WRONG_KEY_CODES = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidClientTokenId"})
DENIED_CODES = frozenset({"AccessDenied", "AccessDeniedException", "Forbidden", "403"})
QUOTA_CODES = frozenset({"TooManyBuckets", "QuotaExceeded", "OverLimit"})
# An answer is quoted no further than this: a proxy's error page explains nothing more.
MAX_QUOTED = 300

AGAIN = "Run the command again: it goes on from there."


@contextmanager
def explained(doing: str, area: str) -> Iterator[None]:
    """Raise each failure in the block as a `DeploymentError`: `doing`, as in "make the bucket", could not be done.

    `area` is the part of the account, by its name in `DEPLOYER_RIGHTS`.
    """
    try:
        yield
    except ScalewayException as error:
        raise DeploymentError(f"Could not {doing}: {_reason_of_api(error, area)}") from None
    except ClientError as error:
        raise DeploymentError(f"Could not {doing}: {_reason_of_protocol(error, area)}") from None
    except (RequestException, BotoCoreError) as error:
        # Its text may hold an address, never a key: keys are sent as headers and signatures.
        reason = f"there was no answer that can be read ({type(error).__name__}). {AGAIN}"
        raise DeploymentError(f"Could not {doing}: {reason}") from None


def status_of(error: ScalewayException) -> int:
    """The HTTP status of the answer."""
    return int(error.status_code or 0)


def code_of(error: ClientError) -> str:
    """The error's code in S3 and SQS, such as `NoSuchBucket`; a status where the answer had no body."""
    return str(error.response.get("Error", {}).get("Code", "")).removeprefix("AWS.SimpleQueueService.")


def _reason_of_api(error: ScalewayException, area: str) -> str:
    status, body = status_of(error), _json(error)
    kind, message = body.get("type", ""), _quoted(body.get("message"))
    listed = body.get("details")
    details = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    if status == UNAUTHORIZED or kind == "denied_authentication":
        return "SCW_SECRET_KEY is not taken; it is wrong, over its date, or was removed."
    if kind == "quotas_exceeded":
        return f"a quota of the account is used up{_quotas(details)}. Have it raised in the console, under Quotas."
    if status == FORBIDDEN or kind == "permissions_denied":
        denied = ", ".join(f"{each.get('action', '?')} {each.get('resource', '?')}" for each in details)
        return f"{_missing_right(area)}{f' (refused: {denied})' if denied else ''}."
    if kind == "invalid_arguments":
        fields = "; ".join(f"{each.get('argument_name', '?')}: {each.get('help_message', '')}" for each in details)
        return f"the API refuses {_quoted(fields) or message}."
    return f"the API answers {status}{f', {message}' if message else ''}. {AGAIN}"


def _reason_of_protocol(error: ClientError, area: str) -> str:
    code = code_of(error)
    if code in WRONG_KEY_CODES:
        return "the key is not taken; it is wrong, over its date, or was removed."
    if code in DENIED_CODES:
        return f"{_missing_right(area)}, or a policy of the bucket shuts its owner out."
    if code in QUOTA_CODES:
        return f"a quota of the account is used up ({code}). Have it raised in the console, under Quotas."
    if code == "BucketAlreadyExists":
        return "another account has a bucket of this name; names are unique in all of Scaleway. Take another one."
    message = _quoted(error.response.get("Error", {}).get("Message"))
    return f"the answer is {code}{f', {message}' if message else ''}. {AGAIN}"


def _missing_right(area: str) -> str:
    return f"the key of SCW_SECRET_KEY lacks a right; it needs {' and '.join(DEPLOYER_RIGHTS[area])} for the project"


def _quotas(details: list[dict[str, Any]]) -> str:
    named = [f"{each.get('resource', '?')}: {each.get('current', '?')} of {each.get('quota', '?')}" for each in details]
    return f" ({', '.join(named)})" if named else ""


def _json(error: ScalewayException) -> dict[str, Any]:
    try:
        body = json.loads(error.response.text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _quoted(text: object) -> str:
    return str(text or "").strip().rstrip(".")[:MAX_QUOTED]
