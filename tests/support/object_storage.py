"""Object storage and queues on loopback, by moto's server, and the stock client to look at them with."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

REGION = "fr-par"
ACCESS_KEY, SECRET_KEY = "an-access-key", "a-secret-key"  # invented
BUCKET = "recordings"


@contextmanager
def moto() -> Iterator[str]:
    """The address of a server with nothing in it."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    os.environ["MOTO_ALLOW_NONEXISTENT_REGION"] = "true"  # fr-par is none of the regions that it knows
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def client(service: str, url: str) -> Any:
    """The stock client of `s3` or `sqs`."""
    return boto3.client(
        service, endpoint_url=url, region_name=REGION, aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY
    )


def empty(url: str) -> Any:
    """An S3 client of a server with one empty bucket."""
    s3 = client("s3", url)
    names = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    if BUCKET not in names:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for key in all_keys(s3):
        s3.delete_object(Bucket=BUCKET, Key=key)
    return s3


def keys(s3: Any) -> list[str]:
    """The keys of recordings and results, without what only work needs."""
    return [key for key in all_keys(s3) if "/.work/" not in f"/{key}"]


def work_keys(s3: Any) -> list[str]:
    """The keys of what only work needs, without the markers of what is done."""
    return [key for key in all_keys(s3) if "/.work/" in f"/{key}" and "/.work/done/" not in f"/{key}"]


def all_keys(s3: Any) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    return [content["Key"] for page in pages for content in page.get("Contents", [])]
