"""The row of jobs, measured for real on a short recording."""

from bench_suite.job_row import JobRow
from bench_suite.lines import REQUESTS
from bench_suite.work import Contender


def test_requests_of_a_job_and_of_a_look() -> None:
    """Each further chunk takes three requests to the storage, and a look at a job takes one, of the two at most."""

    def requests(minutes: int) -> list[float]:
        lines = JobRow(name="job", minutes=minutes, rounds=1, quick_rounds=1).measure(1)
        return [line.samples[Contender.OURS][0] for line in lines if line.metric is REQUESTS]

    (job, look), (longer_job, same_look) = requests(2), requests(3)
    assert (longer_job - job, look, same_look) == (3, 1, 1)
