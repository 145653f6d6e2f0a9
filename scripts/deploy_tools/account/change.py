"""One change of the account: it is printed before it is made."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """What is going to be done, as a line that begins with a verb, and the function that does it."""

    text: str
    make: Callable[[], None]
