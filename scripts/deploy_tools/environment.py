"""What a deployment takes from the environment: credentials of the account, and the function's settings."""

import re
from collections.abc import Mapping
from pathlib import Path

from deploy_tools.errors import DeploymentError
from deploy_tools.facts import MAX_VALUE_LENGTH
from transcriber.errors import SettingsError
from transcriber.settings import Settings

CREDENTIALS = {
    "SCW_SECRET_KEY": "the secret key of an API key that may manage Serverless Functions",
    "SCW_DEFAULT_PROJECT_ID": "the project to deploy to",
}
# Both are UUIDs; the plugin stops at another length without saying which of them it is.
CREDENTIAL_LENGTH = 36
# What `--bucket` makes itself, and gives to the function alone.
MADE_BY_PIPELINE = {
    "S3_ACCESS_KEY": "a key for Object Storage with the rights that are used",
    "S3_SECRET_KEY": "a key for Object Storage with the rights that are used",
    "QUEUE_URL": "the queue",
    "QUEUE_ACCESS_KEY": "credentials of the queue that can only send",
    "QUEUE_SECRET_KEY": "credentials of the queue that can only send",
}
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# Stands for a key that is going to be made.
_PLACEHOLDER = "a-key-that-is-not-made-yet"

_TAKEN_FROM_ENVIRONMENT = re.compile(r"\$\{env:(\w+)")


def check_environment(environment: Mapping[str, str], configuration: str) -> tuple[str, ...]:
    """The secret values in `environment`, once all that `configuration`, the text of a serverless.yml, takes is there.

    Raises `DeploymentError` with a line for each variable that is missing or wrong.
    """
    problems = list(_problems_of_credentials(environment))
    taken = {
        name: environment[name] for name in _TAKEN_FROM_ENVIRONMENT.findall(configuration) if environment.get(name)
    }
    # The platform reserves these names, so that the function never sees them.
    seen = {name: value for name, value in taken.items() if not name.startswith("SCW_")}
    secrets: tuple[str, ...] = ()
    try:
        # The function would find its settings wrong at the first request; here is the better place.
        secrets = Settings.from_environment(seen).secrets
    except SettingsError as error:
        problems.append(error.message)
    problems += [
        f"{name}: is longer than the {MAX_VALUE_LENGTH:,} characters that the platform takes"
        for name, value in seen.items()
        if len(value) > MAX_VALUE_LENGTH
    ]
    if problems:
        raise DeploymentError("\n".join(["Set these in the environment first:", *(f"  {line}" for line in problems)]))
    return (environment["SCW_SECRET_KEY"], *secrets)


def check_pipeline_environment(environment: Mapping[str, str], configuration: Path, bucket: str) -> tuple[str, ...]:
    """The secret values in `environment`, once it has all that setting up a pipeline for `bucket` takes from there.

    Raises `DeploymentError` with a line for each variable that is missing or wrong.
    """
    problems = [
        f"{name}: unset it, since --bucket makes {meaning}"
        for name, meaning in MADE_BY_PIPELINE.items()
        if environment.get(name)
    ]
    if environment.get("OUTPUT_BUCKET", bucket) not in {"", bucket}:
        problems.append("OUTPUT_BUCKET: unset it, since transcripts go to the bucket of --bucket")
    if environment.get("ACCESS_TOKEN"):
        problems.append("ACCESS_TOKEN: unset it, since triggers cannot send it; the platform guards the function")
    if not BUCKET_NAME.fullmatch(bucket):
        problems.append("--bucket: is 3 to 63 lowercase letters, digits, dots and hyphens")
    if problems:
        raise DeploymentError("\n".join(["Change this first:", *(f"  {line}" for line in problems)]))
    key = {} if environment.get("GENERATIVE_API_KEY") else {"GENERATIVE_API_KEY": _PLACEHOLDER}
    secrets = check_environment({**environment, **key}, text_of(configuration))
    return tuple(secret for secret in secrets if secret != _PLACEHOLDER)


def check_account_environment(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The secret values in `environment`, once it names an account; `DeploymentError` otherwise."""
    if problems := _problems_of_credentials(environment):
        raise DeploymentError("\n".join(["Set these in the environment first:", *(f"  {line}" for line in problems)]))
    return (environment["SCW_SECRET_KEY"],)


def text_of(configuration: Path) -> str:
    """The text of a serverless.yml; `DeploymentError` where it cannot be read."""
    try:
        return configuration.read_text()
    except (OSError, UnicodeError) as error:
        raise DeploymentError(f"{configuration}: cannot be read ({error}).") from error


def _problems_of_credentials(environment: Mapping[str, str]) -> list[str]:
    problems = []
    for name, meaning in CREDENTIALS.items():
        value = environment.get(name, "")
        if not value:
            problems.append(f"{name}: is not set; it is {meaning}")
        elif len(value) != CREDENTIAL_LENGTH:
            problems.append(f"{name}: has {len(value)} characters rather than {CREDENTIAL_LENGTH}; it is {meaning}")
    return problems
