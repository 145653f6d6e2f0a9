"""Audio at an address: fetched while it is read, in bounded time and size, and from public addresses alone."""

import re
import ssl
import time
from collections.abc import Callable
from functools import cached_property
from typing import ClassVar, Final, Protocol
from urllib.parse import urljoin

import requests
from requests.utils import requote_uri
from urllib3.exceptions import HTTPError, ReadTimeoutError

from transcriber.deadline import Deadline
from transcriber.errors import (
    RequestError,
    SourceChangedError,
    SourceFailedError,
    SourceLostError,
    SourceNotFoundError,
    SourceRefusedError,
    SourceTimeoutError,
)
from transcriber.net.ssrf_guard import GuardedAdapter, SsrfGuard
from transcriber.net.tls import new_client_context
from transcriber.retry import RetryPolicy
from transcriber.sources.base import Reader, Source
from transcriber.sources.url_check import check_url

# As many as browsers and download tools follow: file shares and trackers of podcasts send from one host to the next.
MAX_REDIRECTS = 20
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
# Fifteen digits are a petabyte; a longer number is not the length of a file.
_LENGTH = re.compile(r"[0-9]{1,15}")
# The registered codings that compress; others, which some stores leave in the header, change nothing.
COMPRESSIONS: Final = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress"})

# Long enough for a far server's handshake, short enough that a dead address leaves time for a retry.
CONNECT_TIMEOUT_SECONDS = 10.0
# A server may need a moment to fetch a file from its own storage; one that sends nothing for longer has stalled.
STALL_TIMEOUT_SECONDS = 30.0
# A connection that is idle while chunks are transcribed may be closed each time; a server that breaks off more often
# never delivers.
MAX_RESUMES = 50
# A long wait does not cure a broken connection, and the API's own retries come on top of these.
CONNECT_ATTEMPTS = 3

HEADERS: Final = {
    # Compressing audio gains nothing, and the length would be that of the compressed bytes.
    "Accept-Encoding": "identity",
    "Accept": "audio/*, video/*;q=0.9, */*;q=0.5",
    "User-Agent": "transcriber (+serverless function)",
}


class Downloader:
    """The connections of an instance to the servers of URLs, and their retry policy."""

    def __init__(
        self,
        guard: SsrfGuard,
        *,
        tls: Callable[[], ssl.SSLContext] = new_client_context,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._guard = guard
        self._tls = tls
        self.retry = RetryPolicy(sleep=sleep, max_attempts=CONNECT_ATTEMPTS)

    @cached_property
    def connections(self) -> GuardedAdapter:
        """The connections, made for the first address: their TLS context takes 27 ms of CPU."""
        return GuardedAdapter(self._guard, self._tls())

    def get(self, url: str, *, start: int, deadline: Deadline) -> requests.Response:
        """The answer of `url`, from the byte `start` on if the server can; head and body keep to `deadline`."""
        remaining_seconds = deadline.remaining_seconds()
        self._guard.thread_deadline.set(remaining_seconds)
        timeouts = (min(CONNECT_TIMEOUT_SECONDS, remaining_seconds), STALL_TIMEOUT_SECONDS)
        headers = {**HEADERS, "Range": f"bytes={start}-"} if start else HEADERS
        return self.connections.get(url, headers=headers, timeouts=timeouts)


class UrlSource(Source):
    """The audio at `url`.

    Where the server names its version (ETag or Last-Modified), it can be read again by another download, which must be
    of the same version; a download that breaks off is resumed there. From a position on, only the rest is requested,
    and if the server sends everything, it is read up to there. Without a version it is read once, so that no transcript
    is ever made of two versions. With a `version`, even the first download must be of that one.
    """

    kind: ClassVar[str] = "url"

    def __init__(
        self, url: str, *, downloader: Downloader, max_bytes: int, deadline: Deadline, version: str | None = None
    ) -> None:
        super().__init__(max_bytes=max_bytes)
        check_url(url)
        self._url = url
        self._downloader = downloader
        self._deadline = deadline
        self._version = version
        self._is_known = version is not None
        self._has_begun = False

    @property
    def can_be_read_again(self) -> bool:
        """Whether the server names the version."""
        return self._version is not None

    @property
    def version(self) -> str | None:
        """The version by its server's name for it, once a download has begun; None where it names none."""
        return self._version

    def _connect(self, start: int) -> Reader:
        if not self._has_begun:
            self._has_begun = True
            download = self._downloader.retry(lambda: self._download(start), deadline=self._deadline)
            return _Resuming(self, download, start)
        if self._version is None:
            message = "The download broke off, and its server does not say which version of the audio it sends."
            raise SourceLostError(message, param="url")
        # A second reading is part of the reader's own retry.
        return _Resuming(self, self._download(start), start)

    def resume(self, start: int) -> Reader:
        """The rest of a download that broke off before the byte `start`."""
        return self._downloader.retry(lambda: self._download(start), deadline=self._deadline)

    def _download(self, start: int) -> Reader:
        """One download, which begins at the byte `start`."""
        response = self._respond(start)
        version = response.headers.get("ETag") or response.headers.get("Last-Modified")
        if self._is_known and version != self._version:
            response.close()
            raise SourceChangedError(
                "The audio at the url changed while it was read. Send the request again.", param="url"
            )
        self._is_known, self._version = True, version
        is_rest = response.status_code == requests.codes.partial
        length = response.headers.get("Content-Length", "")
        if _LENGTH.fullmatch(length) and "Transfer-Encoding" not in response.headers:
            self.size_bytes = int(length) + (start if is_rest else 0)
        download = _Download(response, deadline=self._deadline)
        if not is_rest:
            download.skip(start)
        return download

    def _respond(self, start: int) -> requests.Response:
        """The answer with the audio, after redirects; each address is checked like the first."""
        url = self._url
        for _ in range(MAX_REDIRECTS + 1):
            check_url(url)
            response = self._get(url, start)
            if response.status_code not in REDIRECTS or "Location" not in response.headers:
                return _checked(response, start)
            response.close()
            url = _joined(url, response.headers.get("Location", ""))
        raise SourceRefusedError(f"The url redirects more than {MAX_REDIRECTS} times.", param="url")

    def _get(self, url: str, start: int) -> requests.Response:
        if self._deadline.has_passed():
            raise _too_slow(self._deadline)
        try:
            return self._downloader.get(url, start=start, deadline=self._deadline)
        except (requests.Timeout, TimeoutError):
            raise SourceTimeoutError("The server of the url did not answer in time.", param="url") from None
        except requests.exceptions.SSLError:
            raise SourceFailedError("The server of the url has no valid certificate.", param="url") from None
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, UnicodeError):
            raise RequestError(
                "The url is not a valid address, or redirects to one that is not.", param="url"
            ) from None
        except (requests.RequestException, HTTPError, ValueError):
            # The exception's text names addresses, which may be internal.
            raise SourceFailedError("The server of the url cannot be reached.", param="url") from None


