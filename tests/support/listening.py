"""An API that reads the marked words of each chunk."""

import io
import json
from collections.abc import Callable

from support.handling import WHISPER, FakeApi
from support.loopback import Peer, body_of

from emulator.recognisers.marker_reader import MarkerRecogniser


class Listening:
    """The API as one that reads the markers in each chunk; `spoil` may answer a chunk in its place, by its words."""

    def __init__(self, api: FakeApi, spoil: Callable[[Peer, str], bool] = lambda _peer, _words: False) -> None:
        api.models = [WHISPER]
        api.conversation = self
        self.spoil = spoil

    def __call__(self, peer: Peer) -> None:
        body = body_of(peer.request)
        start = body.find(b"RIFF")
        if start < 0:
            return  # the upload was broken off: another chunk had failed
        size = int.from_bytes(body[start + 4 : start + 8], "little") + 8
        words = MarkerRecogniser().recognise(io.BytesIO(body[start : start + size])).text.lower().replace(".", "")
        if not self.spoil(peer, words):
            peer.answer(json.dumps({"text": words}).encode())
