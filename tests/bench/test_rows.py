"""Rows, measured for real on recordings that are small: who takes part, what is checked, and what comes out."""

import json
from functools import partial
from pathlib import Path

import pytest

from bench_suite import api_server, ours, source_server
from bench_suite.__main__ import main
from bench_suite.links import UNLIMITED
from bench_suite.recording import expected_transcript, recording
from bench_suite.request_row import Origin, RequestRow
from bench_suite.rounds import alternate
from bench_suite.rows import ROWS, select
from bench_suite.servers import ServerProcess
from bench_suite.work import TRANSCRIBERS, Backend, Contender, Work
from bench_suite.worker import Worker, WorkFailedError

SIZE_BYTES = 200_000  # no tag in it, which is not sent from where a recording is held
PNG_SIGNATURE = b"\x89PNG"


def row(name: str, *, origin: Origin = Origin.VERSIONED, is_fresh: bool = False) -> RequestRow:
    return RequestRow(
        name=name, backend=Backend.CHAT, size_bytes=SIZE_BYTES, origin=origin, is_fresh=is_fresh, quick_rounds=1
    )


def test_contenders_take_turns() -> None:
    """Each round has a sample of each contender, and another one begins it."""
    order: list[str] = []
    three = (Contender.SEED, Contender.OURS, Contender.FLOOR)

    def sample(contender: Contender) -> int:
        order.append(contender)
        return len(order)

    samples = alternate({contender: partial(sample, contender) for contender in three}, 2)
    assert order == ["seed", "ours", "floor", "ours", "floor", "seed"]
    assert samples == {Contender.SEED: (1, 6), Contender.OURS: (2, 4), Contender.FLOOR: (3, 5)}


@pytest.mark.parametrize(
    ("contender", "backend"),
    [
        (contender, backend)
        for contender in TRANSCRIBERS
        for backend in Backend
        # The scripts know the chat model alone, and the SDK's own call is only compared where they do not reach.
        if (contender, backend) not in {(Contender.SEED, Backend.TRANSCRIPTIONS), (Contender.SDK, Backend.CHAT)}
    ],
)
def test_answers_are_checked(contender: Contender, backend: Backend) -> None:
    """A contender that sent other bytes than those of the recording ends the benchmark."""
    with (
        ServerProcess(source_server.make_answer, UNLIMITED) as source,
        ServerProcess(api_server.make_answer, UNLIMITED) as api,
        Worker(contender, f"{api.url}/v1", ours.environment(f"{api.url}/v1")) as worker,
    ):
        work = Work(backend, url=f"{source.url}/{SIZE_BYTES}")
        right, wrong = (
            expected_transcript(audio, in_base64=backend is Backend.CHAT)
            for audio in (recording(SIZE_BYTES), recording(SIZE_BYTES - 1))
        )
        assert worker.do(work, expected=right).transcript == right
        with pytest.raises(WorkFailedError, match=f"{contender}: the API got"):
            worker.do(work, expected=wrong)


def test_failure_is_told() -> None:
    """A contender that fails ends the benchmark with its own words."""
    with (
        Worker(Contender.OURS, "http://127.0.0.1:1", ours.environment("http://127.0.0.1:1")) as worker,
        pytest.raises(WorkFailedError, match=r"(?s)^ours: .*invalid_request"),
    ):
        worker.do(Work(Backend.CHAT, body="no audio"), expected="")


def test_quick_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A quick run prints a table, and writes every sample as JSON and the ratios as a PNG."""
    rows = (
        row("by-address"),
        row("in-the-body", origin=Origin.BODY),
        row("in-memory", origin=Origin.ONCE, is_fresh=True),
    )
    assert main(["--quick", "--json", str(tmp_path / "a.json"), "--plot", str(tmp_path / "a.png")], rows) == 0
    table = capsys.readouterr().out
    lines = json.loads((tmp_path / "a.json").read_text())["lines"]
    assert [(line["row"], line["metric"]) for line in lines] == [
        *(("by-address", "wall"), ("by-address", "CPU"), ("in-the-body", "wall"), ("in-the-body", "CPU")),
        *(("in-memory", "memory"), ("in-memory", "memory")),
    ]
    assert all(line["row"] in table for line in lines)
    assert {contender: len(samples) for contender, samples in lines[0]["samples"].items()} == {
        "seed": 1,
        "ours": 1,
        "floor": 1,
    }
    assert (tmp_path / "a.png").read_bytes().startswith(PNG_SIGNATURE)


def test_selection() -> None:
    """Rows are selected by the beginning of their names, and measured even where a quick run leaves them out."""

    def selected(*names: str, is_quick: bool) -> list[tuple[str, int]]:
        return [(row.name, rounds) for row, rounds in select(ROWS, names, is_quick=is_quick)]

    assert selected("limited-chat", is_quick=True) == [("limited-chat-5mb", 3), ("limited-chat-25mb", 1)]
    assert [name for name, _ in selected(is_quick=False)] == [row.name for row in ROWS if not row.only_by_name]
    assert dict(selected("cold-start", is_quick=False))["cold-start"] >= 9
    assert "limited-chat-25mb" not in dict(selected(is_quick=True))


def test_names_are_unique() -> None:
    """No two rows have the same name."""
    assert len({row.name for row in ROWS}) == len(ROWS)
