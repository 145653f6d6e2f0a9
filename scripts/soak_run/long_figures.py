"""The figures of a long soak, whether they are good, and how paid, accepted and finished audio grew over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# Shares of the audio, of audio ÷ quota, and of the accepted calls.
MAX_PAID: Final = 1.02
MAX_MAKESPAN: Final = 1.2
MAX_REFUSED: Final = 3.0
_BYTES_PER_MB: Final = 1_000_000


@dataclass(frozen=True)
class Moment:
    """Audio seconds so far, at `seconds` after the start."""

    seconds: float
    accepted: float
    paid: float
    done: float


@dataclass(frozen=True)
class LongFigures:
    """The result of a long soak; `_seconds` of audio, but for the makespan, the quickest possible one and the wall.

    What is paid is split: once for each chunk, again because an instance was killed while a call was in flight or its
    result not written yet, because a chunk seemed incomplete, and for any other reason, of which there should be none.
    """

    recordings: int
    transcripts: int
    wrong: int
    missing: int
    dropped: int
    delivered: int
    redelivered: int
    killed: int
    sweeps: int
    objects_left: int
    audio_seconds: float
    paid_seconds: float
    paid_again_killed_seconds: float
    paid_again_incomplete_seconds: float
    paid_again_otherwise_seconds: float
    accepted_calls: int
    refused_calls: int
    accepted_bytes: int
    refused_bytes: int
    makespan_seconds: float
    quickest_seconds: float
    wall_seconds: float
    curve: tuple[Moment, ...] = ()

    @property
    def paid_share(self) -> float:
        """What is paid as a share of the audio, without what kills and completeness cost."""
        apart = self.paid_again_killed_seconds + self.paid_again_incomplete_seconds
        return (self.paid_seconds - apart) / self.audio_seconds

    @property
    def makespan_share(self) -> float:
        """The makespan as a share of the quickest possible one."""
        return self.makespan_seconds / self.quickest_seconds

    @property
    def refused_share(self) -> float:
        """The refused calls as a share of the accepted ones."""
        return self.refused_calls / max(1, self.accepted_calls)

    @property
    def complaints(self) -> list[str]:
        """What is wrong with the result; empty for a good one."""
        found = []
        if self.transcripts != self.recordings:
            found.append(f"{self.wrong} transcripts are not word for word right, {self.missing} are missing")
        if self.dropped:
            found.append(f"{self.dropped} messages were dropped")
        if self.paid_share > MAX_PAID:
            found.append(f"{self.paid_share:.3f} times the audio was paid; {MAX_PAID} may be")
        if self.makespan_share > MAX_MAKESPAN:
            found.append(f"it took {self.makespan_share:.2f} times what the quota needs; {MAX_MAKESPAN} may be")
        if self.refused_share > MAX_REFUSED:
            found.append(f"{self.refused_share:.1f} calls were refused for each accepted one; {MAX_REFUSED:g} may be")
        return found

    def __str__(self) -> str:
        """A line for each figure, and the curve."""
        lines = [
            ("recordings", f"{self.recordings}, of {self.audio_seconds / 3600:.2f} h in all"),
            ("transcripts", f"{self.transcripts} right, {self.wrong} wrong, {self.missing} missing"),
            ("messages", f"{self.delivered} delivered, {self.redelivered} again, {self.dropped} dropped"),
            ("instances", f"{self.killed} killed; {self.sweeps} sweeps; {self.objects_left} objects of work left"),
            ("paid", f"{self.paid_share:.3f} x audio ({self.paid_seconds:.0f} s of {self.audio_seconds:.0f} s)"),
            (
                "paid again",
                (
                    f"{self.paid_again_killed_seconds:.0f} s in flight at a kill, "
                    f"{self.paid_again_incomplete_seconds:.0f} s for completeness, "
                    f"{self.paid_again_otherwise_seconds:.0f} s otherwise"
                ),
            ),
            (
                "makespan",
                (
                    f"{self.makespan_share:.2f} x audio / quota "
                    f"({self.makespan_seconds:.0f} s, {self.quickest_seconds:.0f} s)"
                ),
            ),
            (
                "refused",
                (
                    f"{self.refused_share:.2f} x accepted ({self.refused_calls} of {self.accepted_calls} calls; "
                    f"{self.refused_bytes / _BYTES_PER_MB:.0f} MB, {self.accepted_bytes / _BYTES_PER_MB:.0f} MB)"
                ),
            ),
            ("wall", f"{self.wall_seconds:.0f} s"),
        ]
        return "\n".join([*(f"{name:12}{text}" for name, text in lines), *_chart(self.curve, self.audio_seconds)])


_WIDTH: Final = 50
_ROWS: Final = 24


def _chart(curve: Sequence[Moment], audio_seconds: float) -> list[str]:
    """The curve as text: a row for each moment, with `#` done, `=` paid and `-` accepted on top of each other."""
    if not curve:
        return []
    rows = [curve[round(number * (len(curve) - 1) / (_ROWS - 1))] for number in range(_ROWS)]
    lines = ["", f"{'s':>6} {'accepted':>9} {'paid':>9} {'done':>9}  audio seconds: # done, = paid, - accepted"]
    for row in rows:
        done, paid, accepted = (
            round(min(1.2, value / audio_seconds) * _WIDTH) for value in (row.done, row.paid, row.accepted)
        )
        bar = "#" * done + "=" * max(0, paid - done) + "-" * max(0, accepted - max(paid, done))
        lines.append(f"{row.seconds:6.0f} {row.accepted:9.0f} {row.paid:9.0f} {row.done:9.0f}  {bar}")
    return lines
