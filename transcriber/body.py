"""The body of one call of the API."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Body:
    """A body that is made while it is sent; `size_bytes` is None when nobody knows it before the end."""

    content_type: str
    size_bytes: int | None
    pieces: Iterator[bytes]

    @property
    def headers(self) -> dict[str, str]:
        """The headers that announce it; without a length, it is sent chunked."""
        length = {} if self.size_bytes is None else {"Content-Length": str(self.size_bytes)}
        return {"Content-Type": self.content_type, **length}
