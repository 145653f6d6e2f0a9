"""What a deployment takes from the environment: credentials of the account, and the function's settings."""

import re
from collections.abc import Mapping

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


def _problems_of_credentials(environment: Mapping[str, str]) -> list[str]:
    problems = []
    for name, meaning in CREDENTIALS.items():
        value = environment.get(name, "")
        if not value:
            problems.append(f"{name}: is not set; it is {meaning}")
        elif len(value) != CREDENTIAL_LENGTH:
            problems.append(f"{name}: has {len(value)} characters rather than {CREDENTIAL_LENGTH}; it is {meaning}")
    return problems
