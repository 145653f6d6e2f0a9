"""Names of what is made in the account, and of what is noted there."""

from typing import Final

from deploy_tools.account.connection import Account

# Notes at the application for the storage, which is made first and removed last: the bucket, and that it was made here.
BUCKET_NOTE: Final = "bucket"
MADE_NOTE: Final = "bucket-made"
# Applications belong to the organization: the first digits of the project keep those of its projects apart.
_PROJECT_DIGITS: Final = 8
MAX_LENGTH: Final = 64


def application_name(service: str, kind: str, account: Account) -> str:
    """The name of an IAM application, and of its policy."""
    return f"{service}-{kind}-{account.region}-{account.project_id[:_PROJECT_DIGITS]}"[:MAX_LENGTH]
