"""The errors of sources and of audio: what is about the bytes of a recording, and where they come from."""

from transcriber.errors.base import Cause, TranscriberError


class SourceError(TranscriberError):
    """The audio cannot be read; only its subclasses are raised."""

    type = "invalid_request_error"


class AddressRefusedError(SourceError):
    """The address is not one that this function may reach."""

    status = 400
    code = "address_refused"
    is_retryable = False
    cause = Cause.REQUEST


class SourceNotFoundError(SourceError):
    """There is nothing at the address."""

    status = 404
    type = "not_found_error"
    code = "source_not_found"
    is_retryable = False
    cause = Cause.RECORDING


class SourceRefusedError(SourceError):
    """The source exists and refuses the audio; its operator may allow it later."""

    status = 422
    code = "source_refused"
    is_retryable = True
    cause = Cause.RECORDING


class StorageRefusedError(SourceRefusedError):
    """Object Storage does not let its keys do what a recording needs."""

    cause = Cause.ACCOUNT


class SourceChangedError(SourceError):
    """The audio became another one between two readings of it."""

    status = 502
    code = "source_changed"
    is_retryable = True
    cause = Cause.RECORDING


class SourceLostError(SourceError):
    """The source broke off, and cannot be read again from its start."""

    status = 502
    type = "server_error"
    code = "source_lost"
    is_retryable = True
    cause = Cause.RECORDING


class SourceFailedError(SourceError):
    """The source broke off, could not be reached, or answered with a failure of its own."""

    status = 502
    type = "server_error"
    code = "source_failed"
    is_retryable = True
    cause = Cause.PASSING


class SourceTimeoutError(SourceError):
    """The source did not deliver in time."""

    status = 504
    type = "server_error"
    code = "source_timeout"
    is_retryable = True
    cause = Cause.PASSING


class AudioError(TranscriberError):
    """The bytes are no audio that can be transcribed."""

    type = "invalid_request_error"
    is_retryable = False
    cause = Cause.RECORDING


class AudioTooLargeError(AudioError):
    """The audio is over a limit; the message gives the limit and the size."""

    status = 413
    code = "audio_too_large"


class UnsupportedAudioError(AudioError):
    """The bytes are not audio that can be read; the message says what they are."""

    status = 415
    code = "unsupported_audio"
