"""What the Functions API takes, field by field, as strictly as its documentation allows."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def unreserved(name: str) -> str:
    assert not name.startswith("SCW_"), "the platform reserves this name"
    return name


Name = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$"), AfterValidator(unreserved)]
Variables = dict[Name, Annotated[str, Field(max_length=65_536)]]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Secret(Body):
    key: Name
    # None takes a secret away.
    value: Annotated[str, Field(min_length=1, max_length=65_536)] | None


class NamespaceUpdate(Body):
    environment_variables: Variables = {}
    secret_environment_variables: list[Secret] = []


class NewNamespace(NamespaceUpdate):
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,19}$")]
    project_id: str


class TagsUpdate(Body):
    redeploy: Literal[False]
    tags: Annotated[list[Annotated[str, Field(min_length=1, max_length=128)]], Field(max_length=10)]


class FunctionUpdate(Body):
    redeploy: bool = False
    runtime: Literal["python311", "python312", "python313", "python314"]
    handler: str
    description: str
    memory_limit: Literal[128, 256, 512, 1024, 2048, 3072, 4096]
    min_scale: Annotated[int, Field(ge=0)]
    max_scale: Annotated[int, Field(ge=1, le=50)]
    timeout: Annotated[str, Field(pattern=r"^\d+s$")]
    privacy: Literal["public", "private"]
    http_option: Literal["enabled", "redirected"]
    sandbox: Literal["v1", "v2"]
    environment_variables: Variables
    secret_environment_variables: list[Secret]


class NewFunction(FunctionUpdate):
    name: str
    namespace_id: str


class NewCron(Body):
    function_id: str
    schedule: str
    args: dict[str, Any]


class Queue(Body):
    queue: str
    mnq_project_id: str
    mnq_region: str


class NewTrigger(Body):
    function_id: str
    name: str
    scw_sqs_config: Queue
