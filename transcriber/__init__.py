"""The function's own code: event, request, source, audio, chunks, calls of the API, transcript, answer."""

__version__ = "0.1.0"
