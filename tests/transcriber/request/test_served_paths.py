"""Paths of the OpenAI API that are not served say so; every other path is the function's own."""

import pytest

from transcriber.errors import MethodNotAllowedError, PathNotServedError
from transcriber.request.event import HttpRequest
from transcriber.request.openai_api import ApiPath
from transcriber.request.parse import read_request
from transcriber.request.served_paths import UNSERVED, model_of, refuse_unserved
from transcriber.settings import Settings

SETTINGS = Settings(api_key="key")


@pytest.mark.parametrize("name", UNSERVED)
@pytest.mark.parametrize("base", ["/v1", "/mounted/here/v1", "", "/openai/deployments/whisper"])
def test_what_is_not_served_says_what_is(name: str, base: str) -> None:
    """Each other path of the API is a 404 that names a path which is served, by any method, with an id or without."""
    for path in (f"{base}/{name}", f"{base}/{name}/", f"{base}/{name}/an-id"):
        for method in ("GET", "POST"):
            with pytest.raises(PathNotServedError, match=r"POST /v1/") as caught:
                read_request(HttpRequest(method, path, {}, {}, '{"input": "hello"}', "the-id"), SETTINGS)
            assert caught.value.status == 404


@pytest.mark.parametrize("path", ["/v1/anything", "/v1/audio/anything", "/v1/chat", "/fn/responses", "/a/completions"])
def test_unknown_paths_of_the_api(path: str) -> None:
    """What nobody has listed is refused likewise, where the API's version or a name that is only its own tells it."""
    with pytest.raises(PathNotServedError):
        refuse_unserved(path)


@pytest.mark.parametrize(
    "path",
    [
        *(f"/v1{each}" for each in ApiPath if each),
        *(f"/mount/v1{each}/" for each in ApiPath if each),
        *(
            "/",
            "",
            "/v1",
            "/v1/",
            "/my/files",
            "/a/mount/images/in",
            "/transcribe",
            "/openai/deployments/a/chat/completions",
        ),
        *(
            "/v1/models/mistral/voxtral:fp8",
            "/v1/audio/transcriptions/job_1/content",
            "/my-responses",
            "/v1beta/models",
        ),
    ],
)
def test_other_paths_are_served(path: str) -> None:
    """The API's own paths, with what follows them, and every path of a mount, stay what they are."""
    refuse_unserved(path)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/audio/transcriptions/", "/v1/uploads"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_is_only_sent_cannot_be_read(method: str, path: str) -> None:
    """A client that lists what is not kept here gets a 405, and not a status that it would take for an empty list."""
    with pytest.raises(MethodNotAllowedError) as caught:
        read_request(HttpRequest(method, path, {}, {}, "", "the-id"), SETTINGS)
    assert caught.value.allowed == ("OPTIONS", "POST")


@pytest.mark.parametrize(
    ("path", "model"),
    [("/v1/models/a", "a"), ("/v1/models/a/b:c/", "a/b:c"), ("/v1/models", None), ("/v1/models/", None), ("/", None)],
)
def test_the_model_of_a_path(path: str, model: str | None) -> None:
    """A model's name may have slashes; the list of models names none."""
    assert model_of(path) == model
