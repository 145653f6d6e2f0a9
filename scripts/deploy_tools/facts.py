"""What a function that transcribes a bucket needs: rights, times, and rules of the bucket, as plain data.

`scripts/deploy --bucket` makes what stands here; `scripts/verify` compares with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

# Names of Scaleway's permission sets, each for the project alone. The function reads and lists recordings, writes
# transcripts, and deletes parts, leases and old error records.
STORAGE_RIGHTS: Final = ("ObjectStorageObjectsRead", "ObjectStorageObjectsWrite", "ObjectStorageObjectsDelete")
# For a key of the Generative APIs that is made here: it calls models, and manages nothing.
API_RIGHTS: Final = ("GenerativeApisModelAccess",)
# For clients of a private function.
CALLER_RIGHTS: Final = ("FunctionsPrivateAccess",)
# The function sends to its queue. The trigger receives by itself.
QUEUE_PERMISSIONS: Final[Mapping[str, bool]] = {"can_publish": True, "can_receive": False, "can_manage": False}

# What the key of the person who deploys needs, by the part of the account that it is for.
DEPLOYER_RIGHTS: Final[Mapping[str, tuple[str, ...]]] = {
    "project": ("ProjectReadOnly",),
    "functions": ("FunctionsFullAccess",),
    "iam": ("IAMApplicationManager", "IAMPolicyManager"),
    "queues": ("MessagingAndQueuingFullAccess",),
    "storage": ("ObjectStorageBucketsRead", "ObjectStorageBucketsWrite"),
    # To remove what the function keeps while it works, and a bucket with nothing in it.
    "removal": ("ObjectStorageObjectsRead", "ObjectStorageObjectsDelete", "ObjectStorageBucketsDelete"),
}

# Scaleway Queues exist in these regions alone; elsewhere the schedule has to do.
QUEUE_REGIONS: Final = ("fr-par", "nl-ams")
# A message is delivered again once this is over: a minute after the platform has ended the request that had it.
VISIBILITY_MARGIN_SECONDS: Final = 60
# A delivery, and the trigger's three retries; then the message is a dead letter.
MAX_DELIVERIES: Final = 4
# Four days, so that an outage over a weekend loses no message; dead letters for two weeks, the most there is.
RETENTION_SECONDS: Final = 4 * 24 * 3600
DEAD_LETTER_RETENTION_SECONDS: Final = 14 * 24 * 3600
# The documented limit of a message.
MAX_MESSAGE_BYTES: Final = 256 * 1024

# Every five minutes. Minutes one by one: the API refuses "*/5".
SCHEDULE: Final = "0,5,10,15,20,25,30,35,40,45,50,55 * * * *"
RUNS_PER_DAY: Final = 24 * 12

# What comes of a chunk is of no use any longer once its recording has been given up.
PARTS_DAYS: Final = 30
DEFAULT_JOB_DAYS: Final = 7
# An upload in several parts that was never completed is billed, and shown nowhere.
OPEN_UPLOAD_DAYS: Final = 1
WORK_FOLDER: Final = ".work/"

# The platform's limit of a variable's value, plain or secret, since June 2026.
MAX_VALUE_LENGTH: Final = 65_536

# Ids of the rules that are ours: all others in a bucket are left as they are.
CORS_ID: Final = "transcriber-uploads"
LIFECYCLE_ID_PREFIX: Final = "transcriber-"


@dataclass(frozen=True)
class Expiry:
    """A lifecycle rule: objects under `prefix` end after `days`; with `is_of_open_uploads`, unfinished uploads do."""

    id: str
    prefix: str
    days: int
    is_of_open_uploads: bool = False

    def rule(self) -> dict[str, Any]:
        """The rule as S3's API takes it."""
        ends = (
            {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": self.days}}
            if self.is_of_open_uploads
            else {"Expiration": {"Days": self.days}}
        )
        return {"ID": self.id, "Status": "Enabled", "Filter": {"Prefix": self.prefix}, **ends}


def expiries(output_prefix: str, job_days: int = DEFAULT_JOB_DAYS) -> tuple[Expiry, ...]:
    """What ends by itself in the bucket of OUTPUT_BUCKET, with the settings OUTPUT_PREFIX and JOB_DAYS."""
    work = f"{output_prefix}{WORK_FOLDER}"
    return (
        Expiry(f"{LIFECYCLE_ID_PREFIX}parts", f"{work}parts/", PARTS_DAYS),
        Expiry(f"{LIFECYCLE_ID_PREFIX}jobs", f"{work}jobs/", job_days),
        Expiry(f"{LIFECYCLE_ID_PREFIX}uploads", f"{work}uploads/", job_days),
        Expiry(f"{LIFECYCLE_ID_PREFIX}open-uploads", work, OPEN_UPLOAD_DAYS, is_of_open_uploads=True),
    )


def cors_rule() -> dict[str, Any]:
    """The rule, as S3's API takes it, by which a page of any origin may send a recording to an upload's signed address.

    The signature is what lets an upload in; the rule only has browsers send it, and show the page its ETag.
    """
    return {
        "ID": CORS_ID,
        "AllowedOrigins": ["*"],
        "AllowedMethods": ["PUT"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 3600,
    }


def visibility_timeout_seconds(function_timeout_seconds: int) -> int:
    """For how long the queue hides a message that the function has received."""
    return function_timeout_seconds + VISIBILITY_MARGIN_SECONDS


def queue_attributes(function_timeout_seconds: int) -> dict[str, str]:
    """The attributes of the queue, but for the address of its dead letters."""
    return {
        "VisibilityTimeout": str(visibility_timeout_seconds(function_timeout_seconds)),
        "MessageRetentionPeriod": str(RETENTION_SECONDS),
        "MaximumMessageSize": str(MAX_MESSAGE_BYTES),
    }


def dead_letter_attributes(function_timeout_seconds: int) -> dict[str, str]:
    """The attributes of the queue of dead letters."""
    return queue_attributes(function_timeout_seconds) | {"MessageRetentionPeriod": str(DEAD_LETTER_RETENTION_SECONDS)}
