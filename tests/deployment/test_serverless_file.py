"""serverless.yml: it holds nothing that the plugin would pass over in silence or the API refuse, and every setting."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError
from support.deployments import CONFIGURATION, ROOT, needs_node, with_triggers
from support.serverless_file import Event, Function, properties_read_by, read

from build_archive.standard_library import FOLDER as BYTECODE_FOLDER
from deploy_tools.archive import ROOT_NAMES
from deploy_tools.node import MODULES, install_tools
from transcriber.settings import Settings

TEXT = CONFIGURATION.read_text()
FUNCTION = read(TEXT).functions["transcribe"]

# Read by the plugin, and not to be set: the one is the function's key in the file, the other in no documentation.
NOT_TO_BE_SET = {"name", "domain_name"}


@pytest.mark.parametrize("text", [TEXT, with_triggers(TEXT)], ids=["as it is", "with triggers"])
def test_file_is_valid(text: str) -> None:
    """Each property is one that the plugin reads, with a value that is allowed; so are those that are commented out."""
    read(text)


def test_triggers_are_off() -> None:
    """No trigger is deployed before its bucket and queue exist; the commented-out ones are a schedule and a queue."""
    assert FUNCTION.events == []
    schedule, queue = read(with_triggers(TEXT)).functions["transcribe"].events
    assert schedule.schedule is not None
    assert schedule.schedule.input.keys() == {"sweep"}
    assert queue.sqs is not None


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("memoryLimit: 256", "memorylimit: 256"),
        ("memoryLimit: 256", "memoryLimit: 300"),
        ("memoryLimit: 256", 'memoryLimit: "256"'),
        ("minScale: 0", "minScale: 21"),
        ("maxScale: 20", "maxScale: 51"),
        ("maxScale: 20", "maxscale: 20"),
        ('timeout: "900s"', "timeout: 300"),
        ('timeout: "900s"', 'timeout: "5m"'),
        ('timeout: "900s"', 'timeout: "3601s"'),
        ('sandbox: "v2"', 'sandbox: "v3"'),
        ('privacy: "private"', 'privacy: "secret"'),
        ('httpOption: "redirected"', 'httpOption: "redirect"'),
        ('httpOption: "redirected"', 'http_option: "redirected"'),
        ('runtime: "python311"', 'runtime: "python3.11"'),
        ('TIME_LIMIT: "890"', "TIME_LIMIT: 290"),
        ('TIME_LIMIT: "890"', 'SCW_SECRET_KEY: "890"'),
        ("ACCESS_TOKEN: \"${env:ACCESS_TOKEN, ''}\"", 'ACCESS_TOKEN: "in the file"'),
        ("ACCESS_TOKEN: \"${env:ACCESS_TOKEN, ''}\"", 'LOG_LEVEL: "${env:ACCESS_TOKEN}"'),
        ("    secret:\n", "    secrets:\n"),
        ('- "!**"', '- "**"'),
        ("  scwRegion:", '  scwToken: "key"\n  scwRegion:'),
        ("  scwRegion:", "  env: {}\n  scwRegion:"),
        ('rate: "0,5,10,15,20,25,30,35,40,45,50,55 * * * *"', 'rate: "*/15 * * * *"'),
        ('rate: "0,5,10,15,20,25,30,35,40,45,50,55 * * * *"', 'rate: "0 8 * * MON-FRI"'),
        ('rate: "0,5,10,15,20,25,30,35,40,45,50,55 * * * *"', 'rate: "0 8 * * 1,3-5"'),
        ('rate: "0,5,10,15,20,25,30,35,40,45,50,55 * * * *"', 'rate: "0 24 * * *"'),
        ('rate: "0,5,10,15,20,25,30,35,40,45,50,55 * * * *"', 'rate: "0 * * *"'),
        ('rate: "0,5,10,15,20,25,30,35,40,45,50,55 * * * *"', 'schedule: "0,5,10,15,20,25,30,35,40,45,50,55 * * * *"'),
        ('queue: "uploads"', 'queue_name: "uploads"'),
        ("- sqs:", "- queue:"),
    ],
)
def test_mistakes_are_found(right: str, wrong: str) -> None:
    """A property that is misspelt, and a value that is not allowed, is an error."""
    text = with_triggers(TEXT)
    assert right in text
    with pytest.raises(ValidationError):
        read(text.replace(right, wrong))


@pytest.mark.parametrize("rate", ["0,15,30,45 * * * *", "0 8 * * 1-5", "30 3 1 1 0"])
def test_rates_that_are_allowed(rate: str) -> None:
    """Lists, ranges and numbers pass."""
    read(with_triggers(TEXT).replace('rate: "0,5,10,15,20,25,30,35,40,45,50,55 * * * *"', f'rate: "{rate}"'))


@needs_node()
@pytest.mark.timeout(600)
def test_properties_are_those_of_the_plugin() -> None:
    """The properties known here are the ones that the installed plugin reads: a new version of it is noticed."""
    install_tools()
    plugin = MODULES / "serverless-scaleway-functions"
    functions = plugin / "deploy" / "lib" / "createFunctions.js"
    triggers = plugin / "deploy" / "lib" / "deployTriggers.js"
    assert properties_read_by(functions, "func") | {"events"} == aliases(Function) | NOT_TO_BE_SET
    assert properties_read_by(triggers, "event") == aliases(Event)
    assert properties_read_by(triggers, r"event\.schedule") == {"rate", "input"}
    assert properties_read_by(triggers, r"event\.sqs") == {"name", "queue", "projectId", "region"}
    assert properties_read_by(triggers, r"event\.nats") == {"name", "scw_nats_config"}


def aliases(properties: type[Function | Event]) -> set[str]:
    return {field.alias or name for name, field in properties.model_fields.items()}


def test_every_setting_can_be_deployed() -> None:
    """Each variable that the function reads is in the file, a secret as a secret, and no other variable is."""
    source = (ROOT / "transcriber" / "settings.py").read_text()
    read_by_function = {
        (name, kind == "secret")
        for kind, name in re.findall(r'values\.(\w+)\(\s*"([A-Z0-9_]+)"', source)
        # The platform reserves these: they are for a laptop. The quota's minute is shorter in trials alone.
        if not name.startswith("SCW_") and name != "MINUTE_SECONDS"
    }
    deployed = {(name, False) for name in FUNCTION.env} | {(name, True) for name in FUNCTION.secret}
    assert deployed == read_by_function


def test_variables_take_their_own_name() -> None:
    """A variable comes from the variable of the same name, so that what is set is what is deployed."""
    for name, value in (FUNCTION.env | FUNCTION.secret).items():
        assert name == "TIME_LIMIT" or re.fullmatch(rf"\$\{{env:{name}(, '[^']*')?\}}", value), (name, value)


def test_defaults_are_the_settings_own() -> None:
    """With nothing but the required key set, the deployed function has its defaults, but for the time it is given."""
    deployed = {name: re.sub(r"^\$\{env:\w+, '(.*)'\}$", r"\1", value) for name, value in FUNCTION.env.items()}
    key = {"GENERATIVE_API_KEY": "key"}
    own = Settings.from_environment(key | {"TIME_LIMIT": FUNCTION.env["TIME_LIMIT"]})
    assert Settings.from_environment(deployed | key) == own


def test_time_limit_is_under_the_timeout() -> None:
    """The function gives up a little before it is stopped, so that its client gets an answer that says so."""
    assert 5 <= int(FUNCTION.timeout.removesuffix("s")) - int(FUNCTION.env["TIME_LIMIT"]) <= 30


def test_function_is_not_open_by_default() -> None:
    """The platform checks who calls: ACCESS_TOKEN, which would do it instead, is optional."""
    assert FUNCTION.privacy == "private"
    assert FUNCTION.secret["ACCESS_TOKEN"].endswith(", ''}")


def test_whitelist_is_the_archive() -> None:
    """The framework packs what an archive of scripts/build has at its root."""
    patterns = read(TEXT).package.patterns[1:]
    assert {Path(pattern).parts[0] for pattern in patterns} == ROOT_NAMES | {BYTECODE_FOLDER}


def test_every_property_is_explained() -> None:
    """Each property of the function with a choice in it has a comment above it."""
    lines = TEXT.splitlines()
    for field in FUNCTION.model_fields_set - {"handler", "description"}:
        name = Function.model_fields[field].alias
        (index,) = (index for index, line in enumerate(lines) if line.startswith(f"    {name}:"))
        assert lines[index - 1].startswith("    # "), name
