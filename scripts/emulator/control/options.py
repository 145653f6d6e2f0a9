"""What the gateway's process is told when it is to be the platform around the function, too."""

from dataclasses import dataclass
from typing import Self

from pydantic import TypeAdapter

from emulator.storage.server import StorageAccess
from emulator.triggers.schedules import Schedule

# Of the gateway's own environment: there are keys in it, and a command line is for everybody to read.
CONTROL_VARIABLE = "EMULATOR_CONTROL"


@dataclass(frozen=True)
class ControlOptions:
    """The storage and queue that trigger the function, and its schedules.

    `apis_admin_url` is where faults of the emulated Generative APIs are ordered, None where those are not emulated.
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
