"""Alert rules for Loki's ruler, which Cockpit's alerting reads; each says what to do."""

from dataclasses import dataclass
from typing import Any, Final

from verify_run.queries import QUERIES, RECORDINGS, SELECTOR, Query

# A sweep every five minutes finds what an upload event has lost; three of them are patience enough.
OLDEST_BACKLOG_SECONDS: Final = 1_800


@dataclass(frozen=True)
class Alert:
    """An alert: where the query over `interval` meets `condition` for `lasting`; `cure` is for whom it wakes."""

    name: str
    query: Query
    interval: str
    condition: str
    lasting: str
    severity: str
    summary: str
    cure: str

    def rule(self, selector: str) -> dict[str, Any]:
        """The rule, as Loki's ruler has it."""
        return {
            "alert": self.name,
            "expr": f"{self.query.text(selector, self.interval)} {self.condition}",
            "for": self.lasting,
            "labels": {"severity": self.severity},
            "annotations": {"summary": self.summary, "description": self.cure},
        }


def _query(title: str) -> Query:
    return next(query for query in QUERIES if query.title == title)


def _count(condition: str, *fields: str, messages: tuple[str, ...] = ("request",)) -> Query:
    return Query("", f"sum(count_over_time({{lines}} | {condition} [{{interval}}]))", messages, fields)


ALERTS: Final = (
    Alert(
        "TranscriberSettingWrong",
        _count('code="wrong_setting"', "code", messages=RECORDINGS),
        "5m",
        "> 0",
        "0m",
        "critical",
        "A setting of the transcriber is wrong.",
        "The log line (code wrong_setting) names the variable. scripts/verify says what is wrong with it.",
    ),
    Alert(
        "TranscriberFails",
        _count("status>=500", "status"),
        "15m",
        "> 5",
        "5m",
        "critical",
        "Requests to the transcriber fail.",
        "scripts/verify URL names the cause; the panel Errors by code shows which.",
    ),
    Alert(
        "TranscriberBudgetUsedUp",
        _count('code="budget_exhausted"', "code", messages=RECORDINGS),
        "15m",
        "> 0",
        "0m",
        "critical",
        "The budget of the Generative APIs is used up.",
        "Raise it in the console; waiting recordings go on by themselves.",
    ),
    Alert(
        "TranscriberBacklog",
        _query("Age of the backlog"),
        "15m",
        f"> {OLDEST_BACKLOG_SECONDS}",
        "15m",
        "warning",
        "A recording waits for its transcript for more than half an hour.",
        "Look at the quota's panel; if it is not used up, scripts/verify URL checks queue and trigger.",
    ),
    Alert(
        "TranscriberTokenRefused",
        _count("status=401", "status"),
        "15m",
        "> 20",
        "0m",
        "warning",
        "Requests with a wrong token, or triggers of a function with ACCESS_TOKEN.",
        "Triggers cannot send ACCESS_TOKEN: scripts/verify URL tells whether these are refused.",
    ),
    Alert(
        "TranscriberQuotaShort",
        _query("Calls that the quota refused"),
        "1h",
        "> 100",
        "0m",
        "info",
        "The account's quota slows the transcriber down.",
        "Nothing is lost. Validate the Organization's identity, which doubles the quota, or lower maxScale.",
    ),
    Alert(
        "TranscriberPaysTwice",
        _query("Chunks paid twice"),
        "1d",
        "> 10",
        "0m",
        "warning",
        "Chunks are paid twice.",
        "Instances are ended in the middle: compare TIME_LIMIT with the function's timeout, and its memory.",
    ),
)


def alert_rules(selector: str = SELECTOR) -> dict[str, Any]:
    """The file of Loki's ruler."""
    return {"groups": [{"name": "transcriber", "interval": "1m", "rules": [each.rule(selector) for each in ALERTS]}]}
