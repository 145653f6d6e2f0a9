"""The results of a benchmark: one line for each metric of a row, with every sample, the limit and the target."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Literal

from bench_suite.work import Contender


@dataclass(frozen=True)
class Metric:
    """A metric with its unit; of most, less is better."""

    name: str
    unit: str
    decimals: int
    more_is_better: bool = False


WALL = Metric("wall", "s", 3)
CPU = Metric("CPU", "s", 3)
MEMORY = Metric("memory", "MiB", 1)
RESIDENT = Metric("resident", "MiB", 1)
MEMORY_SHARE = Metric("memory", "x audio", 2)
REQUESTS = Metric("requests", "", 0)
THROUGHPUT = Metric("throughput", "1/s", 1, more_is_better=True)


@dataclass(frozen=True)
class Target:
    """The most that our median should be: a multiple of the seed's or of the limit, or a number in the line's unit."""

    at_most: float
    of: Literal["seed", "limit", "unit"]


@dataclass(frozen=True)
class Summary:
    """The median, minimum and maximum of samples."""

    median: float
    least: float
    most: float


@dataclass(frozen=True)
class Line:
    """One metric of one row; `computed_limit` where theory gives one, otherwise the limit is the floor's median."""

    row: str
    metric: Metric
    samples: Mapping[Contender, tuple[float, ...]]
    computed_limit: float | None = None
    target: Target | None = None

    def summary(self, contender: Contender) -> Summary | None:
        """The summary of the samples of `contender`; None where it has none."""
        samples = self.samples.get(contender)
        return Summary(median(samples), min(samples), max(samples)) if samples else None

    @property
    def limit(self) -> float | None:
        """The best value that is possible here."""
        if self.computed_limit is not None:
            return self.computed_limit
        floor = self.summary(Contender.FLOOR)
        return None if floor is None else floor.median

    @property
    def ours_to_seed(self) -> float | None:
        """Our median as a multiple of the seed's."""
        seed = self.summary(Contender.SEED)
        return _ratio(self._ours, None if seed is None else seed.median)

    @property
    def ours_to_limit(self) -> float | None:
        """Our median as a multiple of the limit."""
        return _ratio(self._ours, self.limit)

    @property
    def is_met(self) -> bool | None:
        """Whether we meet the target; None without one."""
        if self.target is None:
            return None
        found = {"seed": self.ours_to_seed, "limit": self.ours_to_limit, "unit": self._ours}[self.target.of]
        return found is not None and found <= self.target.at_most

    @property
    def _ours(self) -> float | None:
        ours = self.summary(Contender.OURS)
        return None if ours is None else ours.median


def _ratio(value: float | None, base: float | None) -> float | None:
    return value / base if value is not None and base else None
