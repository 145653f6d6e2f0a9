"""Where things of a recording are in the storage: results beside each other, and what only work needs under `.work/`.

<OUTPUT_PREFIX><key>.json                     the transcript; <key>.<options>.json for a request with options
<OUTPUT_PREFIX><key>.error.json               the record of a failure
<OUTPUT_PREFIX>.work/leases/<key>.json        who works on it, or when work goes on
<OUTPUT_PREFIX>.work/parts/<work>/<span>      what came of each chunk, until the transcript is written
<OUTPUT_PREFIX>.work/partials/<key>.<version>.json  a transcript with gaps, beside the record of a failure
<OUTPUT_PREFIX>.work/done/<key>.<version>     that the results are of this version, for sweeps: empty
<OUTPUT_PREFIX>.work/jobs/<id>/               what is a job's alone: README.md has the states of both
<OUTPUT_PREFIX>.work/jobs/owed/<id>.json      a job or a callback that a sweep goes on with when it is due
<OUTPUT_PREFIX>.work/uploads/<id>/<name>      a recording that a client uploaded, with its results beside it
<OUTPUT_PREFIX>.work/sweeps/<sweep>.json      what the last sweep has left
"""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Final

from transcriber.errors import RequestError
from transcriber.request.options import TranscriptionOptions
from transcriber.request.s3_events import ObjectReference
from transcriber.settings import Settings

TRANSCRIPT: Final = ".json"
FAILURE: Final = ".error.json"
# The lease of earlier versions, beside the results.
OLD_LEASE: Final = ".claim.json"
WORK: Final = ".work/"

# A key has 1,024 bytes: what is added to a stem, under the longest folder of `.work/`, is shorter than the rest.
MAX_STEM_BYTES = 900
_DIGEST_LENGTH = 16
# `a.error` would have its transcript where `a` has the record of its failure; the last form is that of a hashed stem.
_LIKE_A_RESULT = re.compile(rf"\.(?:error|claim|[0-9a-f]{{{_DIGEST_LENGTH}}}|[0-9a-f]{{64}})\Z")
# The ETags of all stores, so that a listing shows the version as it is; others are hashed.
_PLAIN_ETAG = re.compile(r"[A-Za-z0-9-]{1,70}\Z")


def options_digest(options: TranscriptionOptions, *, has_gaps: bool = False) -> str:
    """A digest of the options that change the words; "" where there are none, also where defaults are spelt out.

    Whether gaps are allowed is none of them, since a whole transcript is the same; only a partial one `has_gaps`.
    """
    words = {
        "model": options.model,
        "language": options.language,
        "prompt": options.prompt,
        "temperature": options.temperature or None,
        "top_p": None if options.top_p == 1 else options.top_p,
        "max_tokens": options.max_tokens,
        "instruction": options.prompt_is_instruction or None,
        "allow_partial": has_gaps or None,
        "track": options.track,
    }
    given = {name: value for name, value in words.items() if value is not None}
    return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()[:_DIGEST_LENGTH] if given else ""


@dataclass(frozen=True)
class Version:
    """What a transcript is of: the audio's ETag, and the digest of the options that change its words; "" for none."""

    etag: str
    options: str = ""

    @classmethod
    def of(cls, etag: str, options: TranscriptionOptions) -> "Version":
        """The version of the audio `etag` with `options`."""
        return cls(etag, options_digest(options))


@dataclass(frozen=True)
class ResultKeys:
    """The keys of one recording's results, for one set of options, in `bucket`.

    `prefix` is OUTPUT_PREFIX; `name` is what follows it in each key.
    """

    bucket: str
    prefix: str
    name: str

    @classmethod
    def of(cls, reference: ObjectReference, settings: Settings, options: str = "") -> "ResultKeys":
        """The keys of the results of `reference`, with the digest `options`."""
        prefix = settings.output_prefix
        # Results of jobs and uploads lie beside these, and expire with them.
        name = reference.key.removeprefix(prefix) if is_own_recording(reference, settings) else reference.key
        if len((prefix + name).encode()) > MAX_STEM_BYTES or _LIKE_A_RESULT.search(name):
            digest = hashlib.sha256(name.encode()).hexdigest()
            room = MAX_STEM_BYTES - len(prefix.encode()) - len(digest) - 1
            name = f"{name.encode()[:room].decode('utf-8', 'ignore')}.{digest}"
        suffix = f".{options}" if options else ""
        return cls(results_bucket(reference.bucket, settings), prefix, name + suffix)

    def with_suffix(self, suffix: str) -> str:
        """The key of the result with `suffix`."""
        return self.prefix + self.name + suffix

    @property
    def lease(self) -> str:
        """The key of the lease."""
        return f"{self.prefix}{WORK}leases/{self.name}.json"

    def done(self, etag: str) -> str:
        """The key of the marker that the results are of the version `etag` of the audio."""
        return f"{self.prefix}{WORK}done/{self.name}.{_version_name(etag)}"

    def partial(self, etag: str) -> str:
        """The key of what there is of the version `etag` of the audio, whose failure is on record."""
        return f"{self.prefix}{WORK}partials/{self.name}.{_version_name(etag)}.json"


def _version_name(etag: str) -> str:
    return etag if _PLAIN_ETAG.match(etag) else hashlib.sha256(etag.encode()).hexdigest()


def results_bucket(bucket: str, settings: Settings) -> str:
    """The bucket of the results of recordings in `bucket`."""
    return settings.output_bucket or bucket


def keeps_jobs(settings: Settings) -> bool:
    """Whether there is a place for what is kept for clients."""
    return settings.storage is not None and settings.output_bucket is not None


def kept_bucket(settings: Settings, *, what: str, param: str | None = None) -> str:
    """The bucket of what is kept for clients; `RequestError`, about `what`, where settings are missing for it."""
    missing = [] if settings.storage else ["S3_ACCESS_KEY", "S3_SECRET_KEY"]
    if settings.output_bucket is None:
        missing.append("OUTPUT_BUCKET")
    if missing or settings.output_bucket is None:
        message = f"{what} need Object Storage: set {' and '.join(missing)} of the function."
        raise RequestError(message, param=param)
    return settings.output_bucket


def uploads_prefix(settings: Settings) -> str:
    """The beginning of the keys of uploads, and of their results."""
    return f"{settings.output_prefix}{WORK}uploads/"


def jobs_prefix(settings: Settings) -> str:
    """The beginning of the keys of what jobs keep."""
    return f"{settings.output_prefix}{WORK}jobs/"


def is_own_recording(reference: ObjectReference, settings: Settings) -> bool:
    """Whether an object is an upload, or a copy that a job made."""
    folders = (uploads_prefix(settings), jobs_prefix(settings))
    return reference.bucket == settings.output_bucket and reference.key.startswith(folders)


def own_prefix(bucket: str, settings: Settings) -> str:
    """The beginning of all keys in `bucket` that are this function's own; "" where it keeps nothing there.

    Without OUTPUT_PREFIX, results lie among the recordings, and their endings exclude them.
    """
    return (settings.output_prefix or WORK) if results_bucket(bucket, settings) == bucket else ""


def is_result(reference: ObjectReference, settings: Settings) -> bool:
    """Whether an object lies where this function writes: whatever it is, it is not a new recording."""
    own = own_prefix(reference.bucket, settings)
    return bool(own) and reference.key.startswith(own)
