"""`scripts/verify`: checks the settings of this environment, or with an address a deployed function."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Final

from verify_run.api_checks import ApiFacts, check_api, sample_calls
from verify_run.callback_checks import check_callback
from verify_run.dashboard import write_dashboard
from verify_run.finding import Finding, Report, to_the_end
from verify_run.function import Function
from verify_run.function_checks import (
    FunctionFacts,
    check_answers,
    check_inline,
    check_limit,
    check_tokens,
)
from verify_run.pipeline_checks import check_job, check_queue_way, check_upload
from verify_run.queue_checks import QueueFacts, check_queue
from verify_run.run import ROOT, SAMPLE, Run, warn
from verify_run.settings_checks import (
    check_callers,
    check_clock,
    check_secret,
    check_times,
    deployed_function,
    read_settings,
    timeout_seconds,
)
from verify_run.storage_checks import StorageFacts, check_storage
from verify_run.web import Web

# Exit codes, for scripts; argparse's own for a wrong command line is 2.
ALL_WELL, FAILED, STOPPED = 0, 1, 130
DEFAULT_REGION: Final = "fr-par"
# Half of it is base64's and the JSON's, and 6 MiB is the platform's limit.
MAX_SAMPLE_BYTES: Final = 4_000_000
# A deployed function's environment is not this one; what only a key of the APIs is for is not checked then.
_NO_KEY: Final = {"GENERATIVE_API_KEY": "not-needed-to-check-a-function"}


def main(command_line: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """Check, and print; the exit status is 1 when something failed."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was written is cleared away, however it ends
    arguments = _parse(command_line)
    if arguments.dashboard is not None:
        for path in write_dashboard(arguments.dashboard):
            print(path)
        return ALL_WELL
    report = Report(as_json=arguments.json)
    run = _run(arguments, environment, report)
    if run is None:
        return FAILED
    try:
        if arguments.url:
            _check_function(arguments, run, environment, report)
        else:
            _check_environment(arguments, run, report)
    except KeyboardInterrupt:
        warn("Stopped.")
        return STOPPED
    finally:
        run.begin_clean_up()
        for left in run.clean_up.run():
            warn(f"Could not be removed: {left}")
    report.say(report.summary())
    return FAILED if report.failures else ALL_WELL


def _run(arguments: argparse.Namespace, environment: Mapping[str, str], report: Report) -> Run | None:
    """What the run is about; None where the settings are wrong."""
    deployed = deployed_function(arguments.config)
    variables = deployed.get("env")
    own = str(variables.get("TIME_LIMIT", "")) if isinstance(variables, dict) else ""
    # As it will be deployed: what serverless.yml states itself is not taken from the environment.
    known = {**({"TIME_LIMIT": own} if own.isdigit() else {}), **_results_bucket(arguments), **environment}
    if arguments.url:
        known = {**_NO_KEY, **_own_keys(environment), **{name: value for name, value in known.items() if value}}
    settings, finding = read_settings(known)
    if settings is None or not arguments.url:
        report.add(iter([finding]))
    if settings is None:
        return None
    tokens = (arguments.token, arguments.auth_token, environment.get("AUTH_TOKEN"))
    report.secrets = tuple(filter(None, (*settings.secrets, *tokens)))
    return Run(
        settings,
        bucket=arguments.bucket or settings.output_bucket,
        prefix=arguments.prefix,
        sample=arguments.audio.read_bytes(),
        is_paying=not arguments.free,
        function_timeout_seconds=arguments.timeout or timeout_seconds(deployed),
        function_region=environment.get("SCW_DEFAULT_REGION") or DEFAULT_REGION,
    )


def _own_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """The keys of the person who verifies, which open the bucket as well: the function's are in its secrets alone."""
    # As S3 clients are given them, too.
    access_key = environment.get("SCW_ACCESS_KEY") or environment.get("AWS_ACCESS_KEY_ID")
    secret_key = environment.get("SCW_SECRET_KEY") or environment.get("AWS_SECRET_ACCESS_KEY")
    has_others = environment.get("S3_ACCESS_KEY") or environment.get("S3_SECRET_KEY")
    if not access_key or not secret_key or has_others:
        return {}
    region = environment.get("SCW_DEFAULT_REGION") or DEFAULT_REGION
    return {
        "S3_ACCESS_KEY": access_key,
        "S3_SECRET_KEY": secret_key,
        "S3_REGION": region,
        "S3_ENDPOINT": f"https://s3.{region}.scw.cloud",
    }


def _results_bucket(arguments: argparse.Namespace) -> dict[str, str]:
    """Results go to the bucket of the command line, unless the environment says otherwise."""
    return {} if arguments.bucket is None else {"OUTPUT_BUCKET": arguments.bucket}


