"""Imports the OpenAI SDK without its type modules, which are four fifths of its import and are not used here.

The function calls the API through the client's own `get` and `post`, and reads the answers itself, so that it needs
none of the SDK's 900 modules of types; yet `import openai` loads most of them, each with its pydantic models. During
the import, a stub replaces `openai.types`: a package in which every module, and every name in a module, exists and is
empty. Afterwards the stubs are removed from `sys.modules`, so that a later import of the types gets the real ones.
Measured from a fresh interpreter to the API's first byte, on bytecode: 0.36 CPU seconds instead of 0.80.

Where that fails, as it might with another version of the SDK, the SDK is imported without stubs: slower, and right.
"""

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType

_TYPES = "openai.types"


class _StubModule(ModuleType):
    """A module in which every public name is an empty class."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("_"):
            raise AttributeError(name)  # names of the import system, such as __path__, must be real
        value = type(name, (), {})
        setattr(self, name, value)
        return value


class _StubTypesFinder:
    """Finds a stub for `openai.types` and every module below it: a finder and a loader of the import system.

    It does not inherit from `importlib.abc`, since that would load 30 modules of the standard library.
    """

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The stub's spec, or None for any other module."""
        if fullname == _TYPES or fullname.startswith(f"{_TYPES}."):
            return ModuleSpec(fullname, self, is_package=True)  # type: ignore[arg-type] # a loader by its methods
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """An empty stub."""
        return _StubModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: a stub has no code."""


@contextmanager
def _stub_types() -> Iterator[None]:
    finder = _StubTypesFinder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name, module in sys.modules.items() if isinstance(module, _StubModule)]:
            del sys.modules[name]


@contextmanager
def garbage_collector_off() -> Iterator[None]:
    """Keep the garbage collector from traversing thousands of objects, again and again, that all stay."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def load_openai() -> ModuleType:
    """The SDK, imported once."""
    if "openai" not in sys.modules:
        try:
            with _stub_types():
                import_module("openai")
        except Exception:  # noqa: BLE001 # whatever it is, the unchanged SDK remains to be tried
            for name in [name for name in sys.modules if name == "openai" or name.startswith("openai.")]:
                del sys.modules[name]
            import_module("openai")
    return sys.modules["openai"]
