"""`scripts/bench`: measures, and prints a table."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench_suite.lines import Line
from bench_suite.report import write_json
from bench_suite.rows import ROWS, Row, select
from bench_suite.table import render
from bench_suite.worker import WorkFailedError


def main(command_line: Sequence[str] | None = None, rows: Sequence[Row] = ROWS) -> int:
    """Measure the selected `rows`; the exit status is 1 when a contender fails, and never about how fast one is."""
    arguments = _parse(command_line, rows)
    try:
        selected = select(rows, arguments.rows, is_quick=arguments.quick)
        lines = [line for row, rounds in selected for line in _measured(row, rounds)]
    except WorkFailedError as error:
        print(error, file=sys.stderr)
        return 1
    print(render(lines))
    if arguments.json:
        write_json(arguments.json, lines, is_quick=arguments.quick)
    if arguments.plot:
        from bench_suite.plot import write_plot  # noqa: PLC0415 # the processes that are started load this module too

        write_plot(arguments.plot, lines)
    return 0


def _measured(row: Row, rounds: int) -> Sequence[Line]:
    print(f"{row.name}, rounds: {rounds} ...", file=sys.stderr, flush=True)
    return row.measure(rounds)


def _parse(command_line: Sequence[str] | None, rows: Sequence[Row]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measure the function against the documentation's own scripts and against what is possible, "
        "on the same work in the same run; every answer is checked.",
        epilog=f"Rows: {', '.join(row.name for row in rows)}.",
    )
    parser.add_argument(
        "rows", nargs="*", metavar="ROW", help="a row, or what the names of several begin with (default: all)"
    )
    parser.add_argument("--quick", action="store_true", help="fewer rows and rounds: less than a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample, for machines")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write the ratios as a PNG, for people")
    return parser.parse_args(command_line)


if __name__ == "__main__":
    sys.exit(main())
