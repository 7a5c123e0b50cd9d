"""How figures look: size, type, colours, and their way into the page."""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

INK, MUTED, GRID, PAPER = "#1d2329", "#5f6b76", "#d9dee3", "#fefefe"
"""Text, secondary text, rules, ground. The page replaces them by its own, light or dark."""

REAL, SYNTHETIC = "#d55e00", "#0072b2"
"""Origins, wherever both are drawn."""

_PALETTE = "#0072b2 #d55e00 #009e73 #cc79a7 #e69f00 #56b4e9 #8a5fbf #999933 #aa4455 #7f8790".split()
"""Okabe and Ito's colours, and further ones that keep apart from them on white and on black."""

_MARKERS = "osD^vPXh<>"

_VARIABLES = {INK: "ink", MUTED: "muted", GRID: "rule", PAPER: "paper"}

_STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so figures are the same everywhere
    "font.size": 9,
    "axes.labelsize": 9,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "axes.formatter.useoffset": False,
    "figure.facecolor": "none",
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "text.color": INK,
    "text.parse_math": False,  # a dollar in a file name is a dollar
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "svg.fonttype": "path",
}

Look = Mapping[str, tuple[str, str]]
"""Colour and marker of every method."""


def looks(methods: Sequence[str]) -> Look:
    """Give every method a colour and a marker, the same all through a report."""
    names = sorted(methods)
    return {
        name: (_PALETTE[i % len(_PALETTE)], _MARKERS[(i + i // len(_PALETTE)) % len(_MARKERS)])
        for i, name in enumerate(names)
    }


@contextmanager
def styled(salt: str = "") -> Iterator[None]:
    """Draw in the style of reports; `salt` makes the ids in an SVG repeatable."""
    style: Any = {**_STYLE, "svg.hashsalt": f"cellsynth {salt}"}
    with mpl.rc_context(style):
        yield


def panel(width: float = 4.3, height: float = 3.0, **grid: Any) -> tuple[Figure, Axes]:
    """Make a figure of one panel, in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot(**grid)


def to_svg(figure: Figure, name: str, description: str) -> Markup:
    """SVG to stand within the page: scales with its box, follows its colours, says what it shows.

    Parameters
    ----------
    name
        Unique in the page; letters, digits and hyphens.
    description
        Read to those who cannot see it.
    """
    buffer = io.StringIO()
    figure.savefig(
        buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
    )
    text = buffer.getvalue()
    text = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(?:xlink:)?href="#', f'href="#{name}-', text).replace("url(#", f"url(#{name}-")
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var(--{variable})")
    text = re.sub(r"\s*\n\s*", "\n", text)
    head, rest = text.split(">", 1)
    box = re.search(r'viewBox="([^"]*)"', head)
    assert box is not None
    start = Markup('<svg xmlns="http://www.w3.org/2000/svg" viewBox="{}" role="img" aria-label="{}">').format(
        box[1], description
    )
    return start + Markup(rest.strip())  # noqa: S704 made by matplotlib: text in it is drawn as outlines


def drawable(text: str, longest: int = 34) -> str:
    """Text that the figures' font has letters for, shortened in the middle."""
    clean = "".join(c if c.isprintable() and ord(c) < 0x250 else "?" for c in text)
    half = (longest - 1) // 2
    return clean if len(clean) <= longest else f"{clean[:half]}…{clean[-half:]}"


def plain_log(*axes: Axis) -> None:
    """Write the ticks of logarithmic axes as plain numbers, at the powers of ten."""
    for axis in axes:
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())


def key_at_right(axes: Axes, names: Sequence[tuple[str, str]], gap: float = 0.085) -> None:
    """Name lines in a column right of the panel, from the top, each with a stroke of its colour."""
    for i, (name, colour) in enumerate(names):
        y = 0.97 - i * gap
        axes.plot([1.03, 1.08], [y, y], color=colour, lw=2, transform=axes.transAxes, clip_on=False)
        axes.text(1.1, y, name, transform=axes.transAxes, va="center", fontsize=8.5)


def label_at_right(axes: Axes, points: Sequence[tuple[str, float, float, str]], gap: float = 0.075) -> None:
    """Name points in a column right of the panel, each tied to its point by a thin line.

    Parameters
    ----------
    points
        Name, x and y in data coordinates, and colour.
    gap
        Least distance of two names, as share of the panel's height.
    """
    to_axes = (axes.transData + axes.transAxes.inverted()).transform
    places = sorted(((to_axes((x, y))[1], name, x, y, colour) for name, x, y, colour in points))
    heights = spread([place[0] for place in places], gap)
    for height, (_, name, x, y, colour) in zip(heights, places, strict=True):
        axes.annotate(
            name,
            (x, y),
            (1.05, height),
            xycoords="data",
            textcoords=axes.transAxes,
            va="center",
            fontsize=8.5,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.7, "shrinkA": 1, "shrinkB": 2},
        )


def spread(values: Sequence[float], gap: float) -> list[float]:
    """Move ascending values apart to at least `gap`, each as little as the others let it."""
    blocks: list[list[float]] = []  # each: sum of wanted starts, number of members
    for i, value in enumerate(values):
        blocks.append([value - i * gap, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, n = blocks.pop()
            blocks[-1] = [blocks[-1][0] + total, blocks[-1][1] + n]
    means = np.concatenate([np.full(int(n), total / n) for total, n in blocks]) if blocks else np.empty(0)
    return [float(m + i * gap) for i, m in enumerate(means)]


def whisker(row: Mapping[str, Any], value: str = "mean") -> tuple[float, np.ndarray | None]:
    """Value and its distance to both ends of the interval; None where there is no interval."""
    middle, low, high = (np.nan if row[k] is None else float(row[k]) for k in (value, "low", "high"))
    if np.isnan([low, high]).any():
        return middle, None
    return middle, np.array([[max(middle - low, 0)], [max(high - middle, 0)]])
