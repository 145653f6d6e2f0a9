"""Calls the function as the platform's triggers do: by a plain POST through the gateway, like any client."""

from typing import Protocol

import requests

from emulator.state.activity import Activity
from emulator.state.platform_state import Trigger

# The triggers' user agent, by the platform's documentation.
USER_AGENT = "ScalewayServerlessOrchestrator/1.0"


class CallFunction(Protocol):
    """A callable that sends a trigger's request to the function."""

    def __call__(self, body: bytes, *, trigger: Trigger, content_type: str | None = None) -> int | None:
        """The status of the function's answer; `None` if there is none."""


class TriggerClient:
    """Calls the function at `url` as a trigger does, with the `token` if the function is private."""

    def __init__(self, url: str, activity: Activity, timeout_seconds: float, token: str | None) -> None:
        self._url = url
        self._activity = activity
        self._timeout_seconds = timeout_seconds
        self._headers = {"User-Agent": USER_AGENT, "Connection": "close"}
        if token is not None:
            self._headers["X-Auth-Token"] = token

    def __call__(self, body: bytes, *, trigger: Trigger, content_type: str | None = None) -> int | None:
        """The status of the function's answer; `None` if there is none."""
        headers = {**self._headers, "X-Request-ID": self._activity.announce(trigger)}
        if content_type is not None:
            headers["Content-Type"] = content_type
        try:
            answer = requests.post(
                self._url, body, headers=headers, timeout=self._timeout_seconds, allow_redirects=False
            )
        except requests.RequestException:
            return None
        return answer.status_code
