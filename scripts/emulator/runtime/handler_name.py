"""The name of a function's handler, as `serverless.yml` and the platform's console have it.

`src/main.handle` is the function `handle` of `src/main.py`, imported as `main` with `src` on the path.
`src.main.handle` is the same function, imported as `src.main`. Dependencies are in `package` at the root in both cases.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from emulator.processes import ServerFailedError

DEFAULT_HANDLER = "handler.handle"
_NAME = re.compile(r"(?:(?P<folder>[\w./-]+)/)?(?P<module>\w+(?:\.\w+)*)\.(?P<function>\w+)")


class HandlerNameError(ServerFailedError):
    """The handler's name cannot be read; the message says what it has to be."""


@dataclass(frozen=True)
class HandlerName:
    """A handler's name in its parts; `folder` is relative to the function's folder, and empty for that itself."""

    folder: str
    module: str
    function: str

    @property
    def file(self) -> str:
        """The path of the module's file in the function's folder."""
        path = self.module.replace(".", "/") + ".py"
        return f"{self.folder}/{path}" if self.folder else path


def parse_handler_name(text: str) -> HandlerName:
    """The parts of a name such as `src/main.handle`; raises `HandlerNameError`."""
    found = _NAME.fullmatch(text)
    folder = (found["folder"] or "") if found else ""
    if found is None or folder.startswith("/") or ".." in folder.split("/"):
        raise HandlerNameError(
            f"{text!r} is no handler: write the module's path, a dot and the function, such as {DEFAULT_HANDLER}"
        )
    return HandlerName(folder, found["module"], found["function"])


def configured_handler(config: Path) -> str:
    """The handler of the first function in a `serverless.yml`, or the default; raises `HandlerNameError`."""
    # Imported here: only a folder with this file needs it.
    import yaml  # noqa: PLC0415 # as above

    try:
        content = yaml.safe_load(config.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise HandlerNameError(f"{config} cannot be read: {error}") from error
    functions = content.get("functions") if isinstance(content, dict) else None
    for function in (functions or {}).values():
        handler = function.get("handler") if isinstance(function, dict) else None
        if handler is not None:
            parse_handler_name(str(handler))
            return str(handler)
    return DEFAULT_HANDLER
