"""The errors of Object Storage's answers; their own text holds addresses, and is not repeated."""

from http import HTTPStatus
from typing import Final, NoReturn

from transcriber.cloud.object_list import error_code
from transcriber.errors import (
    RequestError,
    SettingsError,
    SourceChangedError,
    SourceFailedError,
    SourceNotFoundError,
    StorageRefusedError,
)

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_WRONG_REGION: Final = frozenset({"AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraint"})


def no_bucket(bucket: str) -> SourceNotFoundError:
    """The error of a bucket that is not there."""
    return SourceNotFoundError(f"There is no bucket {bucket}.", param="bucket")


def changed(where: str) -> SourceChangedError:
    """The error of an object that was replaced meanwhile."""
    return SourceChangedError(f"The object {where} changed while it was read.", param="key")


def refuse(status: int, body: bytes, where: str, param: str) -> NoReturn:
    """Raise the error of an answer that is neither a success nor allowed."""
    code = error_code(body)
    if status in _REDIRECTS or code in _WRONG_REGION:
        message = "does not serve this bucket: set S3_ENDPOINT and S3_REGION to the bucket's region"
        raise SettingsError("S3_ENDPOINT", message)
    if code == "NoSuchBucket" or (status == HTTPStatus.NOT_FOUND and param == "bucket"):
        raise SourceNotFoundError(f"There is no bucket for {where}.", param="bucket")
    if status == HTTPStatus.NOT_FOUND:
        raise SourceNotFoundError(f"There is no object {where}, or no such bucket.", param="key")
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        message = f"Object Storage refuses {where} to the key pair of S3_ACCESS_KEY; it needs to read and write there."
        raise StorageRefusedError(message, param="bucket")
    if status == HTTPStatus.PRECONDITION_FAILED:
        raise changed(where)
    if code == "KeyTooLongError":
        raise RequestError(f"The key is longer than the storage allows: {where[:40]!r}…", param="key")
    raise SourceFailedError(f"Object Storage answered {status} at {where}.", param=param)
