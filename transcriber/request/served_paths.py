"""Which paths of the OpenAI API are served, by which methods; what clients call besides is refused with what to call.

The function may be mounted anywhere, so a path that is not the API's is the function's own.
"""

import re
from collections.abc import Mapping
from typing import Final

from transcriber.errors import MethodNotAllowedError, PathNotServedError
from transcriber.request.openai_api import ApiPath, api_path

_CHAT: Final = "POST /v1/chat/completions, with the recording as an input_audio part"
_TRANSCRIPTIONS: Final = "POST /v1/audio/transcriptions"
_BOTH: Final = f"{_TRANSCRIPTIONS}, or {_CHAT}"
_UPLOADS: Final = "POST /v1/uploads"

# The other paths of the OpenAI API and of those like it, by the segment that they begin with, and what is served in
# their place. The first are nothing else, wherever the function is mounted.
_UNMISTAKABLE: Final[Mapping[str, str]] = {
    "responses": _CHAT,
    "completions": _CHAT,
    "audio/translations": f"{_TRANSCRIPTIONS}, in the language of the recording: no words are translated",
    "audio/speech": f"{_TRANSCRIPTIONS}, for the other direction",
    "embeddings": _BOTH,
    "moderations": _BOTH,
}
UNSERVED: Final[Mapping[str, str]] = {
    **_UNMISTAKABLE,
    "messages": _CHAT,
    "conversations": _CHAT,
    "assistants": _CHAT,
    "threads": _CHAT,
    "realtime": _BOTH,
    "audio/voices": _TRANSCRIPTIONS,
    "listen": _TRANSCRIPTIONS,
    "files": _UPLOADS,
    "batches": f"{_TRANSCRIPTIONS} with a callback",
    "images": _BOTH,
    "videos": _BOTH,
    "vector_stores": _BOTH,
    "fine_tuning": _BOTH,
    "evals": _BOTH,
    "containers": _BOTH,
    "rerank": _BOTH,
}
# With their base: the API's version, Azure's path, or none. Compiled where they are first needed: at a cold start, they
# would take as long as reading a request does.
_UNSERVED: Final = rf"\A(?:.*/v1|/openai(?:/deployments/[^/]+)?)?/(?P<name>{'|'.join(UNSERVED)})(?:/.*)?\Z"
_UNSERVED_ANYWHERE: Final = rf".*(?<!/chat)/(?P<name>{'|'.join(_UNMISTAKABLE)})/?\Z"
_OF_THE_API: Final = r"(?:\A|/)v1/(?P<rest>.+?)/?\Z"
_SERVED: Final = r"(?:audio/transcriptions/.+|models/.+)\Z"
_MODEL: Final = r"/models/(?P<model>.+?)/?\Z"
# What is only ever sent: another method would get the function's status, which a client could take for an answer.
_POSTED: Final = frozenset({ApiPath.CHAT, ApiPath.TRANSCRIPTIONS, ApiPath.UPLOADS})
_SHOWN_LENGTH: Final = 60


def refuse_unserved(path: str) -> None:
    """Raise `PathNotServedError` for a path of the OpenAI API that this function does not have."""
    if path in {"", "/"} or api_path(path) is not ApiPath.ROOT:
        return
    found = re.match(_UNSERVED, path) or re.match(_UNSERVED_ANYWHERE, path)
    rest = re.search(_OF_THE_API, path)
    if found is None and (rest is None or re.match(_SERVED, rest["rest"])):
        return
    instead = UNSERVED[found["name"]] if found else _BOTH
    raise PathNotServedError(f"{path[:_SHOWN_LENGTH]} is not served here. Served is {instead}.")


def refuse_reading(method: str, path: str) -> None:
    """Raise `MethodNotAllowedError` where a recording can only be sent."""
    if api_path(path) in _POSTED:
        message = f"{method} is not a method of {path[-_SHOWN_LENGTH:]}. POST a request there."
        raise MethodNotAllowedError(message, allowed=("OPTIONS", "POST"))


def model_of(path: str) -> str | None:
    """The model whose description the path names; None where it names none."""
    match = re.search(_MODEL, path)
    return match["model"] if match else None
