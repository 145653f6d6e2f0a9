"""Has a chunk transcribed by the Audio Transcriptions API: a form whose file part is the audio as it is."""

import uuid
from collections.abc import Iterator

from transcriber.backends.base import ChunkTranscript, Poster, blocks
from transcriber.body import Body
from transcriber.chunks import Chunk
from transcriber.deadline import Deadline
from transcriber.errors import ApiFailedError
from transcriber.options import TranscriptionOptions


class TranscriptionsBackend:
    """The Audio Transcriptions API."""

    def transcribe(
        self, chunk: Chunk, *, model: str, options: TranscriptionOptions, api: Poster, deadline: Deadline
    ) -> ChunkTranscript:
        """The transcript of `chunk`; options that this API does not have become warnings."""
        answer = api.post("/audio/transcriptions", lambda: make_body(chunk, model, options), deadline=deadline)
        text = answer.get("text")
        if not isinstance(text, str):
            raise ApiFailedError("The API's answer has no text in it.")
        return ChunkTranscript(text=text.strip(), model=model, warnings=_warnings(model, options))


def make_body(chunk: Chunk, model: str, options: TranscriptionOptions) -> Body:
    """The request's body as multipart/form-data (RFC 7578), of known size where the chunk's is known."""
    boundary = uuid.uuid4().hex
    fields = {
        "model": model,
        "response_format": "json",
        "temperature": f"{options.temperature or 0:g}",
        "language": options.language,
        "prompt": options.prompt,
    }
    head = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
        if value is not None
    )
    head += (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="file"; filename="audio.{chunk.container}"\r\n'
        f"Content-Type: {chunk.container.content_type}\r\n\r\n"
    )
    opening, ending = head.encode(), f"\r\n--{boundary}--\r\n".encode()
    size_bytes = None if chunk.size_bytes is None else len(opening) + chunk.size_bytes + len(ending)
    return Body(f"multipart/form-data; boundary={boundary}", size_bytes, _pieces(opening, chunk, ending))


def _pieces(opening: bytes, chunk: Chunk, ending: bytes) -> Iterator[bytes]:
    """The body in order. The audio is opened first: nothing is sent of a request whose audio cannot be had."""
    for block in blocks(chunk):
        if opening:
            yield opening
            opening = b""
        yield block
    yield ending


def _warnings(model: str, options: TranscriptionOptions) -> tuple[str, ...]:
    unused = [name for name in ("top_p", "max_tokens") if getattr(options, name) is not None]
    return tuple(f"{name} was not used: {model} is asked through an API that does not have it." for name in unused)
