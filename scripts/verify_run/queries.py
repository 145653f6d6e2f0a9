"""LogQL over the function's JSON log lines: what dashboard and alerts ask, each from the fields that it names."""

from dataclasses import dataclass
from typing import Final

# The quota of audio seconds in a minute, of an account with a payment method (August 2026).
QUOTA_SECONDS: Final = 1_800

# Cockpit's labels of a function's log differ by its version: the selector is a variable of the dashboard.
SELECTOR: Final = '{resource_type=~"serverless_function.*"} |= `"message"`'


@dataclass(frozen=True)
class Query:
    """A query over lines with one of `messages`, as `expression` around `{lines}`; it reads `fields`."""

    title: str
    expression: str
    messages: tuple[str, ...]
    fields: tuple[str, ...]
    legend: str = ""
    unit: str = "short"
    description: str = ""

    def text(self, selector: str, interval: str) -> str:
        """The query in LogQL, over the lines of `selector`, summed over `interval`."""
        condition = " or ".join(f'message="{message}"' for message in self.messages)
        named = ", ".join(f'{name}="{name}"' for name in dict.fromkeys(("message", *self.fields)))
        lines = f"{selector} | json {named} | {condition}" if condition else f"{selector} | json {named}"
        return self.expression.replace("{lines}", lines).replace("{interval}", interval)


# A recording stands in the line of its request, of an object of an upload or a sweep, or of a job that a sweep goes on
# with: in one of them, and never in two.
RECORDINGS: Final = ("request", "object", "job")


def _sum(field: str, *, by: str = "") -> str:
    grouping = f" by ({by})" if by else ""
    return f'sum{grouping} (sum_over_time({{lines}} | {field}!="" | unwrap {field} | __error__="" [{{interval}}]))'


def _most(field: str) -> str:
    return f'max(max_over_time({{lines}} | {field}!="" | unwrap {field} | __error__="" [{{interval}}]))'


QUERIES: Final = (
    Query(
        "Requests by status and trigger",
        "sum by (status, trigger) (count_over_time({lines} [{interval}]))",
        ("request",),
        ("status", "trigger"),
        legend="{{status}} {{trigger}}",
    ),
    Query("Audio transcribed", _sum("seconds", by="model"), RECORDINGS, ("seconds", "model"), "{{model}}", "s"),
    Query(
        "Cost",
        _sum("cost", by="model"),
        RECORDINGS,
        ("cost", "model"),
        "{{model}}",
        description="By PRICES; without it, there is none.",
    ),
    Query("Slowest call of the API", _most("slowest_call_seconds"), RECORDINGS, ("slowest_call_seconds",), unit="s"),
    Query(
        "Time for the API, 95 %",
        'quantile_over_time(0.95, {lines} | paid_seconds!="" | unwrap api_seconds | __error__="" [{interval}]) by ()',
        RECORDINGS,
        ("api_seconds", "paid_seconds"),
        unit="s",
    ),
    Query("Calls that the quota refused", _sum("refusals"), RECORDINGS, ("refusals",)),
    Query(
        "Quota used",
        f'100 * sum(sum_over_time({{lines}} | paid_seconds!="" | unwrap paid_seconds | __error__="" [1m])) / '
        f"{QUOTA_SECONDS}",
        RECORDINGS,
        ("paid_seconds",),
        unit="percent",
        description="Audio seconds of accepted calls, of those that ended in this minute, of 1,800.",
    ),
    Query("Calls made again after a failure", _sum("retries"), RECORDINGS, ("retries",)),
    Query(
        "Warnings in transcripts",
        _sum("warnings"),
        RECORDINGS,
        ("warnings",),
        description="Minutes where words may be missing, options that were not used, damaged files.",
    ),
    Query("Age of the backlog", _most("backlog_seconds"), ("request",), ("backlog_seconds",), unit="s"),
    Query(
        "Chunks paid twice",
        _sum("paid_twice"),
        RECORDINGS,
        ("paid_twice",),
        description="By two instances at once, after a lease that ran out.",
    ),
    Query(
        "Cold starts",
        'sum(count_over_time({lines} | cold_start="true" [{interval}]))',
        ("request",),
        ("cold_start",),
    ),
    Query(
        "Errors by code",
        'sum by (code) (count_over_time({lines} | code!="" [{interval}]))',
        (*RECORDINGS, "trying again"),
        ("code",),
        legend="{{code}}",
    ),
)
