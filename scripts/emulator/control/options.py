"""The options of the gateway's process when it also runs the platform around the function."""

from dataclasses import dataclass
from typing import Self

from pydantic import TypeAdapter

from emulator.storage.server import StorageAccess
from emulator.triggers.schedules import Schedule

# Passed in the gateway's environment: the value contains keys, and every user can read a command line.
CONTROL_VARIABLE = "EMULATOR_CONTROL"


@dataclass(frozen=True)
class ControlOptions:
    """The storage and queue that trigger the function, and its schedules.

    `apis_admin_url` is the address of the emulated Generative APIs' endpoints; `None` if those are not emulated.
    """

    storage: StorageAccess
    schedules: tuple[Schedule, ...] = ()
    apis_admin_url: str | None = None

    def to_json(self) -> str:
        """The options as JSON text."""
        return TypeAdapter(ControlOptions).dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The options that `to_json` wrote."""
        return TypeAdapter(cls).validate_json(text)
