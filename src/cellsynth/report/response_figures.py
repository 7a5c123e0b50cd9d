"""Response curves: how the score of every method falls as images get harder."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from markupsafe import Markup

from .drawing import Look, label_at_right, panel, styled, to_svg
from .run_folder import Benchmark
from .words import metric_name

TOLERATED = 0.8
"""Share of a method's best score below which it counts as broken."""


@dataclass(frozen=True)
class Response:
    """Curves over one factor."""

    factor: str
    figure: Markup
    breaks: list[tuple[str, str]]
    """Method, and where it breaks, in words."""


def draw_responses(run: Benchmark, look: Look) -> list[Response]:
    """One panel per factor of `tables/response.parquet`; none where there is no such table."""
    if run.response is None:
        return []
    table = run.response[run.response["method"].isin(run.ranked)]
    result = []
    for i, factor in enumerate(dict.fromkeys(table["factor"])):
        part = table[table["factor"] == factor].sort_values("level")
        name = str(factor).replace("_", " ")
        breaks = [(m, break_point(part[part["method"] == m], run.is_higher_better)) for m in run.ranked]
        result.append(Response(name, _draw(run, look, part, name, i), breaks))
    return result


def _draw(run: Benchmark, look: Look, part: pd.DataFrame, name: str, i: int) -> Markup:
    with styled(f"response-{i}"):
        figure, axes = panel()
        ends = []
        for method in run.ranked:
            rows = part[part["method"] == method]
            if rows.empty:
                continue
            colour, marker = look[method]
            x, y = rows["level"].to_numpy(float), rows["mean"].to_numpy(float)
            low, high = rows["low"].to_numpy(float), rows["high"].to_numpy(float)
            axes.fill_between(x, low, high, color=colour, alpha=0.13, lw=0)
            axes.plot(x, y, color=colour, marker=marker, ms=4)
            ends.append((method, x[-1], y[-1], colour))
        levels = np.unique(part["level"].to_numpy(float))
        if len(levels) > 2 and levels[0] > 0 and levels[-1] / levels[0] >= 8:
            axes.set_xscale("log")
        axes.set_xlabel(name)
        axes.set_ylabel(metric_name(run.metric))
        label_at_right(axes, ends)
        return to_svg(figure, f"response-{i}", f"{metric_name(run.metric)} of every method against {name}")


def break_point(rows: pd.DataFrame, is_higher_better: bool) -> str:
    """Say where the score passes below `TOLERATED` of the method's best, on either side of the best level."""
    x, y = rows["level"].to_numpy(float), rows["mean"].to_numpy(float)
    x, y = x[np.isfinite(y)], y[np.isfinite(y)]
    if len(x) < 2 or not is_higher_better:
        return "not known"
    best = int(np.argmax(y))
    limit = TOLERATED * y[best]
    found = []
    for side, step, end in (("above", 1, len(y)), ("below", -1, -1)):
        for i in range(best + step, end, step):
            if y[i] < limit:
                share = (y[i - step] - limit) / (y[i - step] - y[i])
                found.append(f"{side} {x[i - step] + share * (x[i] - x[i - step]):.3g}")
                break
    return " and ".join(found) if found else "not within the range tried"
