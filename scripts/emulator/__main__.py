"""The command `scripts/emulate`: runs the local platform until Ctrl-C."""

import os
import secrets
import signal
import sys
from datetime import UTC, datetime
from types import FrameType

from emulator.arguments import parse, quota_of
from emulator.generative.admin import PREFIX
from emulator.local_platform import LocalPlatform, PlatformOptions, handler_of
from emulator.processes import ServerFailedError
from emulator.recognisers.model_files import RecogniserUnavailableError
from emulator.runtime.handler_name import HandlerNameError, parse_handler_name


def main() -> int:
    """Run until interrupted; the exit status is 1 if the platform does not start."""
    arguments = parse()
    options = PlatformOptions(
        folder=arguments.archive or arguments.handler,
        port=arguments.port,
        api_port=arguments.api_port,
        instances=arguments.instances,
        private_token=secrets.token_urlsafe() if arguments.private else None,
        reload=arguments.reload,
        timeout_seconds=arguments.timeout,
        memory_limit_mb=arguments.memory,
        recogniser=arguments.recogniser,
        model_folder=arguments.model,
        real_time_factor=arguments.rtf,
        quota=quota_of(arguments),
        storage=True,
        storage_port=arguments.storage_port,
        control_port=arguments.control_port,
        bucket=arguments.bucket,
        data_folder=arguments.data,
        config=arguments.config,
        handler=arguments.entry_point,
        queue_limit=arguments.queue_limit,
        queue_timeout_seconds=arguments.queue_timeout,
        forbidden_text=arguments.forbidden_text,
        busy_text=arguments.busy_text,
        wedge_on_long_lines=arguments.wedge_on_long_lines,
    )
    if problem := _missing_handler(options):
        print(problem, file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, _interrupt)  # so that SIGTERM stops the servers, too
    try:
        with LocalPlatform(options, os.environ) as platform:
            print(_banner(platform, options), flush=True)
            signal.pause()
    except (ServerFailedError, RecogniserUnavailableError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
    return 0


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _missing_handler(options: PlatformOptions) -> str | None:
    """The error if a folder does not have its handler's file; that of an archive is checked when it is unpacked."""
    try:
        file = parse_handler_name(handler_of(options)).file
    except HandlerNameError as error:
        return str(error)
    if options.folder.is_file() or (options.folder / file).is_file():
        return None
    return f"there is no {file} in {options.folder}: name the handler by --entry-point, such as src/main.handle"


def _banner(platform: LocalPlatform, options: PlatformOptions) -> str:
    url = platform.function.url
    token = f' -H "X-Auth-Token: {options.private_token}"' if options.private_token else ""
    lines = [
        f"Function         {url}   ({options.instances} instance{'s' * (options.instances > 1)} of {options.folder})",
    ]
    if platform.apis is None:
        lines.append("Generative APIs  Scaleway's, with your GENERATIVE_API_KEY: recordings leave this machine")
    else:
        json_body = """-H 'Content-Type: application/json' -d '{"fault": "429", "count": 2, "retry_after": 1}'"""
        admin = platform.apis.url.removesuffix("/v1") + PREFIX
        lines += [
            f"Generative APIs  {platform.apis.url}   key {platform.apis.key}",
            f"Faults           curl {admin}/faults {json_body}",
            f"Requests         curl {admin}/requests",
            f"Quota            curl {admin}/quota",
        ]
    lines += _platform_lines(platform)
    if platform.control is not None:
        lines.insert(
            0, f"Page             {platform.control.page_url}   to send recordings, and to watch the platform\n"
        )
    lines += [
        "",
        "Try it:",
        f"  base64 < tests/audio/jfk.mp3 | curl '{url}/?response_format=text'{token} --data-binary @-",
        "",
        "Ctrl-C stops it.",
    ]
    return "\n".join(lines)


def _platform_lines(platform: LocalPlatform) -> list[str]:
    """The lines about storage, queue, schedules and faults."""
    if platform.storage is None or platform.control is None:
        return []
    access, control = platform.storage.access, platform.control.url
    lines = [
        f"Object Storage   {access.endpoint}   region {access.region}",
        f"                 access key {access.access_key}   secret key {access.secret_key}",
        f"Queue            {access.queue_url}   the same keys; has an event for each upload to s3://{access.bucket}",
    ]
    for cron in platform.control.platform()["crons"]:
        due = cron["next_time"]
        at = "never" if due is None else f"{datetime.fromtimestamp(due, UTC):%Y-%m-%d %H:%M} UTC"
        lines.append(
            f"Cron             {cron['rate']}   next at {at}, or: curl -X POST {control}/cron/{cron['number']}/fire"
        )
    return [
        *lines,
        f"Platform         curl {control}/platform",
        f"""                 curl {control}/faults -d '{{"fault": "kill"}}'   or double or lose""",
        "",
        "Upload:",
        f"  curl --aws-sigv4 aws:amz:{access.region}:s3 --user {access.access_key}:{access.secret_key} \\",
        f"      --upload-file tests/audio/jfk.mp3 {access.endpoint}/{access.bucket}/",
        f"  AWS_ACCESS_KEY_ID={access.access_key} AWS_SECRET_ACCESS_KEY={access.secret_key} \\",
        f"      aws --region {access.region} --endpoint-url {access.endpoint} s3 cp tests/audio/jfk.mp3 s3://{access.bucket}/",
    ]


if __name__ == "__main__":
    sys.exit(main())
