"""Server-sent events, as the Generative APIs stream their answers."""

from collections.abc import Iterable, Iterator

from flask import Response

# The end of a stream; a plain text, not JSON.
DONE = "[DONE]"


def event_stream(events: Iterable[str]) -> Response:
    """An answer that sends each event, JSON or `DONE`, as soon as it is available."""

    def lines() -> Iterator[str]:
        for event in events:
            yield f"data: {event}\n\n"

    return Response(lines(), mimetype="text/event-stream", headers={"Cache-Control": "no-cache"})
