"""The options of a gateway process that is also the platform around the function."""

from dataclasses import dataclass
from typing import Self

from pydantic import TypeAdapter

from emulator.storage.server import StorageAccess
from emulator.triggers.schedules import Schedule

# In the gateway's own environment: there are keys in it, and everybody can read a command line.
CONTROL_VARIABLE = "EMULATOR_CONTROL"


@dataclass(frozen=True)
class ControlOptions:
    """The storage and queue that trigger the function, and its schedules.

    `apis_admin_url` takes orders of faults for the emulated Generative APIs; None where those are not emulated.
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
