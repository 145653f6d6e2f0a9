"""What a check found, and how it is printed: one line, and for a failure its cause and its cure."""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import IO, Final

from transcriber.api.redaction import redact


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    FAILED = "failed"
    WARNED = "warned"  # works, and there is something to know
    SKIPPED = "skipped"  # and the reason why


MARKS: Final = {Verdict.OK: "✓", Verdict.FAILED: "✗", Verdict.WARNED: "!", Verdict.SKIPPED: "-"}
COLOURS: Final = {Verdict.OK: "32", Verdict.FAILED: "31", Verdict.WARNED: "33", Verdict.SKIPPED: "90"}
_NAME_WIDTH: Final = 14


@dataclass(frozen=True)
class Finding:
    """One line of the report: `text` is what was found, or the cause of a failure, which has a `cure`."""

    check: str
    verdict: Verdict
    text: str
    cure: str = ""


def ok(check: str, text: str) -> Finding:
    """The check passed."""
    return Finding(check, Verdict.OK, text)


def failed(check: str, cause: str, cure: str) -> Finding:
    """The check failed."""
    return Finding(check, Verdict.FAILED, cause, cure)


def warned(check: str, text: str, cure: str) -> Finding:
    """The check passed, but for something that may surprise."""
    return Finding(check, Verdict.WARNED, text, cure)


def skipped(check: str, reason: str) -> Finding:
    """The check was not made."""
    return Finding(check, Verdict.SKIPPED, reason)


@dataclass
class Report:
    """Writes findings as they come, for a person or, with `as_json`, for a program."""

    secrets: Iterable[str] = ()
    as_json: bool = False
    stream: IO[str] = field(default_factory=lambda: sys.stdout)
    findings: list[Finding] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Write what is about to be done; a program gets findings alone."""
        if not self.as_json:
            print(text, file=self.stream, flush=True)

    def add(self, findings: Iterator[Finding]) -> None:
        """Write each of `findings` the moment it is there."""
        for finding in to_the_end(findings):
            safe = Finding(finding.check, finding.verdict, self._safe(finding.text), self._safe(finding.cure))
            self.findings.append(safe)
            print(self._json(safe) if self.as_json else self._line(safe), file=self.stream, flush=True)

    @property
    def failures(self) -> list[Finding]:
        """The findings that somebody has to do something about."""
        return [finding for finding in self.findings if finding.verdict is Verdict.FAILED]

    def summary(self) -> str:
        """The last line."""
        counts = [(verdict, sum(each.verdict is verdict for each in self.findings)) for verdict in Verdict]
        return ", ".join(f"{count} {verdict}" for verdict, count in counts if count)

    def _safe(self, text: str) -> str:
        """`text` without secrets, whatever a server has put into its answer."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, "[…]")
        return text

    def _line(self, finding: Finding) -> str:
        mark = MARKS[finding.verdict]
        if self.stream.isatty():
            mark = f"\033[{COLOURS[finding.verdict]}m{mark}\033[0m"
        cure = f"\n{'':{_NAME_WIDTH + 3}}→ {finding.cure}" if finding.cure else ""
        return f"{mark} {finding.check:<{_NAME_WIDTH}} {finding.text}{cure}"

    def _json(self, finding: Finding) -> str:
        fields = {"check": finding.check, "verdict": finding.verdict, "text": finding.text, "cure": finding.cure}
        return json.dumps({name: value for name, value in fields.items() if value}, ensure_ascii=False)


def to_the_end(findings: Iterator[Finding]) -> Iterator[Finding]:
    """The findings; an unforeseen error in a check is a finding, too, and ends no other check."""
    try:
        yield from findings
    except Exception as error:  # noqa: BLE001 # as above
        cause = f"A check met something unexpected ({type(error).__name__})."
        yield failed("verify", cause, "Run it again; if it stays, it is a fault of scripts/verify itself.")


def quoted(text: str) -> str:
    """What a server said, fit for a line: short, without payloads and internal addresses."""
    return redact(text) or "nothing"
