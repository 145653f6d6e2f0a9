"""Object Storage and Queues by moto, behind a guard that lets in the keys of an account, each for what it may do.

The guard checks every signature with the secret that the account gave out, and every action with the rights of the
policy, or of the queue's credentials, that the key has. What each kind of key was used for is kept.
"""

import io
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, unquote

import boto3
import requests
from botocore.credentials import Credentials
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from support.account_state import INTERRUPTED, AccountApi
from support.api_answers import Quiet
from werkzeug.serving import make_server

from emulator.storage.queue_limits import restrict_moto
from emulator.storage.signatures import S3, refusal_of, service_of

READ = {"GET", "HEAD"}
SENDS = {"SendMessage", "SendMessageBatch"}
RECEIVES = {"ReceiveMessage", "DeleteMessage", "DeleteMessageBatch", "ChangeMessageVisibility"}
# The platform's own key, by which a trigger receives.
PLATFORM_KEY, PLATFORM_SECRET = "SCWPLATFORMPLATFORM0", "the-platform's-own"


@dataclass
class GuardedStorage:
    """The address, and which rights were used by whom: the application's name, or "person"."""

    url: str = ""
    account: AccountApi | None = None
    used: dict[str, set[str]] = field(default_factory=dict)
    # Rights that the person's key lacks.
    withheld: set[str] = field(default_factory=set)

    def client(self, service: str, access_key: str = PLATFORM_KEY, secret: str = PLATFORM_SECRET) -> Any:
        """A client with a key: by default with the platform's own, which may do all."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="fr-par",
            aws_access_key_id=access_key,
            aws_secret_access_key=secret,
        )


@contextmanager
def guarded_storage() -> Iterator[GuardedStorage]:
    """Serve a storage with nothing in it; nobody but the platform is let in until it has an account."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    os.environ["MOTO_ALLOW_NONEXISTENT_REGION"] = "true"
    restrict_moto()
    storage = GuardedStorage()
    moto = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, Guard(moto, storage), request_handler=Quiet, threaded=True)
    storage.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield storage
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def empty(storage: GuardedStorage) -> None:
    """Forget every bucket and queue."""
    requests.post(f"{storage.url}/moto-api/reset", timeout=30).raise_for_status()
    storage.used.clear()
    storage.withheld.clear()


class Guard:
    """The WSGI application in front of moto's, which takes one request at a time."""

    def __init__(self, moto: Any, storage: GuardedStorage) -> None:
        self._moto = moto
        self._storage = storage
        self._lock = Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"].startswith("/moto-api/"):
            return self._moto(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        service = service_of(environ)
        right = storage_right(environ) if service == S3 else queue_right(environ, body)
        account = self._storage.account
        # SQS has no methods to tell: what only looks is no change.
        method = environ["REQUEST_METHOD"] if service == S3 else ("GET" if is_look(environ, body) else "POST")
        if account is not None and account.is_interrupted_by(method):
            return refuse(start_response, INTERRUPTED, "Interrupted", service)
        if refusal := self._refusal(environ, body, service, right):
            return refuse(start_response, 403, refusal, service)
        started: list[Any] = []
        with self._lock:
            answer = list(self._moto(environ, lambda *arguments: started.extend(arguments)))
        if account is not None:
            account.changes += method not in READ
            if account.is_answer_lost_of(method):
                return refuse(start_response, INTERRUPTED, "Interrupted", service)
        start_response(started[0], started[1])
        return answer

    def _refusal(self, environ: dict[str, Any], body: bytes, service: str, right: str) -> str | None:
        """The code of the reason to refuse, or None."""
        named = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].split("/")[0]
        access_key = named.partition("@")[0]
        account = self._storage.account
        secrets = {PLATFORM_KEY: PLATFORM_SECRET, **(account.secret_keys if account else {})}
        if access_key not in secrets:
            return "InvalidAccessKeyId"
        if (found := refusal_of(environ, body, Credentials(named, secrets[access_key]))) is not None:
            return found.code
        if access_key == PLATFORM_KEY or account is None:
            return None
        return self._missing(account, access_key, service, right)

    def _missing(self, account: AccountApi, access_key: str, service: str, right: str) -> str | None:
        for each in account.credentials.values():
            if each["access_key"] == access_key:
                self._storage.used.setdefault(each["name"], set()).add(right)
                return None if service != S3 and each["permissions"][right] else "AccessDenied"
        if service != S3:
            return "AccessDenied"
        application = account.api_keys[access_key]["application_id"]
        name = account.applications[application]["name"] if application else "person"
        self._storage.used.setdefault(name, set()).add(right)
        rights = account.rights_of(access_key)
        is_missing = right in self._storage.withheld if rights is None else right not in rights
        return "AccessDenied" if is_missing else None


def storage_right(environ: dict[str, Any]) -> str:
    """The permission set that a request to the storage needs."""
    method, query = environ["REQUEST_METHOD"], dict(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True))
    key = unquote(environ["RAW_URI"].partition("?")[0]).lstrip("/").partition("/")[2]
    if key:
        kind = {"GET": "Read", "HEAD": "Read", "DELETE": "Delete"}.get(method, "Write")
        return f"ObjectStorageObjects{kind}"
    if "list-type" in query:
        return "ObjectStorageObjectsRead"
    if "delete" in query:
        return "ObjectStorageObjectsDelete"
    if method == "DELETE" and not query:
        return "ObjectStorageBucketsDelete"
    return f"ObjectStorageBuckets{'Read' if method in READ else 'Write'}"


def action_of(environ: dict[str, Any], body: bytes) -> str:
    target = str(environ.get("HTTP_X_AMZ_TARGET", "")).partition(".")[2]
    return target or dict(parse_qsl(body.decode())).get("Action", "")


def is_look(environ: dict[str, Any], body: bytes) -> bool:
    return action_of(environ, body).startswith(("Get", "List"))


def queue_right(environ: dict[str, Any], body: bytes) -> str:
    """The permission of the queue's credentials that a request needs."""
    action = action_of(environ, body)
    return "can_publish" if action in SENDS else "can_receive" if action in RECEIVES else "can_manage"


def refuse(start_response: Any, status: int, code: str, service: str) -> list[bytes]:
    if service == S3:
        content_type, body = "application/xml", f"<Error><Code>{code}</Code><Message>no</Message></Error>"
    else:
        content_type, body = "application/x-amz-json-1.0", json.dumps({"__type": f"com.amazonaws.sqs#{code}"})
    start_response(f"{status} Refused", [("Content-Type", content_type), ("x-amzn-query-error", f"{code};Sender")])
    return [body.encode()]
