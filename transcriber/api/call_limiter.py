"""Lets the threads of an instance start calls of the API one after the other, as the quota and the time allow."""

import random
import time
from collections.abc import Callable
from threading import Condition
from typing import TypeVar

from transcriber.api.backend import CallContext
from transcriber.api.pacing import Pacing, StartedCall
from transcriber.errors import ApiTimeoutError, RateLimitedError
from transcriber.settings import Settings

T = TypeVar("T")

# Before the first answer: a tenth of the audio's length, which is what a busy server takes, and of a short time limit
# no more than this share, since otherwise no call would be made.
FIRST_SECONDS_PER_AUDIO_SECOND = 0.1
FIRST_SHARE_OF_LIMIT = 0.25
# The API works on windows of 30 s, so that a shorter recording takes as long.
SHORTEST_AUDIO_SECONDS = 30.0
# What a call takes is estimated as retransmission timers are (RFC 6298): a running mean, and four mean deviations.
MEAN_GAIN = 1 / 8
DEVIATION_GAIN = 1 / 4
DEVIATIONS = 4
# A waiting thread notices within this that its request was cancelled, should nothing else wake it.
POLL_SECONDS = 0.25


class CallSeconds:
    """How long a call takes for a second of audio, by those that succeeded. Not safe for threads by itself."""

    def __init__(self) -> None:
        self._mean: float | None = None
        self._deviation = 0.0

    def add(self, seconds: float, audio_seconds: float) -> None:
        """Add a call that succeeded."""
        each = seconds / max(SHORTEST_AUDIO_SECONDS, audio_seconds)
        if self._mean is None:
            self._mean, self._deviation = each, each / 2
            return
        self._deviation += DEVIATION_GAIN * (abs(each - self._mean) - self._deviation)
        self._mean += MEAN_GAIN * (each - self._mean)

    def expected(self, audio_seconds: float, limit_seconds: float) -> float:
        """Seconds that a call with so much audio is expected to take, in a request with this time limit."""
        if self._mean is None:
            return min(audio_seconds * FIRST_SECONDS_PER_AUDIO_SECOND, limit_seconds * FIRST_SHARE_OF_LIMIT)
        each = self._mean + DEVIATIONS * self._deviation
        return each * max(SHORTEST_AUDIO_SECONDS, audio_seconds)


class CallLimiter:
    """The calls in flight of an instance, whatever request they belong to."""

    def __init__(
        self,
        settings: Settings,
        *,
        random: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pacing = Pacing(max_calls=settings.parallel_calls, minute_seconds=settings.minute_seconds, random=random)
        self._limit_seconds = settings.time_limit_seconds
        self._seconds = CallSeconds()
        self._clock = clock
        self._changed = Condition()
        self._refusal: RateLimitedError | None = None

    def expected_seconds(self, audio_seconds: float) -> float:
        """How long a call with so much audio is expected to take, once it may start."""
        with self._changed:
            return self._seconds.expected(audio_seconds, self._limit_seconds)

    def call(self, attempt: Callable[[], T], *, audio_seconds: float, context: CallContext) -> T:
        """The result of `attempt`, which is repeated as long as it raises `RateLimitedError` and there is time for it.

        Without time for a call, nothing is sent: the last refusal, or `ApiTimeoutError`, is raised.
        """
        while True:
            call = self._start(audio_seconds, context)
            try:
                result = attempt()
            except RateLimitedError as error:
                context.counts.refuse()
                pause_seconds = self._refuse(call, error, context)
                context.log.retry(error, pause_seconds)
            except BaseException:
                with self._changed:
                    self._pacing.fail(call)
                    self._changed.notify_all()
                raise
            else:
                seconds = self._clock() - call.at
                context.counts.accept(seconds, audio_seconds)
                with self._changed:
                    self._pacing.succeed(call)
                    self._seconds.add(seconds, audio_seconds)
                    self._refusal = None
                    self._changed.notify_all()
                return result

    def _refuse(self, call: StartedCall, error: RateLimitedError, context: CallContext) -> float:
        """Begin a pause; its seconds."""
        with self._changed:
            now = self._clock()
            self._pacing.refuse(
                call, now, stated_seconds=error.retry_after_seconds, is_interactive=context.is_interactive
            )
            # Without the traceback, which refers to a chunk.
            self._refusal = error.with_traceback(None)
            self._changed.notify_all()
            return self._pacing.pause_seconds(now)

    def _start(self, audio_seconds: float, context: CallContext) -> StartedCall:
        """Wait for the turn of a call that fits what is left of the time."""
        with self._changed:
            while True:
                context.cancellation.check()
                remaining = context.deadline.remaining_seconds()
                wait = self._pacing.wait_seconds(self._clock())
                pause = self._pacing.pause_seconds(self._clock())
                is_first = not context.first_call.is_set()
                if not is_first:
                    remaining -= self._seconds.expected(audio_seconds, context.deadline.limit_seconds)
                if remaining <= 0 or (pause >= remaining and not is_first):
                    raise self._out_of_time(pause, context)
                # The first call of a request is made whatever it is expected to take, and without the pause where that
                # leaves no time: both are estimates of an instance, and the API's answer decides.
                if wait <= 0 or (is_first and pause >= remaining):
                    context.first_call.set()
                    return self._pacing.start(self._clock())
                self._changed.wait(min(wait, remaining, POLL_SECONDS))

    def _out_of_time(self, pause_seconds: float, context: CallContext) -> Exception:
        """Why a call is not made."""
        if self._refusal is None:
            return ApiTimeoutError(f"No time is left for a call of the API within {context.deadline.limit}.")
        stated = self._refusal.retry_after_seconds
        return RateLimitedError(
            self._refusal.message,
            api_status=self._refusal.api_status,
            # The API's own word where it gave one.
            retry_after_seconds=pause_seconds if stated is None else stated,
        )
