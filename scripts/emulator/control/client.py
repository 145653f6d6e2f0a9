"""The client of the control's endpoints, for commands and tests."""

from typing import Any

from requests import Response, Session

from emulator.closing import Closing
from emulator.processes import LOOPBACK

PREFIX = "/_emulator"
# The endpoints answer at once; the first request waits for the storage's start.
TIMEOUT_SECONDS = 30.0


class ControlClient(Closing):
    """Calls the control of a local platform, at `port` of loopback."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.page_url = f"http://{LOOPBACK}:{port}/"
        self.url = f"http://{LOOPBACK}:{port}{PREFIX}"
        self._session = Session()
        self._session.trust_env = False  # a proxy is for other hosts

    def platform(self) -> dict[str, Any]:
        """The platform's present state, with the fields of `PlatformState`."""
        state: dict[str, Any] = self._call("GET", "/platform").json()
        return state

    def fault(self, kind: str, *, count: int | None = 1, **fields: Any) -> None:
        """Inject a fault for the next `count` requests (`None`: all); `fields` are those of a `PlatformFault`.

        Raises `ValueError` for fields that are wrong or contradict each other.
        """
        self._call("POST", "/faults", json={"fault": kind, "count": count, **fields})

    def clear_faults(self) -> None:
        """Remove all faults."""
        self._call("DELETE", "/faults")

    def fire(self, number: int) -> None:
        """Fire the schedule of this number, from 0, now; raises `ValueError` if there is none."""
        self._call("POST", f"/cron/{number}/fire")

    def fire_lifecycle(self, days: float = 0) -> dict[str, int]:
        """End what the storage's lifecycle rules end, as if it were `days` later; how much of each kind."""
        ended: dict[str, int] = self._call("POST", "/lifecycle", json={"days": days}).json()
        return ended

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
