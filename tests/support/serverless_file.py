"""What may stand in a serverless.yml: the properties that version 0.5.0 of Scaleway's plugin reads, and their values.

The plugin reports none that is misspelt, and hands every value on. Some that it reads are left out here on purpose:
credentials, which are for the environment, and variables of the provider, with which its triggers fail.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

MAX_VARIABLES = 100
MAX_TIMEOUT_SECONDS = 3600

# What the fields of a schedule may hold: minute, hour, day of the month, month, day of the week.
RANGES = (range(60), range(24), range(1, 32), range(1, 13), range(8))


def a_rate(text: str) -> str:
    """Five fields, each `*`, a number, numbers with commas, or one range: what the plugin and cron agree on."""
    fields = text.split(" ")
    assert len(fields) == len(RANGES), "has not five fields"
    for written, allowed in zip(fields, RANGES, strict=True):
        assert re.fullmatch(r"\*|\d+(-\d+|(,\d+)+)?", written), f"{written} is refused by the API"
        assert all(int(number) in allowed for number in re.findall(r"\d+", written)), f"{written} is out of range"
    return text


def a_timeout(text: str) -> str:
    assert re.fullmatch(r"[1-9]\d*s", text), "is not seconds, as in 300s"
    assert int(text[:-1]) <= MAX_TIMEOUT_SECONDS, "is longer than the platform takes"
    return text


def a_name(text: str) -> str:
    assert re.fullmatch(r"[A-Z][A-Z0-9_]*", text), "is no name of a variable"
    assert not text.startswith("SCW_"), "is reserved by the platform"
    return text


Variables = Annotated[dict[Annotated[str, AfterValidator(a_name)], str], Field(max_length=MAX_VARIABLES)]


Runtime = Literal["python311", "python312", "python313", "python314"]


class Properties(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class Schedule(Properties):
    rate: Annotated[str, AfterValidator(a_rate)]
    input: dict[str, Any] = {}


class Queue(Properties):
    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9-]{2,100}$")]
    queue: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_.-]{2,80}$")]
    project_id: str | None = None
    region: Literal["fr-par", "nl-ams", "pl-waw"] | None = None


class Nats(Properties):
    name: str
    scw_nats_config: Annotated[dict[str, str], Field(alias="scw_nats_config")]


class Event(Properties):
    schedule: Schedule | None = None
    sqs: Queue | None = None
    nats: Nats | None = None

    @model_validator(mode="after")
    def is_one(self) -> Self:
        assert len(self.model_fields_set) == 1, "an event is of one kind"
        return self


class Function(Properties):
    handler: Annotated[str, Field(pattern=r"^[\w/]+\.\w+$")]
    description: str
    runtime: Runtime | None = None
    memory_limit: Literal[128, 256, 512, 1024, 2048, 3072, 4096]
    min_scale: Annotated[int, Field(ge=0)]
    max_scale: Annotated[int, Field(ge=1, le=50)]
    timeout: Annotated[str, AfterValidator(a_timeout)]
    sandbox: Literal["v1", "v2"]
    privacy: Literal["public", "private"]
    http_option: Literal["enabled", "redirected"]
    private_network_id: str | None = None
    custom_domains: Annotated[list[str], Field(alias="custom_domains")] = []
    env: Variables = {}
    secret: Variables = {}
    events: list[Event] = []

    @model_validator(mode="after")
    def is_consistent(self) -> Self:
        assert self.min_scale <= self.max_scale, "minScale is over maxScale"
        assert not self.env.keys() & self.secret.keys(), "a variable is plain or secret, not both"
        for name, value in self.secret.items():
            assert value.startswith("${env:"), f"the secret {name} stands in the file"
        return self


class Provider(Properties):
    name: Literal["scaleway"]
    runtime: Runtime
    scw_region: str


class Package(Properties):
    exclude_dev_dependencies: Literal[False]
    patterns: list[str]

    @model_validator(mode="after")
    def is_a_whitelist(self) -> Self:
        assert self.patterns[:1] == ["!**"], "the patterns do not begin by leaving everything out"
        return self


class ServerlessFile(Properties):
    service: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    plugins: list[str]
    provider: Provider
    package: Package
    functions: dict[str, Function]
    single_source: bool = False


def read(text: str) -> ServerlessFile:
    """The file, or pydantic's `ValidationError` with each property that is unknown or has a value that is refused."""
    return ServerlessFile.model_validate(yaml.safe_load(text))


def properties_read_by(source: Path, name: str) -> set[str]:
    """The properties of the object `name` that a file of the plugin reads."""
    return set(re.findall(rf"(?<![\w.]){name}\.(\w+)", source.read_text()))
