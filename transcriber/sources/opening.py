"""Where audio comes from: an address, Object Storage, or the request; each is something to read, again if need be."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from transcriber.deadline import Deadline
from transcriber.request.base64_text import Base64Text
from transcriber.request.parse import UrlReference
from transcriber.settings import Settings
from transcriber.sources.base import Source
from transcriber.sources.inline import InlineSource

if TYPE_CHECKING:
    from transcriber.sources.url import Downloader


def open_source(
    reference: UrlReference | Base64Text,
    *,
    downloads: "Callable[[], Downloader]",
    settings: Settings,
    deadline: Deadline,
) -> Source:
    """The source that `reference` names; nothing is read before its first `peek` or `open`.

    `downloads` is called for a URL alone: it makes the session on first use.
    """
    match reference:
        case UrlReference(url):
            from transcriber.sources.url import UrlSource  # noqa: PLC0415 # requests takes 0.1 s of CPU at a cold start

            return UrlSource(url, downloads=downloads(), max_bytes=settings.max_audio_bytes, deadline=deadline)
        case Base64Text():
            return InlineSource(reference, max_bytes=settings.max_audio_bytes)
