"""Runs the gateway and the platform around it in one process: triggers, faults on demand, and the endpoints."""

import os
from pathlib import Path
from typing import Any

from flask import Flask

from emulator.control import endpoints
from emulator.control.options import CONTROL_VARIABLE, ControlOptions
from emulator.control.platform import Control
from emulator.page.endpoints import page_blueprint
from emulator.runtime import gateway
from emulator.runtime.gateway_config import PRIVATE_TOKEN_VARIABLE
from emulator.runtime.log_lines import LogLines
from emulator.state.activity import TRIGGER, Activity
from emulator.state.faults import PlatformFaultKind, PlatformFaults
from emulator.triggers.client import TriggerClient
from emulator.triggers.cron import CronTrigger
from emulator.triggers.delivery_time import longest_delivery_seconds
from emulator.triggers.queue import QueueTrigger


def create_app(
    *,
    function_url: str,
    timeout_seconds: int,
    workers_folder: str,
    log_end: int,
    listener: int,
    queue_timeout_seconds: float,
    retry_seconds: float,
    **gateway_options: Any,
) -> Flask:
    """The gateway's WSGI application, made by `emulator.runtime.gateway`, with the platform running beside it.

    `log_end` is the file descriptor to read the instances' log from, `listener` that of the socket for the control's
    endpoints. The environment variable `EMULATOR_CONTROL` holds the other options.
    """
    options = ControlOptions.from_json(os.environ[CONTROL_VARIABLE])
    faults = PlatformFaults()

    def kill_after_seconds(environ: dict[str, Any]) -> float | None:
        effect = faults.take(PlatformFaultKind.KILL, environ[TRIGGER])
        return None if effect is None else effect.kill_after_seconds

    app = gateway.create_app(
        queue_timeout_seconds=queue_timeout_seconds,
        retry_seconds=retry_seconds,
        kill_after_seconds=kill_after_seconds,
        **gateway_options,
    )
    activity = Activity(app.wsgi_app, faults)
    app.wsgi_app = activity  # type: ignore[method-assign] # as Flask documents it for middleware
    longest_seconds = longest_delivery_seconds(
        timeout_seconds=timeout_seconds, queue_timeout_seconds=queue_timeout_seconds, retry_seconds=retry_seconds
    )
    call_function = TriggerClient(function_url, activity, longest_seconds, os.environ.get(PRIVATE_TOKEN_VARIABLE))
    control = Control(
        function_url=function_url,
        storage=options.storage,
        workers_folder=Path(workers_folder),
        activity=activity,
        faults=faults,
        log=LogLines(log_end),
        queue=QueueTrigger(options.storage, call_function, faults),
        cron=CronTrigger(options.schedules, call_function),
        apis_admin_url=options.apis_admin_url,
    )
    control.start()
    page = page_blueprint(function_url, options.storage, options.apis_admin_url)
    endpoints.serve(control, listener, page)
    return app
