"""Figures that compare methods image by image: mean ranks with their critical difference, and podiums."""

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes

from ..core.rng import Key
from ..evaluate.statistics import CriticalDifference, critical_difference
from ..evaluate.table import wide_scores
from .drawing import INK, MUTED, Look, drawable, panel, styled, to_svg
from .run_folder import Benchmark
from .words import metric_name

MOST_PODIUM = 60
"""More images than this make a podium plot a grey cloud; an even choice of them is drawn."""


def draw_critical_difference(run: Benchmark, look: Look, origin: str) -> Markup | None:
    """Mean ranks on an axis; a bar joins methods that the images do not tell apart [1]_.

    None where fewer than three methods or two images can be compared.

    References
    ----------
    .. [1] J. Demsar, "Statistical comparisons of classifiers over multiple data sets", J. Mach. Learn. Res. 7
       (2006) 1-30, Figure 1.
    """
    found = _compared(run, origin)
    if found is None or len(found.mean_ranks) < 3 or not np.isfinite(found.difference):
        return None
    names, ranks = [str(n) for n in found.mean_ranks.index], found.mean_ranks.to_numpy(float)
    with styled(f"critical-{origin}"):
        rows = (len(names) + 1) // 2
        figure, axes = panel(6.4, 1.0 + 0.24 * rows)
        axes.set_xlim(0.5, len(names) + 0.5)
        _name_ranks(axes, look, names, ranks)
        for i, group in enumerate(found.groups):
            y = -0.35 - 0.3 * i
            axes.plot(
                [ranks[names.index(group[0])] - 0.04, ranks[names.index(group[-1])] + 0.04],
                [y, y],
                color=INK,
                lw=3,
            )
        bottom = -1.2 - 0.75 * rows
        axes.plot([1, 1 + found.difference], [bottom, bottom], color=MUTED, lw=2)
        axes.text(
            1 + found.difference + 0.1,
            bottom,
            f"critical difference {found.difference:.2f}",
            va="center",
            fontsize=8,
        )
        axes.xaxis.set_ticks_position("top")
        axes.xaxis.set_label_position("top")
        axes.set_xticks(range(1, len(names) + 1))
        axes.set_xlabel(f"mean rank over {found.n_units} images (1 is best)")
        axes.grid(visible=False)
        axes.set_yticks([])
        axes.set_ylim(bottom - 0.3, 0.0)
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.spines["top"].set_visible(True)
        said = ", ".join(f"{n} {r:.2f}" for n, r in zip(names, ranks, strict=True))
        return to_svg(figure, f"critical-{origin}", f"Mean rank of every method, {origin} images: {said}")


def _name_ranks(axes: Axes, look: Look, names: list[str], ranks: np.ndarray) -> None:
    """Names in two columns, tied to their places on the axis: the better half left, the other right."""
    half = (len(names) + 1) // 2
    for i, (name, rank) in enumerate(zip(names, ranks, strict=True)):
        is_left = i < half
        row = i if is_left else len(names) - 1 - i
        y = -1.2 - 0.6 * row - 0.15 * half
        x = 0.5 if is_left else len(names) + 0.5
        colour = look[name][0]
        axes.plot([rank, rank, x], [0, y, y], color=colour, lw=1.2, clip_on=False)
        axes.text(
            x + (-0.06 if is_left else 0.06),
            y,
            drawable(name),
            ha="right" if is_left else "left",
            va="center",
            fontsize=8.5,
            clip_on=False,
        )


def draw_podium(run: Benchmark, look: Look, origin: str) -> Markup | None:
    """Podium plot: a line per image through the scores of the methods, each on the place it took there [1]_.

    References
    ----------
    .. [1] M. Eugster, T. Hothorn, F. Leisch, "Exploratory and inferential analysis of benchmark experiments",
       Tech. Rep. 30, LMU Munich 2008: the benchmark experiment plot.
    """
    if origin not in run.results["rankings"]:
        return None
    values, failed = wide_scores(run.scores, run.metric, origin)
    values = values[[m for m in run.ranked if m in values]]
    table = values.where(~failed[values.columns]).dropna()
    if len(table) < 3 or table.shape[1] < 2:
        return None
    chosen = table.iloc[np.unique(np.linspace(0, len(table) - 1, min(len(table), MOST_PODIUM)).astype(int))]
    scores = chosen.to_numpy(float)
    # Places of equal methods are drawn by lot, or the first of them would always win.
    lots = Key.from_seed(0).child("podium").generator().random(scores.shape)
    order = np.lexsort((lots, -scores if run.is_higher_better else scores), axis=1)
    n = scores.shape[1]
    with styled(f"podium-{origin}"):
        figure, axes = panel(6.4, 3.2)
        # On each place the methods stand side by side, in the order of the ranking, so that dots do not hide.
        shift = (np.arange(n) - (n - 1) / 2) * 0.7 / n
        for row, places in zip(scores, order, strict=True):
            axes.plot(
                np.arange(1, n + 1) + shift[places], row[places], color=MUTED, lw=0.4, alpha=0.35, zorder=1
            )
        for j, method in enumerate(chosen.columns):
            colour, marker = look[str(method)]
            place = np.argmax(order == j, axis=1) + 1
            axes.plot(
                place + shift[j],
                scores[:, j],
                marker,
                ms=3.2,
                color=colour,
                lw=0,
                label=str(method),
                zorder=2,
            )
        axes.set_xticks(range(1, n + 1))
        axes.grid(visible=False, axis="x")
        axes.set_xlabel("place of the method on the image (1 is best)")
        axes.set_ylabel(metric_name(run.metric))
        figure.legend(loc="outside upper left", ncols=4, fontsize=8, handletextpad=0.1, columnspacing=1.2)
        firsts = ", ".join(f"{m} {int((order[:, 0] == j).sum())}" for j, m in enumerate(chosen.columns))
        return to_svg(
            figure, f"podium-{origin}", f"Images on which each method came first, {origin} images: {firsts}"
        )


def _compared(run: Benchmark, origin: str) -> CriticalDifference | None:
    if origin not in run.results["rankings"]:
        return None
    values, failed = wide_scores(run.scores, run.metric, origin)
    methods = [m for m in run.ranked if m in values]
    if not methods:
        return None
    return critical_difference(values[methods], higher_is_better=run.is_higher_better, failed=failed[methods])
