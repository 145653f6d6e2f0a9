"""Tests of the names of handlers."""

from pathlib import Path

import pytest

from emulator.runtime.handler_name import HandlerName, HandlerNameError, configured_handler, parse_handler_name


@pytest.mark.parametrize(
    ("name", "parts", "file"),
    [
        ("handler.handle", HandlerName("", "handler", "handle"), "handler.py"),
        ("src/main.handle", HandlerName("src", "main", "handle"), "src/main.py"),
        ("src.main.handle", HandlerName("", "src.main", "handle"), "src/main.py"),
        ("./my-src/a/b.c", HandlerName("./my-src/a", "b", "c"), "./my-src/a/b.py"),
    ],
)
def test_the_parts_of_a_name(name: str, parts: HandlerName, file: str) -> None:
    """A path, a module and a function, with the module's file."""
    assert parse_handler_name(name) == parts
    assert parts.file == file


@pytest.mark.parametrize("name", ["", "handle", "/abs/handler.handle", "../up/handler.handle", "a b.handle", "src/.h"])
def test_what_is_no_name(name: str) -> None:
    """The error names what was given, and shows the form."""
    with pytest.raises(HandlerNameError, match=r"handler\.handle"):
        parse_handler_name(name)


@pytest.mark.parametrize(
    ("content", "handler"),
    [
        ("functions: {a: {handler: src.main.handle}, b: {handler: x.y}}", "src.main.handle"),
        ("functions: {a: {runtime: python311}}", "handler.handle"),
        ("service: a", "handler.handle"),
        ("", "handler.handle"),
    ],
)
def test_the_configured_handler(tmp_path: Path, content: str, handler: str) -> None:
    """The first function's handler, or the default."""
    config = tmp_path / "serverless.yml"
    config.write_text(content)
    assert configured_handler(config) == handler
