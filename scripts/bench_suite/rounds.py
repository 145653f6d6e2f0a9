"""Takes the samples of several contenders in turn, so that changes of the machine affect all of them."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from bench_suite.work import Contender

Sample = TypeVar("Sample")


def alternate(contenders: Mapping[Contender, Callable[[], Sample]], rounds: int) -> dict[Contender, tuple[Sample, ...]]:
    """A sample of each contender in each round; who begins changes from round to round."""
    samples: dict[Contender, list[Sample]] = {contender: [] for contender in contenders}
    order = list(contenders)
    for _ in range(rounds):
        for contender in order:
            samples[contender].append(contenders[contender]())
        order.append(order.pop(0))
    return {contender: tuple(taken) for contender, taken in samples.items()}
