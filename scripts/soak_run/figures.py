"""The figures of a soak, and whether they are good: each recording has one right result, and was paid for once."""

from dataclasses import dataclass, fields
from typing import Final

# An instance that is killed between the API's answer and the written transcript costs its calls again.
MAX_PAID_TWICE: Final = 0.02


@dataclass(frozen=True)
class Figures:
    """The result of a soak; all fields but the seconds are counts."""

    objects: int
    # Objects with the right words and no error record; with an error record alone, as they should; with anything else.
    transcripts: int
    error_records: int
    wrong: int
    # Distinct pieces of audio that were sent; calls that the API answered with a text; calls that failed.
    chunks: int
    paid_calls: int
    failed_calls: int
    delivered: int
    redelivered: int
    dropped: int
    killed: int
    doubled: int
    answers_lost: int
    sweeps: int
    leases_left: int
    wall_seconds: float

    @property
    def paid_twice(self) -> float:
        """The calls whose chunk had been paid before, as a share of the chunks."""
        return (self.paid_calls - self.chunks) / self.chunks if self.chunks else 0.0

    @property
    def complaints(self) -> list[str]:
        """What is wrong with the result; empty for a good one."""
        found = []
        if self.wrong or self.transcripts + self.error_records != self.objects:
            found.append(f"{self.objects - self.transcripts - self.error_records} objects have no single right result")
        if self.paid_twice > MAX_PAID_TWICE:
            found.append(f"{self.paid_twice:.1%} of the chunks were paid twice; {MAX_PAID_TWICE:.0%} may be")
        return found

    def __str__(self) -> str:
        """A line for each figure."""
        lines = [(field.name.replace("_", " "), getattr(self, field.name)) for field in fields(self)]
        lines.append(("paid twice", f"{self.paid_twice:.1%}"))
        return "\n".join(
            f"{name:14}{value if not isinstance(value, float) else f'{value:.1f}':>8}" for name, value in lines
        )
