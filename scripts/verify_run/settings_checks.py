"""Checks of the settings by themselves, and of what serverless.yml says: no connection is made."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from transcriber.delivery.webhook_signature import read_secret
from transcriber.errors import SettingsError
from transcriber.settings import Settings
from verify_run.finding import Finding, failed, ok, skipped, warned
from verify_run.run import Run

# What a function needs to answer once its own time is over, before the platform ends it.
LEAST_MARGIN_SECONDS: Final = 5.0
_NEW_SECRET: Final = 'echo "whsec_$(openssl rand -base64 32)"'  # noqa: S105 # what makes one


def read_settings(environment: Mapping[str, str]) -> tuple[Settings | None, Finding]:
    """The settings in `environment`, and what is wrong with them."""
    try:
        settings = Settings.from_environment(environment)
    except SettingsError as error:
        cure = f"Set {error.variable} as the README's table of settings says, here and for the deployment."
        return None, failed("settings", error.message, cure)
    return settings, ok("settings", f"are complete; models: {', '.join(settings.models)}")


def deployed_function(path: Path) -> Mapping[str, Any]:
    """The function in a serverless.yml, as it stands there; empty where it cannot be read."""
    try:
        functions = yaml.safe_load(path.read_text())["functions"]
        (function,) = functions.values()
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError):
        return {}
    return function if isinstance(function, dict) else {}


def timeout_seconds(function: Mapping[str, Any]) -> float | None:
    """The `timeout` of the function, in seconds."""
    match = re.fullmatch(r"\s*([0-9]+)s?\s*", str(function.get("timeout", "")))
    return float(match[1]) if match else None


def check_secret(run: Run) -> Iterator[Finding]:
    """The form of CALLBACK_SECRET."""
    if run.settings.callback_secret is None:
        yield skipped("callbacks", "CALLBACK_SECRET is not set, so that requests with a callback are refused")
        return
    try:
        read_secret(run.settings.callback_secret)
    except SettingsError as error:
        yield failed("callbacks", error.message, f"Make a new one, for the function and its receivers: {_NEW_SECRET}")
    else:
        yield ok("callbacks", "CALLBACK_SECRET has its form")


def check_callers(run: Run, function: Mapping[str, Any]) -> Iterator[Finding]:
    """Who may call: everybody, or not even the triggers."""
    settings = run.settings
    is_public = function.get("privacy") == "public"
    has_triggers = bool(function.get("events")) or bool(settings.queue_url)
    if settings.access_token is None and is_public:
        yield failed(
            "callers",
            "The function is public, and ACCESS_TOKEN is not set: everybody can transcribe on your bill.",
            'Set privacy: "private" in serverless.yml, or ACCESS_TOKEN.',
        )
    elif settings.access_token is not None and has_triggers:
        yield failed(
            "callers",
            "ACCESS_TOKEN is set, and triggers cannot send it: each upload event and each sweep would be a 401.",
            'Unset ACCESS_TOKEN, and have the platform check callers (privacy: "private"); or deploy a second function '
            "for clients.",
        )
    else:
        by = "ACCESS_TOKEN" if settings.access_token else "the platform (privacy: private)"
        yield ok("callers", f"are checked by {by}")


def check_times(run: Run) -> Iterator[Finding]:
    """The function's own time limit against the platform's."""
    limit, timeout = run.settings.time_limit_seconds, run.function_timeout_seconds
    if timeout is None:
        yield skipped("time limit", "the function's timeout is not known: --timeout SECONDS names it")
    elif limit >= timeout:
        yield failed(
            "time limit",
            f"TIME_LIMIT is {limit:g} s, and the platform ends a request after {timeout:g} s: long recordings would "
            "end in the middle, without an answer.",
            f"Set TIME_LIMIT to {max(1.0, timeout - 10):g}, or the function's timeout to at least {limit + 10:g} s.",
        )
    elif limit > timeout - LEAST_MARGIN_SECONDS:
        cure = f"Set TIME_LIMIT to {max(1.0, timeout - 10):g}."
        yield warned("time limit", f"TIME_LIMIT leaves {timeout - limit:g} s of {timeout:g} s to answer in.", cure)
    else:
        yield ok("time limit", f"{limit:g} s, {timeout - limit:g} s before the platform ends a request")


def check_clock(skew_of: Mapping[str, float | None]) -> Iterator[Finding]:
    """This machine's clock, by how many seconds it is ahead of each server that answered."""
    skews = {name: skew for name, skew in skew_of.items() if skew is not None}
    if not skews:
        yield skipped("clock", "no server has answered with its time")
        return
    name, skew = max(skews.items(), key=lambda each: abs(each[1]))
    if abs(skew) > MAX_SKEW_SECONDS:
        side = "ahead of" if skew > 0 else "behind"
        yield failed(
            "clock",
            f"This machine's clock is {_duration(abs(skew))} {side} that of {name}: storage and queue refuse "
            "signatures that are 15 minutes off, and receivers callbacks that are 5 minutes off.",
            "Set the clock by the network: sudo timedatectl set-ntp true (or sudo ntpdate pool.ntp.org).",
        )
    else:
        yield ok("clock", f"is right, within {max(1.0, abs(skew)):.0f} s of {', '.join(sorted(skews))}")


# Signatures of callbacks are taken for 5 minutes; a clock that is off by more than this goes on drifting.
MAX_SKEW_SECONDS: Final = 60.0


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} s"  # noqa: PLR2004 # two minutes
