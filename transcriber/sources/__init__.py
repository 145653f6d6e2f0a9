"""Where audio comes from: an address, or the request itself; each is something to read, again if need be."""

from transcriber.deadline import Deadline
from transcriber.encoded import Base64Text
from transcriber.request import UrlReference
from transcriber.settings import Settings
from transcriber.sources.base import Source
from transcriber.sources.inline import InlineSource
from transcriber.sources.url import Downloads, UrlSource


def open_source(
    reference: UrlReference | Base64Text, *, downloads: Downloads, settings: Settings, deadline: Deadline
) -> Source:
    """The source that `reference` names; nothing is read before its first `peek` or `open`."""
    match reference:
        case UrlReference(url):
            return UrlSource(url, downloads=downloads, max_bytes=settings.max_audio_bytes, deadline=deadline)
        case Base64Text():
            return InlineSource(reference, max_bytes=settings.max_audio_bytes)
