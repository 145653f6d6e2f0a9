"""The soak, short: a backlog on a bad day ends well, and says so."""

from dataclasses import replace

import pytest

from soak_run.figures import Figures
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
