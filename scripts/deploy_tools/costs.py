"""What a bucket pipeline costs, in words, before it is set up."""

from collections.abc import Iterator
from typing import Final

from deploy_tools.facts import RUNS_PER_DAY

# By Scaleway's documentation of Serverless Functions: the price of 100,000 GB-s, and what each account has free in a
# month. Prices change; the bill counts.
EUR_PER_100_000_GB_SECONDS: Final = 1.20
FREE_GB_SECONDS: Final = 400_000
DAYS: Final = 30


def costs(*, memory_mb: int, max_scale: int, timeout_seconds: int, there: str, prices: str) -> Iterator[str]:
    """Lines about what will be billed; `there` is what lies in the bucket now, `prices` the setting PRICES."""
    runs = RUNS_PER_DAY * DAYS
    gb = memory_mb / 1024
    yield (
        f"the function: {gb:g} GB-s for each second that it runs, EUR {EUR_PER_100_000_GB_SECONDS:.2f} for 100,000; "
        f"{FREE_GB_SECONDS:,} in a month are free, for the whole account"
    )
    yield f"the schedule: {runs:,} runs in {DAYS} days, {runs * gb:,.0f} GB-s for each second that one takes"
    most = max_scale * gb * 3600
    yield f"at most {max_scale} instances at once, so {most:,.0f} GB-s in an hour; no request over {timeout_seconds} s"
    price = f"PRICES says {prices} for a minute" if prices else "by the second of audio (Whisper)"
    yield f"the Generative APIs: {price}, once for each recording and version"
    yield f"now under the prefix, and transcribed first: {there}"
    yield "Object Storage and Queues: by what is stored, and by message; IAM, the queue and the schedule: nothing"
