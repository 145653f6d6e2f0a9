"""The soak, short: a backlog on a bad day ends well, and says so."""

from dataclasses import replace
from pathlib import Path

import pytest

from emulator.generative.minute import MinuteForm
from emulator.generative.quota import QuotaOptions
from soak_run.figures import Figures
from soak_run.long_soak import LongSoak, long_soak
from soak_run.soak import soak


def test_a_backlog_on_a_bad_day() -> None:
    """With instances killed, messages doubled, answers lost and calls failing, each object has one right result.

    An instance that is killed costs at most the call that it was at.
    """
    figures = soak(60, instances=8, seed=3)
    assert (figures.objects, figures.transcripts, figures.error_records, figures.wrong) == (60, 57, 3, 0), figures
    assert figures.chunks == 57
    assert 0 <= figures.paid_calls - figures.chunks <= figures.killed
    assert min(figures.killed, figures.doubled, figures.answers_lost, figures.failed_calls) > 0


GOOD = Figures(
    objects=100,
    transcripts=95,
    error_records=5,
    wrong=0,
    chunks=95,
    paid_calls=96,
    failed_calls=20,
    delivered=200,
    redelivered=9,
    dropped=0,
    killed=4,
    doubled=9,
    answers_lost=3,
    sweeps=2,
    leases_left=0,
    wall_seconds=20.0,
)


@pytest.mark.parametrize(
    ("figures", "complaint"),
    [
        (replace(GOOD, transcripts=94, wrong=1), "1 objects have no single right result"),
        (replace(GOOD, paid_calls=98), "3.2% of the chunks were paid twice"),
    ],
)
def test_what_is_complained_of(figures: Figures, complaint: str) -> None:
    """A recording without its one right result, and too much that was paid twice, are told; a good end is not."""
    assert [said.startswith(complaint) for said in figures.complaints] == [True]
    assert GOOD.complaints == []


def check_long_soak(plan: LongSoak, log: Path) -> None:
    figures = long_soak(plan, log)
    assert (figures.transcripts, figures.wrong, figures.missing, figures.dropped) == (plan.recordings, 0, 0, 0), figures
    assert figures.paid_share < 1.02, figures
    assert figures.killed > 0


def test_recordings_under_a_quota(tmp_path: Path) -> None:
    """With an instance killed and more audio than the quota has, each word comes, and is paid for once."""
    quota = QuotaOptions(minute_seconds=3.0, rate_limit_headers="none")
    check_long_soak(LongSoak(recordings=3, seconds=900, instances=3, quota=quota, kills=0.4), tmp_path / "log")


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("form", ["fixed", "sliding", "token-bucket"])
def test_hours_under_a_quota(form: MinuteForm, tmp_path: Path) -> None:
    """In each form of the minute, hours of audio end with each word, paid for once, though instances are killed."""
    quota = QuotaOptions(minute_seconds=6.0, minute_form=form, rate_limit_headers="none")
    check_long_soak(LongSoak(recordings=6, seconds=3600, instances=4, quota=quota), tmp_path / "log")
