"""Pictures of the tables, as SVG: drawn by matplotlib, which is imported with this module and nowhere else.

Figures are made as objects, without pyplot and its state; the same table gives the same bytes. Colour never
tells anything alone: tiers have their own markers or panels, and red is for stat only.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings

from review.statistics.subjects import PICTURES
from review.statistics.table import Table

os.environ.setdefault("MPLCONFIGDIR", str(settings.VAR / "matplotlib"))  # else it writes to a home folder

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

# Ids made of the content, so that the same picture has the same bytes; letters as letters.
mpl.rcParams.update({"svg.hashsalt": "spinetriage", "svg.fonttype": "none"})
_one_at_a_time = threading.Lock()  # the library does not promise to be safe among threads
WIDTH = 8.6  # inches
DAY = timedelta(days=1)
MOST = 20  # rows of a picture; the table has all of them


@dataclass(frozen=True, slots=True)
class Theme:
    """The page's colours, as `review.css` has them."""

    ink: str
    quiet: str
    line: str
    plain: str
    tiers: dict[str, str]


THEMES = {
    "light": Theme(
        "#1b1f24",
        "#59636e",
        "#d1d9e0",
        "#0b5cad",
        {"stat": "#b3001b", "urgent": "#8a4b00", "soon": "#1f5f8b", "unread": "#6b3fa0"},
    ),
    "dark": Theme(
        "#e6edf3",
        "#9aa7b4",
        "#30363d",
        "#6cb6ff",
        {"stat": "#ff8080", "urgent": "#f0b45a", "soon": "#7cc4f0", "unread": "#c8a6f5"},
    ),
}
# The shapes of the worklist: triangle, filled and hollow circle; a square where it has a question mark.
MARKERS = {"stat": "^", "urgent": "o", "soon": "o", "unread": "s"}
HOLLOW = {"soon"}


def picture(table: Table, theme: str) -> bytes:
    """Draw a table in one of the themes; return the SVG."""
    with _one_at_a_time:
        figure = DRAW[PICTURES[table.name]](table, THEMES[theme])
        out = io.BytesIO()
        metadata: dict[str, Any] = {"Date": None, "Title": table.title}
        figure.savefig(out, format="svg", facecolor="none", metadata=metadata)
        return out.getvalue()


def _panels(table: Table, theme: Theme) -> Figure:
    """Draw each count by day in a panel with a scale of its own: beside many soon cases nobody sees a "
    "stat."""
    columns = [c for c in table.columns if c.kind == "count" and c.key != "all"]
    shown = [c for c in columns if any(row[c.key] for row in table.rows)] or columns[:1]
    is_level = PICTURES[table.name] == "levels"  # what there is, and not what was added
    down = -(-len(shown) // 2)
    figure = Figure(figsize=(WIDTH, 0.4 + 1.5 * down))
    grid = figure.subplots(down, 2, sharex=True, squeeze=False)
    # Fixed margins: the library's own search for them takes seconds for so many panels.
    inch = 1 / figure.get_figheight()
    figure.subplots_adjust(
        left=0.055, right=0.99, bottom=0.3 * inch, top=1 - 0.25 * inch, wspace=0.14, hspace=0.35
    )
    days = [row["day"] for row in table.rows]
    for place, axes in enumerate(grid.flat):
        if place >= len(shown):
            axes.set_visible(False)
            continue
        column = shown[place]
        numbers = [row[column.key] for row in table.rows]
        # One collection of strokes: a bar each would be slower, and as many shapes in the file.
        axes.vlines(days, 0, numbers, theme.tiers.get(column.key, theme.plain), linewidths=210 / len(days))
        _dress(axes, theme)
        said = (
            f"{numbers[-1]:,} at the end, {max(numbers):,} at most"
            if is_level
            else f"{sum(numbers):,} in all"
        )
        axes.set_title(f"{column.heading}: {said}", loc="left", fontsize=9, color=theme.ink)
        _count_axis(axes)
        _day_axis(axes)
        axes.set_xlim(_noon(days[0]) - DAY, _noon(days[-1]))
        axes.tick_params(labelbottom=place >= len(shown) - 2)
    return figure


def _shares(table: Table, theme: Theme) -> Figure:
    """Draw each share as a dot with its interval, and how many it is a share of."""
    of = "due" if any(column.key == "due" for column in table.columns) else "decided"
    rows = [row for row in table.rows if row["share"] is not None][:MOST]
    figure = Figure(figsize=(WIDTH, 0.9 + 0.27 * max(1, len(rows))), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(rows):
        name = str(row[table.columns[0].key])
        color = theme.tiers.get(name, theme.plain)
        axes.plot(
            [row["low"], row["high"]], [place, place], color=color, linewidth=1.6, solid_capstyle="butt"
        )
        face = "none" if name in HOLLOW else color
        axes.plot([row["share"]], [place], MARKERS.get(name, "o"), color=color, markerfacecolor=face)
    _dress(axes, theme)
    names = [f"{row[table.columns[0].key]}  (n = {row[of]:,})" for row in rows]
    axes.set_yticks(range(len(rows)), names)
    axes.set_ylim(max(1, len(rows)) - 0.5, -0.5)
    axes.set_xlim(-0.01, 1.01)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:.0%}"))
    return figure


def _ratios(table: Table, theme: Theme) -> Figure:
    """Draw by how much each term has changed, on a scale on which twice and half are equally far."""
    rows = [row for row in table.rows if row["ratio"] and row["chance"] is not None][:MOST]
    figure = Figure(figsize=(WIDTH, 0.9 + 0.27 * max(1, len(rows))), layout="constrained")
    axes = figure.subplots()
    axes.axvline(1, color=theme.quiet, linewidth=1)
    for place, row in enumerate(rows):
        shape = {"▲": "^", "▼": "v"}.get(row["flag"][:1], "o")
        face = theme.plain if row["flag"] else "none"
        axes.plot([row["ratio"]], [place], shape, color=theme.plain, markerfacecolor=face, markersize=7)
    _dress(axes, theme)
    axes.set_yticks(range(len(rows)), [row["concept"] for row in rows])
    axes.set_ylim(max(1, len(rows)) - 0.5, -0.5)
    axes.set_xscale("log", base=2)
    ratios = [row["ratio"] for row in rows] or [1.0]
    axes.set_xlim(min(0.5, *ratios) / 1.1, max(2.0, *ratios) * 1.1)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"× {ratio:g}"))
    return figure


DRAW: dict[str, Callable[[Table, Theme], Figure]] = {
    "panels": _panels,
    "levels": _panels,
    "shares": _shares,
    "ratios": _ratios,
}


def _noon(day: date) -> datetime:
    """Return the moment half a day after the one at which a day is drawn."""
    return datetime.combine(day, time(12))


def _dress(axes: Axes, theme: Theme) -> None:
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(theme.quiet)
    axes.set_facecolor("none")
    axes.tick_params(colors=theme.quiet, labelcolor=theme.ink, labelsize=9, which="both")
    axes.grid(color=theme.line, linewidth=0.6)
    axes.set_axisbelow(True)


def _count_axis(axes: Axes) -> None:
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:,.0f}"))
    axes.set_ylim(bottom=0, top=None if axes.get_ylim()[1] > 1 else 1)


def _day_axis(axes: Axes) -> None:
    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    form = ConciseDateFormatter(locator, show_offset=False)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(form)
