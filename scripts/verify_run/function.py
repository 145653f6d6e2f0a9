"""A deployed function as its clients call it: its address, and the tokens that let them in."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from verify_run.web import Web, WebAnswer

# Of a function that can be called by everybody, by a wrong token, or by its triggers alone.
WRONG_TOKEN: Final = "a-token-that-nobody-has"  # noqa: S105 # it opens nothing
REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


@dataclass(frozen=True)
class Function:
    """A function at `url`; `access_token` is the function's own, `auth_token` the platform's, for a private one."""

    url: str
    web: Web
    access_token: str | None = field(default=None, repr=False)
    auth_token: str | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        """The host, for messages and for whether it is on this machine."""
        return urlsplit(self.url).hostname or ""

    def get(self, path: str = "", **headers: str) -> WebAnswer:
        """The answer to a GET."""
        return self.web.send("GET", self.address(path), headers={**self.tokens(), **headers})

    def post(self, fields: object, path: str = "", *, headers: Mapping[str, str] | None = None) -> WebAnswer:
        """The answer to JSON; `headers` None sends the tokens."""
        sent = self.tokens() if headers is None else headers
        return self.web.send("POST", self.address(path), json_body=fields, headers=sent)

    def delete(self, path: str) -> WebAnswer:
        """The answer to a DELETE."""
        return self.web.send("DELETE", self.address(path), headers=self.tokens())

    def address(self, path: str) -> str:
        """The address of a path of the function."""
        return f"{self.url.rstrip('/')}/{path.lstrip('/')}"

    def tokens(self) -> dict[str, str]:
        """The headers that let a client in."""
        headers = {} if self.auth_token is None else {"X-Auth-Token": self.auth_token}
        if self.access_token is not None:
            headers["Authorization"] = f"Bearer {self.access_token}"
        return headers


def inline(sample: bytes) -> dict[str, str]:
    """The fields of a request with the recording in it."""
    return {"audio": base64.b64encode(sample).decode()}
