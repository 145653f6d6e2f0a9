"""A bucket that can only be listed, as large as a sweep is to be measured on, and a queue.

`/<bucket>?list-type=2…` lists the recordings `in/0000000.mp3` and on, and their transcripts and markers, of which each
hundredth is missing; `/queue` takes every message.
"""

import socket
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

from bench_suite.exchange import Request, response_head
from bench_suite.links import Links, Pace
from bench_suite.servers import Answer

BUCKET: Final = "recordings"
QUEUE: Final = "/queue"
OBJECTS: Final = 100_000
# One recording in this many has no transcript.
MISSING_EACH: Final = 100
PAGE: Final = 1_000
_ETAG: Final = "0123456789abcdef0123456789abcdef"


def keys_of(objects: int) -> list[str]:
    """The keys of a bucket with this many recordings, in the order of a listing."""
    recordings = [f"in/{number:07}.mp3" for number in range(objects)]
    transcribed = [key for number, key in enumerate(recordings) if number % MISSING_EACH]
    markers = [f"transcripts/.work/done/{key}.{_ETAG}" for key in transcribed]
    return recordings + markers + [f"transcripts/{key}.json" for key in transcribed]


def make_answer(links: Links, objects: int = OBJECTS) -> Answer:
    """What answers each request."""
    keys = keys_of(objects)
    pace = Pace(links.bytes_per_second)

    def answer(connection: socket.socket, request: Request) -> None:
        body = b"".join(request.body(pace))
        text = _taken(body) if request.target.startswith(QUEUE) else page(keys, request.target)
        connection.sendall(response_head("200 OK", len(text)) + text)

    return answer


def page(keys: list[str], target: str) -> bytes:
    """The page that a request for `target` gets of a bucket with `keys`."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
    after = max(query.get("continuation-token", ""), query.get("start-after", ""), query.get("prefix", ""))
    start = bisect_right(keys, after)
    listed = list(_beginning_with(query.get("prefix", ""), keys[start : start + PAGE]))
    is_truncated = len(listed) == PAGE
    token = f"<NextContinuationToken>{quote(listed[-1])}</NextContinuationToken>" if is_truncated else ""
    contents = "".join(map(_content, listed))
    return (
        f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{contents}{token}'
        f"<IsTruncated>{str(is_truncated).lower()}</IsTruncated></ListBucketResult>"
    ).encode()


def _beginning_with(prefix: str, keys: list[str]) -> Iterator[str]:
    return (key for key in keys if key.startswith(prefix))


def _content(key: str) -> str:
    minute = 1 if key.endswith(".json") else 0
    return (
        f"<Contents><Key>{quote(key)}</Key><LastModified>2026-11-24T12:0{minute}:00.000Z</LastModified>"
        f"<ETag>&quot;{_ETAG}&quot;</ETag><Size>181772</Size><StorageClass>STANDARD</StorageClass></Contents>"
    )


def _taken(body: bytes) -> bytes:
    ids = [values[0] for name, values in parse_qs(body.decode()).items() if name.endswith(".Id")]
    entries = "".join(f"<SendMessageBatchResultEntry><Id>{one}</Id></SendMessageBatchResultEntry>" for one in ids)
    return f"<SendMessageBatchResponse>{entries}</SendMessageBatchResponse>".encode()
