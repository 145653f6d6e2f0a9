"""The organisation's quota of the Generative APIs: what a minute holds, and what was accepted, paid and refused.

All limits are decided together under one lock, so a refused call uses nothing up. What a refused call costs, its
upload, is counted. Invalid requests, and those that an injected fault ends before their route, are not counted.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from emulator.generative.durations import duration_text
from emulator.generative.minute import MinuteForm, MinuteLimit, new_limit
from emulator.generative.models import has_token_quota

# Scaleway's limits for an organisation with a payment method (2026-08); audio seconds and requests are those of one
# model, tokens are Voxtral's, and calls at once are those of all models together.
AUDIO_SECONDS_PER_MINUTE = 1800.0
REQUESTS_PER_MINUTE = 300
TOKENS_PER_MINUTE = 200_000
CALLS_AT_ONCE = 100
MINUTE_SECONDS = 60.0

# The events that are kept: more than a day's backlog of chunks.
MAX_EVENTS = 100_000

RateLimitHeaders = Literal["none", "reset", "retry-after"]
LimitName = Literal["audio_seconds", "requests", "tokens", "calls_at_once"]


@dataclass(frozen=True)
class QuotaOptions:
    """The limits of a minute of `minute_seconds`; `None` is no limit.

    `minute_form` is `fixed` (the use starts at 0 at each whole minute), `sliding` (the use of the last minute), or
    `token-bucket` (what is used comes back evenly). Which one Scaleway has is not documented. A 429 carries, by
    `rate_limit_headers`, nothing, the documented `x-ratelimit-*` (`reset`), or these and a `Retry-After`, which is not
    documented. No header is known for audio seconds.
    """

    audio_seconds_per_minute: float | None = AUDIO_SECONDS_PER_MINUTE
    requests_per_minute: float | None = REQUESTS_PER_MINUTE
    tokens_per_minute: float | None = TOKENS_PER_MINUTE
    calls_at_once: int | None = CALLS_AT_ONCE
    minute_form: MinuteForm = "fixed"
    minute_seconds: float = MINUTE_SECONDS
    rate_limit_headers: RateLimitHeaders = "reset"


class QuotaExceededError(Exception):
    """The call is refused because of `limit`; `headers` are those of the 429."""

    def __init__(self, limit: LimitName, headers: Mapping[str, str]) -> None:
        super().__init__(limit)
        self.limit = limit
        self.headers = headers


@dataclass(frozen=True)
class QuotaEvent:
    """A call at one moment: accepted, paid (answered with a 200), or refused because of `limit`.

    `time` is in seconds since 1970; `size_bytes` is the size of the request's body.
    """

    time: float
    event: Literal["accepted", "paid", "refused"]
    model: str
    audio_seconds: float
    size_bytes: int
    limit: LimitName | None = None


@dataclass
class QuotaTotal:
    """The sum of the events of one kind."""

    calls: int = 0
    audio_seconds: float = 0.0
    size_bytes: int = 0


@dataclass(frozen=True)
class LimitUse:
    """The use of one limit; `reset_seconds` is the time until nothing of it is used, without further calls."""

    limit: float
    used: float
    reset_seconds: float


@dataclass(frozen=True)
class ModelUse:
    """The use of one model's limits in the present minute; `None` is no limit."""

    audio_seconds: LimitUse | None
    requests: LimitUse | None
    tokens: LimitUse | None


@dataclass(frozen=True)
class QuotaState:
    """The present use of the quota, and the sums since the start; `refused_by` counts calls by the limit."""

    minute_form: MinuteForm
    minute_seconds: float
    calls_at_once_limit: int | None
    calls_at_once: int
    most_calls_at_once: int
    models: dict[str, ModelUse]
    accepted: QuotaTotal
    paid: QuotaTotal
    refused: QuotaTotal
    refused_by: dict[LimitName, int]


@dataclass
class Admission:
    """An accepted call, until it is finished."""

    model: str
    audio_seconds: float
    size_bytes: int


@dataclass
class _ModelLimits:
    """The limits of one model's minute."""

    audio_seconds: MinuteLimit | None
    requests: MinuteLimit | None
    tokens: MinuteLimit | None

    def under_limits(self, audio_seconds: float, tokens: int) -> list[tuple[LimitName, MinuteLimit, float]]:
        wanted: list[tuple[LimitName, MinuteLimit | None, float]] = [
            ("requests", self.requests, 1),
            ("tokens", self.tokens, tokens),
            ("audio_seconds", self.audio_seconds, audio_seconds),
        ]
        return [(name, limit, amount) for name, limit, amount in wanted if limit is not None]


@dataclass
class _Record:
    """What happened since the start, or since the last `clear`."""

    events: deque[QuotaEvent] = field(default_factory=lambda: deque(maxlen=MAX_EVENTS))
    totals: dict[str, QuotaTotal] = field(
        default_factory=lambda: {name: QuotaTotal() for name in ("accepted", "paid", "refused")}
    )
    refused_by: dict[LimitName, int] = field(default_factory=dict)
    most_calls_at_once: int = 0

    def add(self, event: QuotaEvent) -> None:
        self.events.append(event)
        total = self.totals[event.event]
        total.calls += 1
        total.audio_seconds += event.audio_seconds
        total.size_bytes += event.size_bytes
        if event.limit is not None:
            self.refused_by[event.limit] = self.refused_by.get(event.limit, 0) + 1


