"""The ratios as bars, for the README."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bench_suite.lines import Line
from bench_suite.work import Contender

mpl.use("Agg")

WIDTH_INCHES: Final = 9.0
INCHES_PER_ROW: Final = 0.32
INCHES_PER_PANEL: Final = 0.75
DOTS_PER_INCH: Final = 150
BAR_HEIGHT: Final = 0.38
OURS_COLOUR: Final = "#1f6feb"
SEED_COLOUR: Final = "#c3c8ce"
LIMIT_COLOUR: Final = "#d1242f"
SHOWN_RATIO: Final = 0.01
# Room for the number at the end of a bar.
ROOM: Final = 1.18


def write_plot(path: Path, lines: Sequence[Line]) -> None:
    """Write a PNG with a panel for each metric: ours and the limit, as multiples of the seed's median."""
    panels = _panels([line for line in lines if line.ours_to_seed is not None])
    height = sum(len(panel) * INCHES_PER_ROW + INCHES_PER_PANEL for panel in panels) + INCHES_PER_PANEL
    figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
    axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=[len(panel) + 1 for panel in panels])
    for axis, panel in zip(axes[:, 0], panels, strict=True):
        _draw(axis, panel)
    handles = [
        Patch(color=SEED_COLOUR, label="the documentation's scripts, with what they take"),
        Patch(color=OURS_COLOUR, label="the function"),
        Line2D([], [], color=LIMIT_COLOUR, label="limit"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False, fontsize=9)
    figure.savefig(path, dpi=DOTS_PER_INCH)


def _panels(lines: Sequence[Line]) -> list[list[Line]]:
    """The lines by metric, each row once: in another unit, its ratios are the same."""
    panels: dict[str, dict[str, Line]] = {}
    for line in lines:
        panels.setdefault(line.metric.name, {})[line.row] = line
    return [list(panel.values()) for panel in panels.values()]


def _draw(axis: Axes, lines: Sequence[Line]) -> None:
    metric = lines[0].metric
    marks = [0.0]
    for position, line in enumerate(lines):
        seed, ours = line.summary(Contender.SEED), line.ours_to_seed or 0.0
        axis.barh(position - BAR_HEIGHT / 2, 1.0, BAR_HEIGHT, color=SEED_COLOUR)
        axis.barh(position + BAR_HEIGHT / 2, ours, BAR_HEIGHT, color=OURS_COLOUR)
        text = f" {ours:.2f}" if ours >= SHOWN_RATIO else f" < {SHOWN_RATIO}"
        axis.text(ours, position + BAR_HEIGHT / 2, text, va="center", fontsize=8)
        if seed is not None:
            text = f" {seed.median:.{metric.decimals}f} {metric.unit}"
            axis.text(1.0, position - BAR_HEIGHT / 2, text, va="center", fontsize=8, color="#57606a")
            if line.limit is not None:
                marks.append(line.limit / seed.median)
                axis.plot([marks[-1]] * 2, [position - BAR_HEIGHT, position + BAR_HEIGHT], color=LIMIT_COLOUR)
    axis.set_yticks(range(len(lines)), [line.row for line in lines], fontsize=8)
    axis.invert_yaxis()
    axis.set_xlim(0, max(1.0, *(line.ours_to_seed or 0.0 for line in lines), *marks) * ROOM)
    better = "more" if metric.more_is_better else "less"
    axis.set_title(f"{metric.name}, as a multiple of the seed's ({better} is better)", loc="left", fontsize=9)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(axis="x", labelsize=8)