def _check_environment(arguments: argparse.Namespace, run: Run, report: Report) -> None:
    """Everything that a deployment with these settings needs."""
    api, storage, queue = ApiFacts(), StorageFacts(), QueueFacts()
    if run.is_paying:
        for model, calls in sample_calls(run):
            price = run.price(model, calls * run.sample_seconds)
            named = "1 call" if calls == 1 else f"{calls} calls"
            report.say(f"  {model}: at most {named} with {run.sample_seconds:.0f} s of speech, {price}")
    web = Web(lambda: run.deadline, {"Authorization": f"Bearer {run.settings.api_key}"})
    run.clean_up.add("connections", web.close)  # first, so that it is the last
    report.add(check_secret(run))
    report.add(check_callers(run, deployed_function(arguments.config)))
    report.add(check_times(run))
    report.add(check_api(run, web, api))
    report.add(check_queue(run, queue))  # before the storage, which may announce what is written there
    report.add(check_storage(run, storage))
    report.add(check_clock({"the API": api.skew, "Object Storage": storage.skew, "the queue": queue.skew}))


def _check_function(arguments: argparse.Namespace, run: Run, environment: Mapping[str, str], report: Report) -> None:
    """A deployed function, from end to end."""
    web = Web(lambda: run.deadline)
    run.clean_up.add("connections", web.close)  # first, so that it is the last
    access_token = arguments.token or environment.get("ACCESS_TOKEN") or None
    # A private function that has no token of its own is called with the platform's alone.
    auth_token = arguments.auth_token or environment.get("AUTH_TOKEN") or arguments.token or None
    function = Function(arguments.url, web, auth_token=auth_token)
    facts = FunctionFacts()
    report.add(check_answers(run, function, facts))
    if not facts.answers:
        return
    report.add(check_tokens(run, function, facts))
    if facts.needs_access_token:  # it is sent to whom it is for, and no other
        function = replace(function, access_token=access_token)
    report.add(check_clock({"the function": facts.skew}))
    report.add(check_limit(function))
    if run.settings.queue_url:
        run.function_timeout_seconds = arguments.timeout or facts.time_limit_seconds
        report.add(check_queue(run, QueueFacts()))
    if not run.is_paying:
        return
    report.say(f"  5 transcripts at most: {run.price(facts.model, 5 * run.sample_seconds)}")
    report.add(check_inline(run, function))
    slow: list[Callable[[], Iterator[Finding]]] = [
        lambda: check_upload(run, function),
        lambda: check_job(run, function),
        lambda: check_queue_way(run, function, facts),
        lambda: check_callback(run, function, public_url=arguments.callback, port=arguments.callback_port),
    ]
    with ThreadPoolExecutor(len(slow)) as pool:
        for done in as_completed([pool.submit(_all_of, check) for check in slow]):
            report.add(iter(done.result()))


def _all_of(check: Callable[[], Iterator[Finding]]) -> list[Finding]:
    return list(to_the_end(check()))


def _parse(command_line: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/verify",
        description="Without an address: checks the settings of this environment against what they name (API, models, "
        "bucket, queue). With one: a deployed function from end to end. Each failure has its cause and its cure; what "
        "is written is removed. Exit status: 0 when nothing failed, 1 when something did, 2 for a wrong command line.",
    )
    parser.add_argument("url", nargs="?", metavar="URL", help="the address of a deployed function")
    parser.add_argument("--token", help="ACCESS_TOKEN of the function, or what lets in to a private one")
    parser.add_argument("--auth-token", help="X-Auth-Token of a private function, where it has an ACCESS_TOKEN, too")
    parser.add_argument("--bucket", metavar="NAME", help="the bucket of the recordings; default: OUTPUT_BUCKET")
    parser.add_argument("--prefix", default="incoming/", help="where recordings are uploaded (default: %(default)s)")
    parser.add_argument("--audio", type=Path, default=SAMPLE, metavar="FILE", help="another sample than 11 s of speech")
    parser.add_argument("--free", action="store_true", help="check what costs nothing; no audio is transcribed")
    parser.add_argument(
        "--timeout", type=float, metavar="SECONDS", help="the function's timeout; default: serverless.yml's"
    )
    parser.add_argument("--config", type=Path, default=ROOT / "serverless.yml", metavar="FILE", help="serverless.yml")
    parser.add_argument("--callback", metavar="URL", help="a public address that leads to --callback-port here")
    parser.add_argument("--callback-port", type=int, default=0, metavar="PORT", help="where to wait for the callback")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, for programs")
    parser.add_argument(
        "--dashboard",
        type=Path,
        nargs="?",
        const=Path(),
        metavar="FOLDER",
        help="check nothing: write a dashboard and alert rules for Grafana",
    )
    arguments = parser.parse_args(command_line)
    if arguments.url and not arguments.url.startswith(("http://", "https://")):
        parser.error("URL begins with https:// (or, on this machine, http://)")
    try:
        size = arguments.audio.stat().st_size
    except OSError as error:
        parser.error(f"--audio: {error.strerror}")
    if not 0 < size <= MAX_SAMPLE_BYTES:
        parser.error(f"--audio: a file of up to {MAX_SAMPLE_BYTES:,} bytes")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
