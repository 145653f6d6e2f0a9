"""Keeps the objects of the emulated storage between two runs, in one SQLite file in a folder.

One file, since a key may be longer than a file's name, hold any character, and be both an object and the prefix of
other keys. It keeps the latest version of each object: bytes, ETag, metadata and time. Tags, unfinished multipart
uploads and the queue are not kept.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from emulator.processes import ServerFailedError

FILE_NAME = "objects.sqlite"


class StorageFolderError(ServerFailedError):
    """The folder cannot be used; the message says why."""


@dataclass(frozen=True)
class KeptObject:
    """An object; `etag` has no quotes, `metadata` includes `Content-Type`, `modified` is in seconds since 1970."""

    bucket: str
    key: str
    body: bytes
    etag: str
    metadata: Mapping[str, str]
    modified: float


class StorageFolder:
    """The objects in `folder`, which is created if needed; for one thread at a time.

    Raises `StorageFolderError`.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # One connection for all threads of the server, which takes one write at a time anyway.
            self._database = sqlite3.connect(folder / FILE_NAME, isolation_level=None, check_same_thread=False)
            # A power cut may cost the last moments, never consistency; without these, a write takes much longer.
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS objects (bucket TEXT, key TEXT, etag TEXT, metadata TEXT, modified REAL,"
                " body BLOB, PRIMARY KEY (bucket, key))"
            )
        except (OSError, sqlite3.Error) as error:
            raise StorageFolderError(f"Objects cannot be kept in {folder}: {error}") from error

    def objects(self) -> Iterator[KeptObject]:
        """All objects, one at a time in memory."""
        rows = "SELECT bucket, key, body, etag, metadata, modified FROM objects ORDER BY bucket, key"
        with closing(self._database.execute(rows)) as cursor:
            for bucket, key, body, etag, metadata, modified in cursor:
                yield KeptObject(bucket, key, body, etag, json.loads(metadata), modified)

    def keys(self, bucket: str) -> list[str]:
        """The keys of the bucket's objects."""
        return [key for (key,) in self._database.execute("SELECT key FROM objects WHERE bucket = ?", (bucket,))]

    def version(self, bucket: str, key: str) -> tuple[str, float] | None:
        """The ETag and the time of a kept object; `None` if there is none."""
        row: tuple[str, float] | None = self._database.execute(
            "SELECT etag, modified FROM objects WHERE bucket = ? AND key = ?", (bucket, key)
        ).fetchone()
        return row

    def keep(self, kept: KeptObject) -> None:
        """Keep an object, and replace the one with the same key."""
        self._database.execute(
            "INSERT OR REPLACE INTO objects (bucket, key, body, etag, metadata, modified) VALUES (?, ?, ?, ?, ?, ?)",
            (kept.bucket, kept.key, kept.body, kept.etag, json.dumps(dict(kept.metadata)), kept.modified),
        )

    def remove(self, bucket: str, key: str) -> None:
        """Remove an object, if it is kept."""
        self._database.execute("DELETE FROM objects WHERE bucket = ? AND key = ?", (bucket, key))

    def close(self) -> None:
        """Close the file."""
        self._database.close()
