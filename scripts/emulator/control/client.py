"""The client of the platform's own endpoints, for commands and tests."""

from typing import Any

from requests import Response, Session

from emulator.closing import Closing
from emulator.processes import LOOPBACK

PREFIX = "/_emulator"
# The endpoints answer at once; the first request waits for the start of the storage.
TIMEOUT_SECONDS = 30.0


class ControlClient(Closing):
    """The control of a local platform, at `port` of loopback."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.page_url = f"http://{LOOPBACK}:{port}/"
        self.url = f"http://{LOOPBACK}:{port}{PREFIX}"
        self._session = Session()
        self._session.trust_env = False  # a proxy is for other hosts

    def platform(self) -> dict[str, Any]:
        """The platform at this moment, as a `PlatformState`."""
        state: dict[str, Any] = self._call("GET", "/platform").json()
        return state

    def fault(self, kind: str, *, count: int | None = 1, **order: Any) -> None:
        """Order a fault for the next `count` requests (`None`: all); `order` has the fields of a `PlatformFault`.

        Raises `ValueError` for an order that contradicts itself.
        """
        self._call("POST", "/faults", json={"fault": kind, "count": count, **order})

    def clear_faults(self) -> None:
        """End all faults."""
        self._call("DELETE", "/faults")

    def fire(self, number: int) -> None:
        """Fire a schedule, numbered from 0, now; raises `ValueError` where there is none."""
        self._call("POST", f"/cron/{number}/fire")

    def publish(self, body: bytes) -> None:
        """Put a message into the queue."""
        self._call("POST", "/messages", data=body)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _call(self, method: str, path: str, **body: Any) -> Response:
        answer = self._session.request(method, self.url + path, timeout=TIMEOUT_SECONDS, **body)
        if not answer.ok:
            raise ValueError(answer.json()["error"]["message"])
        return answer
