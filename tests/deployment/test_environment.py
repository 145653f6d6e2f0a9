"""The environment of one who deploys: all that is missing or wrong is told at once, before anything else happens."""

from uuid import uuid4

import pytest
from support.deployments import CONFIGURATION

from deploy_tools.environment import check_environment
from deploy_tools.errors import DeploymentError
from deploy_tools.facts import MAX_VALUE_LENGTH

TEXT = CONFIGURATION.read_text()
COMPLETE = {
    "SCW_SECRET_KEY": str(uuid4()),
    "SCW_DEFAULT_PROJECT_ID": str(uuid4()),
    "GENERATIVE_API_KEY": "api-key",
}


def test_secrets_are_told() -> None:
    """The secrets are the account's key and the function's secrets that are set, but no project or model."""
    environment = COMPLETE | {"ACCESS_TOKEN": "token", "MODELS": "whisper-large-v3", "UNRELATED": "value"}
    assert check_environment(environment, TEXT) == (COMPLETE["SCW_SECRET_KEY"], "api-key", "token")
    assert check_environment(COMPLETE | {"ACCESS_TOKEN": ""}, TEXT) == (COMPLETE["SCW_SECRET_KEY"], "api-key")


def test_everything_is_told_at_once() -> None:
    """Without any variable, each one that is required has its line."""
    with pytest.raises(DeploymentError) as caught:
        check_environment({}, TEXT)
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0].strip() for line in lines[1:]] == list(COMPLETE)


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("SCW_SECRET_KEY", "too-short", "has 9 characters rather than 36"),
        ("SCW_DEFAULT_PROJECT_ID", "x" * 37, "has 37 characters rather than 36"),
        ("GENERATIVE_API_KEY", "", "is not set"),
        ("GENERATIVE_API_KEY", "with space", "holds a space"),
        ("ACCESS_TOKEN", "secret value", "holds a space"),
        ("MODELS", "unheard-of", "MODEL_APIS"),
        ("MAX_AUDIO_MB", "many", "must be a number"),
        ("LOG_LEVEL", "loud", "is one of"),
        ("MODEL_APIS", ",".join(f"model-{index}=chat" for index in range(5000)), "65,536 characters"),
        ("ACCESS_TOKEN", "x" * 65_537, "65,536 characters"),
    ],
)
def test_wrong_values(variable: str, value: str, told: str) -> None:
    """A value that the plugin, the platform or the function would stumble over is named, and not shown."""
    with pytest.raises(DeploymentError) as caught:
        check_environment(COMPLETE | {variable: value}, TEXT)
    assert variable in str(caught.value)
    assert told in str(caught.value)
    assert not value or variable == "MODELS" or value not in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ACCESS_TOKEN", "x" * MAX_VALUE_LENGTH),
        ("MODEL_APIS", ",".join(f"model-{index}=chat" for index in range(3000))),
    ],
    ids=["secret", "plain"],
)
def test_long_values_are_no_mistake(variable: str, value: str) -> None:
    """A value, plain or secret, may have as many characters as the platform takes."""
    check_environment(COMPLETE | {variable: value}, TEXT)


def test_key_of_the_account_is_no_key_of_the_function() -> None:
    """SCW_SECRET_KEY, which serves the function on a laptop, does not reach it in the cloud, and so does not count."""
    with pytest.raises(DeploymentError, match="GENERATIVE_API_KEY: is not set"):
        check_environment({name: value for name, value in COMPLETE.items() if name.startswith("SCW_")}, TEXT)


def test_other_variables_are_not_looked_at() -> None:
    """What the configuration does not take from the environment is not judged: the file has TIME_LIMIT itself."""
    check_environment(COMPLETE | {"TIME_LIMIT": "wrong"}, TEXT)
