"""The SDK without its types: what the function needs works, and the types can be imported later."""

import gc
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from transcriber.startup.openai_import import garbage_collector_off

ROOT = Path(__file__).parents[3]


def run(code: str) -> Any:
    """What `code` prints as JSON, in an interpreter of its own."""
    done = subprocess.run(  # noqa: S603 # our own code
        [sys.executable, "-c", dedent(code)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_types_are_not_loaded_and_later_are() -> None:
    """Loading the SDK loads no module of its types, and afterwards the real ones can be imported."""
    assert run("""
        import json, sys
        from transcriber.startup.openai_import import load_openai
        openai = load_openai()
        loaded = [name for name in sys.modules if name.startswith("openai.types")]
        from openai.types.chat import ChatCompletion
        import pydantic
        is_model = issubclass(ChatCompletion, pydantic.BaseModel)
        message = {"role": "assistant", "content": "hi"}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        values = {"id": "1", "choices": [choice], "created": 1, "model": "m", "object": "chat.completion"}
        print(json.dumps([loaded, is_model, ChatCompletion.model_validate(values).choices[0].message.content]))
    """) == [[], True, "hi"]


def test_sdk_that_does_not_load_so_is_loaded_as_it_is() -> None:
    """Where the stand-ins are not enough, the SDK is imported whole."""
    assert run("""
        import json, sys
        from transcriber.startup import openai_import as sdk
        def fail(self, spec):
            raise RuntimeError("the import system has changed")
        sdk._StubTypesFinder.create_module = fail
        openai = sdk.load_openai()
        print(json.dumps([openai.OpenAI.__name__, "openai.types.chat" in sys.modules]))
    """) == ["OpenAI", True]


@pytest.mark.parametrize("enabled", [True, False])
def test_garbage_collector_is_left_as_it_was(enabled: bool) -> None:  # noqa: FBT001 # a parameter of the test
    """The collector is off inside, and afterwards as it was before, whatever happens."""
    was_enabled = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        with suppress(KeyError), garbage_collector_off():
            assert not gc.isenabled()
            raise KeyError
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was_enabled else gc.disable)()


def test_refused_request_loads_neither_sdk_nor_requests() -> None:
    """What is answered without a call of the API, or without a URL, does not load what only those need."""
    heavy = ("openai", "requests", "urllib3", "httpx2", "httpcore2", "pydantic", "AntiSSRF", "certifi", "obstore")
    assert (
        run(f"""
        import json, os, sys
        os.environ["GENERATIVE_API_KEY"] = "key"
        sys.stderr = open(os.devnull, "w")
        import handler
        assert handler.handle({{"httpMethod": "GET"}}, {{}})["statusCode"] == 200
        assert handler.handle({{"httpMethod": "POST", "body": "ping"}}, {{}})["statusCode"] == 400
        print(json.dumps([name for name in {heavy} if name in sys.modules]))
    """)
        == []
    )


# What a request with its recording inside loads: a name more here is CPU time more at every cold start.
PACKAGES = [
    *("annotated_types", "anyio", "certifi", "h11", "httpcore2", "httpx2", "idna", "openai", "pydantic"),
    *("pydantic_core", "sniffio", "truststore", "typing_extensions", "typing_inspection"),
]
LIBRARY_MODULES_AT_MOST = 190


def test_plain_request_loads_just_what_it_needs() -> None:
    """A request with its recording inside loads the packages of the list, nothing for URLs, and no type of the SDK."""
    packages, library, unneeded = run("""
        import base64, json, os, sys, sysconfig
        os.environ.update(GENERATIVE_API_KEY="key", GENERATIVE_API_URL="http://127.0.0.1:9", TIME_LIMIT="30")
        log, sys.stderr = sys.stderr, open(os.devnull, "w")
        # Not deployed; the SDK imports them where a package for tests has installed them.
        sys.modules.update(aiohttp=None, h2=None)
        before = set(sys.modules)
        import handler
        audio = open("tests/audio/jfk.mp3", "rb").read()
        answer = handler.handle({"httpMethod": "POST", "body": base64.b64encode(audio).decode()}, {})
        sys.stderr = log
        assert answer["statusCode"] == 502, answer
        files = {name: getattr(sys.modules[name], "__file__", None) or "" for name in set(sys.modules) - before}
        packages = sorted({name.split(".")[0] for name, file in files.items() if "site-packages" in file})
        stdlib = sysconfig.get_path("stdlib")
        library = [name for name, file in files.items() if file.startswith(stdlib) and "site-packages" not in file]
        heavy = ("openai.types", "openai.resources", "transcriber.sources.url", "transcriber.net.ssrf_guard")
        print(json.dumps([packages, len(library), [name for name in heavy if name in files]]))
    """)
    assert packages == PACKAGES
    assert library <= LIBRARY_MODULES_AT_MOST
    assert unneeded == []
