"""The errors of the command."""


class NoTranscriptError(Exception):
    """A recording has no transcript; the message gives the reason, and what to do."""


class FunctionUnavailableError(Exception):
    """The function does not answer at all, or not to these tokens; no recording can be sent."""


class StoppedError(Exception):
    """The command was interrupted while it waited."""
