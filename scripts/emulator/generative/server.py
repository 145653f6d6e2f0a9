"""Starts the emulated Generative APIs and calls the emulator's endpoints, for commands and tests."""

import os
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Literal

from requests import ConnectionError as RequestsConnectionError
from requests import Response, Session

from emulator.closing import Closing
from emulator.generative.admin import PREFIX
from emulator.generative.apis import KEY_VARIABLE, WHISPER
from emulator.generative.quota import QuotaOptions
from emulator.processes import LOOPBACK, GunicornProcess, ServerFailedError, bind_port, port_of
from emulator.recognisers.model_files import find_model

# A request that waits, for a fault or the recogniser, occupies one thread.
# More than the quota's calls at once, so that those which are over it are refused.
THREADS = 128
# Clients keep connections for longer than gunicorn's 2 s, and would sometimes use one that is being closed.
KEEP_ALIVE_SECONDS = 75
# No client waits for the rest of an answer once the server stops.
GRACE_SECONDS = 1
# The emulator's endpoints answer at once; the first request waits for the worker's start.
ADMIN_TIMEOUT_SECONDS = 30.0


RecogniserName = Literal["whisper", "stand-in", "markers"]


class GenerativeServer(Closing):
    """The emulated Generative APIs on loopback, until closed; `port` 0 means any free one, `key` `None` a random one.

    Without `wait`, the server is ready only after `wait_until_ready`, so that others can start meanwhile.

    `recogniser` is `whisper` (with the model in `model_folder`, or the installed one), `stand-in`, or `markers`, which
    reads recordings of `emulator.recognisers.markers`; the latter two take `real_time_factor` times the audio's length.
    `quota` limits all clients together; without it, nothing does. `output` receives the server's output. Raises
    `ValueError` for a factor with `whisper`, `RecogniserUnavailableError` if there is no model, and
    `ServerFailedError` if the server does not start.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        recogniser: RecogniserName = "whisper",
        model_folder: Path | None = None,
        real_time_factor: float | None = None,
        quota: QuotaOptions | None = None,
        key: str | None = None,
        wait: bool = True,
        output: IO[bytes] | None = None,
    ) -> None:
        if recogniser == WHISPER:
            if real_time_factor is not None:
                raise ValueError("A real-time factor is for stand-in and markers: whisper has its own speed")
            find_model(model_folder)  # so that an error is raised here, and not in the worker
        self.key = key or secrets.token_urlsafe()
        bound = bind_port(port)
        self.port = port_of(bound)
        self.url = f"http://{LOOPBACK}:{self.port}/v1"
        self._admin = Session()
        self._admin.trust_env = False  # a proxy is for other hosts
        folder = str(model_folder.resolve()) if model_folder else None
        threads = [
            "--worker-class",
            "gthread",
            "--workers",
            "1",
            "--threads",
            str(THREADS),
        ]  # one, since the state is in its memory
        times = ["--timeout", "0", "--keep-alive", str(KEEP_ALIVE_SECONDS), "--graceful-timeout", str(GRACE_SECONDS)]
        choices: dict[str, Any] = {
            "recogniser": recogniser,
            "model_folder": folder,
            "real_time_factor": real_time_factor,
        }
        choices["quota"] = None if quota is None else asdict(quota)
        arguments = ", ".join(f"{name}={value!r}" for name, value in choices.items())
        self._process = GunicornProcess(
            f"emulator.generative.apis:create_app({arguments})",
            bind=bound,
            arguments=[*threads, *times],
            environment={**os.environ, KEY_VARIABLE: self.key},
            output=output,
        )
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Return when the server answers; raises `ServerFailedError` if it does not start."""
        try:
            self._process.wait_until_ready()
            self.models()  # the port is open before the worker answers
        except RequestsConnectionError as error:
            self.close()
            raise ServerFailedError("The emulated Generative APIs stopped at their start") from error

    def fault(self, kind: str, *, count: int | None = None, **fields: Any) -> None:
        """Inject a fault, with the fields of a `Fault`: it hits `count` requests (`None`: one), or a `share` of all.

        Raises `ValueError` for fields that are wrong or contradict each other.
        """
        self._call("POST", "/faults", {"fault": kind, "count": count, **fields})

    def requests(self) -> list[dict[str, Any]]:
        """The received requests, oldest first, with the fields of `emulator.generative.received.ReceivedRequest`."""
        received: list[dict[str, Any]] = self._call("GET", "/requests").json()
        return received

    def quota(self) -> dict[str, Any]:
        """The use of the quota, with the fields of `emulator.generative.quota.QuotaState`."""
        state: dict[str, Any] = self._call("GET", "/quota").json()
        return state

    def quota_events(self) -> list[dict[str, Any]]:
        """The accepted, paid and refused calls, oldest first, with the fields of `QuotaEvent`."""
        events: list[dict[str, Any]] = self._call("GET", "/quota/events").json()
        return events

    def models(self) -> list[str]:
        """The names of the models."""
        names: list[str] = self._call("GET", "/models").json()
        return names

    def set_models(self, names: Sequence[str]) -> None:
        """Replace all models by these."""
        self._call("PUT", "/models", list(names))

    def clear(self) -> None:
        """Restore the state after the start: no faults, no requests, nothing of the quota used, the default models."""
        for path in ("/faults", "/requests", "/quota", "/models"):
            self._call("DELETE", path)

    def begin_closing(self) -> None:
        """Begin to stop the server; `close` waits for its end."""
        self._admin.close()  # an open connection delays the end
        self._process.begin_closing()

    def close(self) -> None:
        """Stop the server."""
        self._admin.close()
        self._process.close()

    def _call(self, method: str, path: str, body: Any = None) -> Response:
        url = f"http://{LOOPBACK}:{self.port}{PREFIX}{path}"
        response = self._admin.request(method, url, json=body, timeout=ADMIN_TIMEOUT_SECONDS)
        if not response.ok:
            raise ValueError(response.json()["error"]["message"])
        return response