class Quota:
    """The quota that all clients share; safe to use from several threads. `clock` returns monotonic seconds.

    With `None` as options there is no limit, and calls are recorded all the same.
    """

    def __init__(self, options: QuotaOptions | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        unlimited = QuotaOptions(None, None, None, None, rate_limit_headers="none")
        self._options = options or unlimited
        self._clock = clock
        self._lock = threading.Lock()
        self._models: dict[str, _ModelLimits] = {}
        self._at_once = 0
        self._record = _Record()

    def admit(self, model: str, *, audio_seconds: float, tokens: int, size_bytes: int) -> Admission:
        """Accept a call with these audio seconds and input tokens; raises `QuotaExceededError`.

        `finish` has to be called at the end of an accepted call.
        """
        with self._lock:
            now = self._clock()
            limits = self._limits(model)
            exceeded, wait_seconds = self._exceeded(limits, audio_seconds, tokens, now)
            if exceeded is not None:
                self._add("refused", model, audio_seconds, size_bytes, exceeded)
                raise QuotaExceededError(exceeded, self._headers(limits, wait_seconds, now))
            for _, limit, amount in limits.under_limits(audio_seconds, tokens):
                limit.use(amount, now)
            self._at_once += 1
            self._record.most_calls_at_once = max(self._record.most_calls_at_once, self._at_once)
            self._add("accepted", model, audio_seconds, size_bytes)
            return Admission(model, audio_seconds, size_bytes)

    def finish(self, admission: Admission, *, paid: bool, output_tokens: int = 0) -> None:
        """End an accepted call: `paid` if it was answered with a 200; its output counts as tokens, too."""
        with self._lock:
            self._at_once -= 1
            tokens = self._limits(admission.model).tokens
            if tokens is not None and output_tokens:
                tokens.use(output_tokens, self._clock())
            if paid:
                self._add("paid", admission.model, admission.audio_seconds, admission.size_bytes)

    def state(self) -> QuotaState:
        """The present use, and the sums."""
        with self._lock:
            now, record = self._clock(), self._record
            return QuotaState(
                minute_form=self._options.minute_form,
                minute_seconds=self._options.minute_seconds,
                calls_at_once_limit=self._options.calls_at_once,
                calls_at_once=self._at_once,
                most_calls_at_once=record.most_calls_at_once,
                models={name: _use(limits, now) for name, limits in self._models.items()},
                accepted=QuotaTotal(**asdict(record.totals["accepted"])),
                paid=QuotaTotal(**asdict(record.totals["paid"])),
                refused=QuotaTotal(**asdict(record.totals["refused"])),
                refused_by=dict(record.refused_by),
            )

    def events(self) -> list[dict[str, Any]]:
        """The calls over time, oldest first, with the fields of `QuotaEvent`."""
        with self._lock:
            return [asdict(event) for event in self._record.events]

    def clear(self) -> None:
        """Forget the use of the minute, the events and the sums; calls that are under way still count as at once."""
        with self._lock:
            self._models.clear()
            self._record = _Record(most_calls_at_once=self._at_once)

    def _limits(self, model: str) -> _ModelLimits:
        if model not in self._models:
            options = self._options
            tokens = options.tokens_per_minute if has_token_quota(model) else None
            amounts = (options.audio_seconds_per_minute, options.requests_per_minute, tokens)
            self._models[model] = _ModelLimits(
                *(
                    None if amount is None else new_limit(options.minute_form, amount, options.minute_seconds)
                    for amount in amounts
                )
            )
        return self._models[model]

    def _exceeded(
        self, limits: _ModelLimits, audio_seconds: float, tokens: int, now: float
    ) -> tuple[LimitName | None, float]:
        """The first limit that does not hold the call, and the time until all the minute's limits would."""
        at_once = self._options.calls_at_once
        if at_once is not None and self._at_once >= at_once:
            return "calls_at_once", 0.0
        waits = [
            (name, wait)
            for name, limit, amount in limits.under_limits(audio_seconds, tokens)
            if (wait := limit.wait_seconds(amount, now)) > 0
        ]
        return (waits[0][0], max(wait for _, wait in waits)) if waits else (None, 0.0)

    def _add(
        self,
        event: Literal["accepted", "paid", "refused"],
        model: str,
        audio_seconds: float,
        size_bytes: int,
        limit: LimitName | None = None,
    ) -> None:
        self._record.add(QuotaEvent(time.time(), event, model, audio_seconds, size_bytes, limit))

    def _headers(self, limits: _ModelLimits, wait_seconds: float, now: float) -> dict[str, str]:
        kind = self._options.rate_limit_headers
        headers: dict[str, str] = {}
        if kind == "none":
            return headers
        for name, limit in (("requests", limits.requests), ("tokens", limits.tokens)):
            if limit is not None:
                remaining = max(0, math.floor(limit.limit - limit.used(now)))
                headers[f"x-ratelimit-limit-{name}"] = f"{limit.limit:.0f}"
                headers[f"x-ratelimit-remaining-{name}"] = str(remaining)
                headers[f"x-ratelimit-reset-{name}"] = duration_text(limit.reset_seconds(now))
        if kind == "retry-after":
            # Whole seconds are the header's form. A call that is over the limit by itself gets a minute.
            wait = min(wait_seconds, self._options.minute_seconds)
            headers["Retry-After"] = str(max(1, math.ceil(wait)))
        return headers


def _use(limits: _ModelLimits, now: float) -> ModelUse:
    def use(limit: MinuteLimit | None) -> LimitUse | None:
        return None if limit is None else LimitUse(limit.limit, limit.used(now), limit.reset_seconds(now))

    return ModelUse(use(limits.audio_seconds), use(limits.requests), use(limits.tokens))
