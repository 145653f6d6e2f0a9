"""What the gateway's process is told when it is to be the platform around the function, too."""

from dataclasses import dataclass
from typing import Self

from pydantic import TypeAdapter

from emulator.schedules import Schedule
from emulator.storage_server import StorageAccess

# Of the gateway's own environment: there are keys in it, and a command line is for everybody to read.
CONTROL_VARIABLE = "EMULATOR_CONTROL"


@dataclass(frozen=True)
class ControlOptions:
    """The port of the control's own endpoints, the storage and queue that trigger the function, and its schedules."""

    port: int
    storage: StorageAccess
    schedules: tuple[Schedule, ...] = ()

    def to_json(self) -> str:
        """The options as JSON text."""
        return TypeAdapter(ControlOptions).dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The options that `to_json` wrote."""
        return TypeAdapter(cls).validate_json(text)
