"""The table that people read."""

from collections.abc import Sequence
from typing import Final

from bench_suite.lines import Line, Summary
from bench_suite.work import Contender

_HEADER: Final = ("row", "measure", "seed", "SDK", "ours", "limit", "ours/seed", "ours/limit", "target", "met")
_NOTHING: Final = "-"
_WORDS: Final = {True: "yes", False: "NO", None: ""}


def render(lines: Sequence[Line]) -> str:
    """The lines below each other, medians with the least and the most of the samples."""
    rows = [_HEADER, *map(_cells, lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    rule = tuple("-" * width for width in widths)
    texts = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (rows[0], rule, *rows[1:])
    ]
    return "\n".join(
        [
            *texts,
            "",
            "Median (least to most); the limit is the links' and the API's, or plain sockets' (~).",
            "The seed's scripts know the chat model alone; beside them, the SDK's own call for transcriptions.",
        ]
    )


def _cells(line: Line) -> tuple[str, ...]:
    metric = line.metric
    limit = _NOTHING
    if line.limit is not None:
        limit = f"{'' if line.computed_limit is not None else '~'}{line.limit:.{metric.decimals}f}"
    return (
        line.row,
        f"{metric.name}, {metric.unit}",
        _summary(line.summary(Contender.SEED), metric.decimals),
        _median(line.summary(Contender.SDK), metric.decimals),
        _summary(line.summary(Contender.OURS), metric.decimals),
        limit,
        _ratio(line.ours_to_seed),
        _ratio(line.ours_to_limit),
        _target(line),
        _WORDS[line.is_met],
    )


def _summary(summary: Summary | None, decimals: int) -> str:
    if summary is None:
        return _NOTHING
    return f"{summary.median:.{decimals}f} ({summary.least:.{decimals}f} to {summary.most:.{decimals}f})"


def _median(summary: Summary | None, decimals: int) -> str:
    return _NOTHING if summary is None else f"{summary.median:.{decimals}f}"


def _ratio(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.3f}"


def _target(line: Line) -> str:
    if line.target is None:
        return ""
    of = line.metric.unit if line.target.of == "unit" else f"x {line.target.of}"
    return f"<= {line.target.at_most:g} {of.removeprefix('x ') if of == 'x audio' else of}"
