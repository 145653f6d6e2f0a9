"""Everything that can go wrong, as one tree; `transcriber.delivery.error_answers` turns each into its answer.

The last column is the cause, which decides what follows for a recording that is not transcribed for a client.

TranscriberError
├── UnexpectedError             500  recording
├── SettingsError               500  account    a setting is missing or wrong
├── BudgetExhaustedError        503  account    the account's budget is used up
├── CallbackFailedError         502  passing    the receiver of a callback did not take it
│   └── CallbackRefusedError    502  request    the receiver of a callback refused it for good
├── QueueFailedError            502  passing    the queue did not take a message
├── InProgressError             503  passing    another request is transcribing the recording
├── IncompleteError             504  passing    time ran out; a part of the transcript is kept
├── TimeLimitError              504  recording  a chunk never fits TIME_LIMIT
├── NeverSucceededError         500  recording  attempts in a row have added nothing
├── RequestError                400  request    the request is malformed
│   ├── AuthenticationError     401
│   ├── PathNotServedError      404            a path of the OpenAI API that is not served
│   ├── ModelNotServedError     404            asked about alone, and none of MODELS
│   └── MethodNotAllowedError   405
├── SourceError
│   ├── AddressRefusedError     400  request    the address must not be reached
│   ├── SourceNotFoundError     404  recording
│   ├── SourceRefusedError      422  recording  the source answered with a 401, 403 or another refusal
│   │   └── StorageRefusedError      account    the keys of Object Storage have no permission
│   ├── SourceChangedError      502  recording  another version than the one that was read at first
│   ├── SourceLostError         502  recording  it broke off, and cannot be read again
│   ├── SourceFailedError       502  passing
│   └── SourceTimeoutError      504  passing
├── AudioError
│   ├── AudioTooLargeError      413  recording
│   └── UnsupportedAudioError   415  recording
└── ApiError
    ├── ApiRefusedError         400  recording  the API found the recording wrong
    │   ├── OptionRefusedError  400  request    an option of the client's
    │   └── AccountRefusedError 502  account    the account, or what every call has
    ├── ModelNotFoundError      422  account    a model of MODELS
    │   └── RequestedModelNotFoundError  request  the model that the client named
    ├── RateLimitedError        429  passing
    ├── ApiFailedError          502  passing
    │   └── OverlongTranscriptError   recording  a text longer than any speech
    ├── TruncatedTranscriptError 502 recording
    └── ApiTimeoutError         504  passing
"""

from transcriber.errors.api import (
    AccountRefusedError,
    ApiError,
    ApiFailedError,
    ApiRefusedError,
    ApiTimeoutError,
    ModelNotFoundError,
    OptionRefusedError,
    OverlongTranscriptError,
    RateLimitedError,
    RequestedModelNotFoundError,
    TruncatedTranscriptError,
)
from transcriber.errors.base import (
    AuthenticationError,
    BudgetExhaustedError,
    CallbackFailedError,
    CallbackRefusedError,
    Cause,
    IncompleteError,
    InProgressError,
    MethodNotAllowedError,
    ModelNotServedError,
    NeverSucceededError,
    PathNotServedError,
    QueueFailedError,
    RequestError,
    SettingsError,
    TimeLimitError,
    TranscriberError,
    UnexpectedError,
)
from transcriber.errors.jobs import (
    FirstRequestInProgressError,
    IdempotencyKeyReusedError,
    JobNotCompletedError,
    JobNotFoundError,
)
from transcriber.errors.sources import (
    AddressRefusedError,
    AudioError,
    AudioTooLargeError,
    SourceChangedError,
    SourceError,
    SourceFailedError,
    SourceLostError,
    SourceNotFoundError,
    SourceRefusedError,
    SourceTimeoutError,
    StorageRefusedError,
    UnsupportedAudioError,
)

__all__ = [
    "AccountRefusedError",
    "AddressRefusedError",
    "ApiError",
    "ApiFailedError",
    "ApiRefusedError",
    "ApiTimeoutError",
    "AudioError",
    "AudioTooLargeError",
    "AuthenticationError",
    "BudgetExhaustedError",
    "CallbackFailedError",
    "CallbackRefusedError",
    "Cause",
    "FirstRequestInProgressError",
    "IdempotencyKeyReusedError",
    "InProgressError",
    "IncompleteError",
    "JobNotCompletedError",
    "JobNotFoundError",
    "MethodNotAllowedError",
    "ModelNotFoundError",
    "ModelNotServedError",
    "NeverSucceededError",
    "OptionRefusedError",
    "OverlongTranscriptError",
    "PathNotServedError",
    "QueueFailedError",
    "RateLimitedError",
    "RequestError",
    "RequestedModelNotFoundError",
    "SettingsError",
    "SourceChangedError",
    "SourceError",
    "SourceFailedError",
    "SourceLostError",
    "SourceNotFoundError",
    "SourceRefusedError",
    "SourceTimeoutError",
    "StorageRefusedError",
    "TimeLimitError",
    "TranscriberError",
    "TruncatedTranscriptError",
    "UnexpectedError",
    "UnsupportedAudioError",
]
