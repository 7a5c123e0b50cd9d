"""Response curves: how the score of every method changes as images get worse in one respect."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd
from markupsafe import Markup

from .drawing import MUTED, Look, key_at_right, panel, styled, to_svg
from .run_folder import Benchmark
from .words import LEVEL, metric_name, number


@dataclass(frozen=True)
class Response:
    """Curves over one factor."""

    factor: str
    figure: Markup
    caption: str
    breaks: dict[str, str]
    """By method: the level at which it breaks, in words."""


def draw_responses(run: Benchmark, look: Look) -> list[Response]:
    """One panel per factor of `tables/response.parquet`; none where there is no such table."""
    if run.response is None:
        return []
    table = run.response[run.response["method"].isin(run.ranked)]
    result = []
    for factor in dict.fromkeys(table["factor"]):
        part = table[table["factor"] == factor].sort_values("level", kind="stable")
        label = str(part["label"].iloc[0])
        breaks = {str(m): _said(rows["break_level"].iloc[0]) for m, rows in part.groupby("method")}
        n = int(part["n"].max())
        caption = (
            f"{label[:1].upper()}{label[1:]}. {n} images per level; the band is the "
            f"{LEVEL} interval of {run.ranked[0]}."
        )
        result.append(Response(str(factor), _draw(run, look, part, str(factor), label), caption, breaks))
    return result


def _said(level: float) -> str:
    return f"{number(level, 2)} \N{MULTIPLICATION SIGN}" if np.isfinite(level) else ""


def _draw(run: Benchmark, look: Look, part: pd.DataFrame, factor: str, label: str) -> Markup:
    levels = np.unique(part["level"].to_numpy(float))
    methods = [m for m in run.ranked if (part["method"] == m).any()]
    with styled(f"response-{factor}"):
        figure, axes = panel(4.3, 2.9)
        for method in methods:
            rows = part[part["method"] == method]
            colour, marker = look[method]
            # Evenly spaced, because levels are multiples and may begin at 0.
            x = np.searchsorted(levels, rows["level"].to_numpy(float))
            if method == methods[0]:  # the bands of all would hide each other
                low, high = rows["low"].to_numpy(float), rows["high"].to_numpy(float)
                axes.fill_between(x, low, high, color=colour, alpha=0.14, lw=0)
            axes.plot(x, rows["mean"].to_numpy(float), color=colour, marker=marker, ms=4)
        names = [str(Fraction(level).limit_denominator(100)) for level in levels]
        axes.set_xticks(range(len(levels)), ["yours" if n == "1" else n for n in names])
        if 1.0 in levels:
            axes.axvline(int(np.searchsorted(levels, 1.0)), color=MUTED, lw=1, ls=(0, (4, 3)), zorder=0)
        axes.set_xlabel(f"{factor.replace('_', ' ')}, times yours")
        axes.set_ylabel(metric_name(run.metric))
        if run.is_higher_better:
            axes.set_ylim(0, 1.02)
        means = {m: part.loc[part["method"] == m, "mean"].mean() for m in methods}
        key_at_right(
            axes,
            [(m, look[m][0]) for m in sorted(methods, key=lambda m: means[m], reverse=run.is_higher_better)],
            gap=0.09,
        )
        return to_svg(
            figure, f"response-{factor}", f"{metric_name(run.metric)} of every method against {label}"
        )
