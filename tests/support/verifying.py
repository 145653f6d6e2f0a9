"""`scripts/verify` as a test runs it, and what it found."""

import io
import json
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass

from verify_run.__main__ import main


@dataclass(frozen=True)
class Verified:
    """The exit status of a run, and its findings."""

    status: int
    findings: tuple[dict[str, str], ...]
    text: str

    def of(self, check: str) -> dict[str, str]:
        """The finding of a check."""
        found = [finding for finding in self.findings if finding["check"] == check]
        assert found, (check, self.text)
        return found[-1]

    def verdicts(self) -> dict[str, str]:
        """The verdict of each check."""
        return {finding["check"]: finding["verdict"] for finding in self.findings}

    def assert_failed(self, check: str, *causes: str, cure: str) -> None:
        """Fail unless the check failed, and names its cause and its cure."""
        finding = self.of(check)
        assert finding["verdict"] == "failed", self.text
        assert self.status == 1
        for cause in causes:
            assert cause in finding["text"], finding
        assert cure in finding["cure"], finding


def verify(*arguments: str, environment: Mapping[str, str]) -> Verified:
    """Run it with `environment` alone; every failure has a cure, and no secret is printed."""
    with redirect_stdout(io.StringIO()) as output:
        status = main([*arguments, "--json"], environment)
    text = output.getvalue()
    findings = tuple(json.loads(line) for line in text.splitlines())
    for finding in findings:
        if finding["verdict"] == "failed":
            assert finding.get("cure"), finding
    for name, value in environment.items():
        if value and name.endswith(("_KEY", "_SECRET", "_TOKEN")):
            assert value not in text, name
    return Verified(status, findings, text)
