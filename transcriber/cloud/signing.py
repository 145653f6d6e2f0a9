"""The session of a service whose requests are signed with AWS Signature V4."""

import requests
from requests_aws4auth import AWS4Auth

from transcriber.settings import Account


def signed_session(account: Account, *, region: str, service: str) -> requests.Session:
    """A session that signs each request for `service` and keeps its connections."""
    session = requests.Session()
    session.trust_env = False  # neither proxies nor a .netrc: only the settings count
    session.auth = AWS4Auth(account.access_key, account.secret_key, region, service)
    return session
