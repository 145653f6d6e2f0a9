"""Starts the emulated Object Storage and Queues with new credentials, for commands and tests."""

import http.client
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from emulator.closing import Closing
from emulator.processes import LOOPBACK, GunicornProcess, ServerFailedError, bind_port, port_of
from emulator.storage.folder import StorageFolder

REGION = "fr-par"
DEFAULT_BUCKET = "recordings"
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# The name of the queue in serverless.yml.
QUEUE = "uploads"
DEAD_LETTERS_SUFFIX = "-dead-letters"
# A delivery and the trigger's three retries, by the documentation.
MAX_DELIVERIES = 4
# SQS's default.
VISIBILITY_TIMEOUT_SECONDS = 30
# moto's only account; a queue's address contains it, as it contains the project at Scaleway.
ACCOUNT = "123456789012"

# No bucket has such a name: what is asked there is for the emulator.
LIFECYCLE_PATH = "/_emulator/lifecycle"

# A waiting upload or receiver occupies one thread.
THREADS = 32
# Clients keep connections for longer than gunicorn's 2 s, and would sometimes use one that is being closed.
KEEP_ALIVE_SECONDS = 75
GRACE_SECONDS = 1
# The first answer waits for the import of moto, and for kept objects to be loaded.
ANSWER_TIMEOUT_SECONDS = 30.0

# Keys are passed in the environment: every user of the machine can read a command line.
ACCESS_KEY_VARIABLE = "EMULATED_STORAGE_ACCESS_KEY"
SECRET_KEY_VARIABLE = "EMULATED_STORAGE_SECRET_KEY"  # noqa: S105 # the variable's name, not a key


@dataclass(frozen=True)
class StorageAccess:
    """The addresses of the emulated storage and queue, and their keys."""

    endpoint: str
    region: str
    bucket: str
    queue: str
    queue_url: str
    dead_letters_url: str
    access_key: str
    secret_key: str

    def client(self, service: str) -> Any:
        """A boto3 client for `s3` or `sqs`."""
        # Imported here: it takes a fifth of a second, and the server starts without it.
        from boto3.session import Session  # noqa: PLC0415 # as above
        from botocore.config import Config  # noqa: PLC0415

        # A session of its own: threads create clients at the same time, and boto3's default session is not thread-safe.
        return Session().client(
            service,
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            # No proxy, which is for other hosts; as many connections as deliveries may run.
            config=Config(proxies={}, max_pool_connections=THREADS, retries={"total_max_attempts": 1}),
        )

    def fire_lifecycle(self, days: float = 0) -> dict[str, int]:
        """End what the lifecycle rules of all buckets end, as if it were `days` later; how much of each kind.

        Raises `requests.RequestException`.
        """
        # Imported here, as above.
        import requests  # noqa: PLC0415 # as above
        from botocore.auth import S3SigV4Auth  # noqa: PLC0415
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415
        from botocore.credentials import Credentials  # noqa: PLC0415

        signed = AWSRequest("POST", f"{self.endpoint}{LIFECYCLE_PATH}?days={days}")
        S3SigV4Auth(Credentials(self.access_key, self.secret_key), "s3", self.region).add_auth(signed)
        with requests.Session() as session:
            session.trust_env = False  # a proxy is for other hosts
            answer = session.post(signed.url, headers=dict(signed.headers), timeout=ANSWER_TIMEOUT_SECONDS)
        answer.raise_for_status()
        ended: dict[str, int] = answer.json()
        return ended

    @property
    def function_environment(self) -> Mapping[str, str]:
        """The function's settings for storage and queue."""
        return {
            "S3_ENDPOINT": self.endpoint,
            "S3_REGION": self.region,
            "S3_ACCESS_KEY": self.access_key,
            "S3_SECRET_KEY": self.secret_key,
            "OUTPUT_BUCKET": self.bucket,
            "QUEUE_URL": self.queue_url,
            "QUEUE_ACCESS_KEY": self.access_key,
            "QUEUE_SECRET_KEY": self.secret_key,
        }


class StorageServer(Closing):
    """The emulated Object Storage and Queues on loopback, until closed; `port` 0 means any free one.

    It has one `bucket`, which announces uploads and removals in one queue, whose messages are received again after
    `visibility_timeout_seconds`, and after four deliveries move to a queue of dead letters. With a `folder`, objects
    are kept there. `output` receives the server's output. It is ready only after `wait_until_ready`, so that other
    servers can start meanwhile. Raises `ServerFailedError`.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        bucket: str = DEFAULT_BUCKET,
        visibility_timeout_seconds: int = VISIBILITY_TIMEOUT_SECONDS,
        folder: Path | None = None,
        output: IO[bytes] | None = None,
    ) -> None:
        if not BUCKET_NAME.fullmatch(bucket):
            raise ServerFailedError(
                f"{bucket!r} is not a valid bucket name: 3 to 63 lowercase letters, digits, dots and hyphens"
            )
        if folder is not None:
            StorageFolder(folder).close()  # so that an error is raised here, and not in the worker
        bound = bind_port(port)
        self._port = port_of(bound)
        endpoint = f"http://{LOOPBACK}:{self._port}"
        self.access = StorageAccess(
            endpoint=endpoint,
            region=REGION,
            bucket=bucket,
            queue=QUEUE,
            queue_url=f"{endpoint}/{ACCOUNT}/{QUEUE}",
            dead_letters_url=f"{endpoint}/{ACCOUNT}/{QUEUE}{DEAD_LETTERS_SUFFIX}",
            # The form of Scaleway's access keys: capitals and digits after the prefix.
            access_key="SCW" + secrets.token_hex(8).upper() + "X",
            secret_key=secrets.token_urlsafe(),
        )
        kept_in = None if folder is None else str(folder.resolve())
        names = f"bucket={bucket!r}, queue={QUEUE!r}, region={REGION!r}"
        names += f", visibility_timeout_seconds={visibility_timeout_seconds}"
        self._process = GunicornProcess(
            f"emulator.storage.app:create_app({names}, folder={kept_in!r})",
            bind=bound,
            # One worker, since the state is in its memory.
            arguments=[
                *(
                    "--worker-class",
                    "gthread",
                    "--workers",
                    "1",
                    "--threads",
                    str(THREADS),
                ),
                *("--timeout", "0", "--keep-alive", str(KEEP_ALIVE_SECONDS), "--graceful-timeout", str(GRACE_SECONDS)),
            ],
            environment={
                **os.environ,
                "MOTO_ALLOW_NONEXISTENT_REGION": "true",  # moto does not know Scaleway's
                "MOTO_DISABLE_GLOBAL_CORS": "true",  # it would allow everything, whatever the bucket's rules are
                ACCESS_KEY_VARIABLE: self.access.access_key,
                SECRET_KEY_VARIABLE: self.access.secret_key,
            },
            output=output,
        )

    def wait_until_ready(self) -> None:
        """Return when the server answers; `ServerFailedError` if it does not start."""
        self._process.wait_until(self._answers)

    def begin_closing(self) -> None:
        """Begin to stop the server; `close` waits for its end."""
        self._process.begin_closing()

    def close(self) -> None:
        """Stop the server."""
        self._process.close()

    def _answers(self) -> bool:
        """Whether the worker answers: the port is open before the worker runs."""
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=ANSWER_TIMEOUT_SECONDS)
        try:
            connection.request("GET", "/")
            connection.getresponse()
        except OSError:
            return False
        finally:
            connection.close()
        return True
