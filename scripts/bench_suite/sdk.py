"""The scripts written for the Audio Transcriptions API, with the SDK's own method."""

import openai

from bench_suite.api_server import MODELS
from bench_suite.seed import fetched
from bench_suite.work import KEY, Transcribe, Work


def make_transcribe(api_url: str) -> Transcribe:
    """The SDK's way with an API at `api_url`."""
    client = openai.OpenAI(base_url=api_url, api_key=KEY)

    def transcribe(work: Work) -> str:
        file = ("a.mp3", fetched(work))
        return client.audio.transcriptions.create(model=MODELS["transcriptions"], file=file).text

    return transcribe
