"""The API of the benchmark: answers with the digest of the received audio, a fixed time after its last byte."""

import json
import socket
import time
from typing import Any, Final

from bench_suite.exchange import BadRequestError, Request, response_head
from bench_suite.links import Links, Pace
from bench_suite.servers import Answer
from bench_suite.uploads import chat_upload, check_chat, check_form, form_upload

MODELS: Final = {"chat": "voxtral-small-24b-2507", "transcriptions": "whisper-large-v3"}
PATH: Final = "/v1"
_LIST_OF_MODELS: Final = {"object": "list", "data": [{"id": name, "object": "model"} for name in MODELS.values()]}


def make_answer(links: Links, *, seconds_per_byte: float = 0.0) -> Answer:
    """The handler of requests, over a link with the speed and latency of `links`.

    After the last byte, the API also takes `seconds_per_byte` for the audio.
    """
    pace = Pace(links.bytes_per_second)

    def answer(connection: socket.socket, request: Request) -> None:
        try:
            status, content = "200 OK", _content(request, pace, seconds_per_byte)
        except BadRequestError as error:
            status, content = "400 Bad Request", {"error": {"message": str(error)}}
        if "data" not in content:  # the list of models comes without latency
            time.sleep(links.api_latency_seconds)
        body = json.dumps(content).encode()
        head = response_head(status, len(body), **{"Content-Type": "application/json"})
        connection.sendall(head + body)

    return answer


def _content(request: Request, pace: Pace, seconds_per_byte: float) -> dict[str, Any]:
    if request.target == f"{PATH}/models":
        return _LIST_OF_MODELS
    is_chat = request.target == f"{PATH}/chat/completions"
    upload = chat_upload() if is_chat else form_upload(request.headers.get("content-type", ""))
    for piece in request.body(pace):
        upload.feed(piece)
    time.sleep(upload.size_bytes * seconds_per_byte)
    if is_chat:
        check_chat(upload.around())
        message = {"role": "assistant", "content": upload.transcript()}
        return {
            "id": "completion",
            "object": "chat.completion",
            "created": 0,
            "model": MODELS["chat"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        }
    check_form(upload.around())
    return {"text": upload.transcript()}