class _Resuming(Reader):
    """A reading that resumes with another download where one has broken off."""

    def __init__(self, source: UrlSource, reader: Reader, start: int) -> None:
        self._source = source
        self._reader = reader
        self._position = start
        self._resumes = 0
        self._resumed_at = start

    def read(self, size: int) -> bytes:
        while True:
            try:
                block = self._reader.read(size)
            except (SourceFailedError, SourceTimeoutError):
                if not self._is_worth_resuming():
                    raise
                self._reader.close()
                self._resumes, self._resumed_at = self._resumes + 1, self._position
                self._reader = self._source.resume(self._position)
            else:
                self._position += len(block)
                return block

    def _is_worth_resuming(self) -> bool:
        """Whether bytes arrived since the last time, of a version that can be read again."""
        has_come_on = self._position > self._resumed_at and self._resumes < MAX_RESUMES
        return has_come_on and self._source.can_be_read_again

    def close(self) -> None:
        self._reader.close()


class _Body(Protocol):
    """The part of urllib3's response that is used here."""

    def read(self, amt: int) -> bytes: ...

    def close(self) -> None: ...


class _Download(Reader):
    """The body of a response, while it arrives."""

    def __init__(self, response: requests.Response, *, deadline: Deadline) -> None:
        self._response = response
        self._body: _Body = response.raw
        self._deadline = deadline

    def read(self, size: int) -> bytes:
        if self._deadline.has_passed():
            raise _too_slow(self._deadline)
        try:
            # Waits for all of `size`: small blocks would cost more than the bytes in them. Each read of the connection
            # keeps to the time limit, so that no server outlasts it by sending byte after byte.
            return self._body.read(size)
        except (ReadTimeoutError, TimeoutError):
            if self._deadline.has_passed():
                raise _too_slow(self._deadline) from None
            message = f"The server of the url sent nothing for {STALL_TIMEOUT_SECONDS:.0f} s."
            raise SourceTimeoutError(message, param="url") from None
        except (HTTPError, OSError, ValueError):
            raise SourceFailedError("The download broke off before its end.", param="url") from None

    def close(self) -> None:
        self._response.close()


def _joined(url: str, target: str) -> str:
    """The address of the Location `target`, seen from `url`; it is UTF-8, which http.client reads as Latin-1."""
    try:
        return urljoin(url, requote_uri(target.encode("latin-1").decode()))
    except ValueError:
        raise RequestError("The url redirects to an address that is not valid.", param="url") from None


def _checked(response: requests.Response, start: int) -> requests.Response:
    status = response.status_code
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    is_rest = status == requests.codes.partial and _begins_at(response, start)
    if (status == requests.codes.ok or is_rest) and encoding not in COMPRESSIONS:
        return response
    response.close()
    if status == requests.codes.ok or is_rest:
        # A small block may decompress to a thousand times its size, and a function has little memory.
        message = f"The server of the url sends the audio compressed ({encoding[:20]!r}), which was not requested."
        raise SourceRefusedError(message, param="url")
    if status in {404, 410}:
        raise SourceNotFoundError(f"There is nothing at the url: its server answered {status}.", param="url")
    if status in {429, 503} or status >= requests.codes.server_error:
        raise SourceFailedError(f"The server of the url answered {status}.", param="url")
    raise SourceRefusedError(f"The server of the url refuses the audio: it answered {status}.", param="url")


def _begins_at(response: requests.Response, start: int) -> bool:
    """Whether a partial answer, requested from the byte `start` on, begins there (RFC 9110, 14.4)."""
    return start > 0 and response.headers.get("Content-Range", "").lower().startswith(f"bytes {start}-")


def _too_slow(deadline: Deadline) -> SourceTimeoutError:
    return SourceTimeoutError(f"The audio did not arrive within {deadline.limit}.", param="url")
