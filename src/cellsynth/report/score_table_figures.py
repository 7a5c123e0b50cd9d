"""Figures that compare methods, for any table of scores: units by methods in, a matplotlib figure out."""

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from ..core.errors import InputError
from ..core.rng import Key
from ..evaluate.statistics import (
    CriticalDifference,
    Ranking,
    critical_difference,
    paired_tests,
    rank_methods,
)
from ..evaluate.statistics._scores import Scheme, ScoreTable
from .drawing import INK, MUTED, PAPER, Look, drawable, looks, panel, styled

ALPHA = 0.05

MOST_PODIUM = 60
"""More units than this make a podium plot a grey cloud; an even choice of them is drawn."""

_BETTER, _WORSE = "#0072b2", "#d55e00"
"""Cells of the significance map: as the origins, apart for every kind of colour vision."""


def critical_difference_figure(
    scores: ScoreTable,
    *,
    higher_is_better: bool = True,
    failed: ScoreTable | None = None,
    units: str = "images",
) -> Figure:
    """Mean ranks on an axis; a bar joins methods that the units do not tell apart [1]_.

    Parameters
    ----------
    scores, failed
        As in `rank_methods`; the columns of a data frame name the methods.

    Raises
    ------
    InputError
        With fewer than two methods, or two units on which all of them have a score or failed.

    References
    ----------
    .. [1] J. Demsar, "Statistical comparisons of classifiers over multiple data sets", J. Mach. Learn. Res. 7
       (2006) 1-30, Figure 1.
    """
    found = critical_difference(scores, higher_is_better=higher_is_better, failed=failed)
    if not np.isfinite(found.difference):
        raise InputError(
            f"{len(found.mean_ranks)} methods on {found.n_units} units with a score of each; a critical difference "
            "needs two of each"
        )
    with styled():
        return critical_difference_panel(found, looks([str(n) for n in found.mean_ranks.index]), units)


def critical_difference_panel(found: CriticalDifference, look: Look, units: str = "images") -> Figure:
    """Draw mean ranks and their critical difference."""
    names, ranks = [str(n) for n in found.mean_ranks.index], found.mean_ranks.to_numpy(float)
    rows = (len(names) + 1) // 2
    top = 0.35 + 0.3 * len(found.groups)  # bars first, then the names below them
    figure, axes = panel(_width(len(names)), 0.75 + 0.2 * (rows + 1) + 0.1 * len(found.groups))
    axes.set_xlim(0.5, len(names) + 0.5)
    for i, (name, rank) in enumerate(zip(names, ranks, strict=True)):
        is_left = i < rows
        y = -top - 0.6 * (i if is_left else len(names) - 1 - i)
        x = 0.5 if is_left else len(names) + 0.5
        axes.plot([rank, rank, x], [0, y, y], color=look[name][0], lw=1.2, clip_on=False)
        axes.annotate(
            drawable(name, 26),
            (x, y),
            (-3 if is_left else 3, 0),
            textcoords="offset points",
            fontsize=8.5,
            ha="right" if is_left else "left",
            va="center",
        )
    for i, group in enumerate(found.groups):
        ends = [ranks[names.index(group[0])] - 0.04, ranks[names.index(group[-1])] + 0.04]
        axes.plot(ends, [-0.25 - 0.3 * i] * 2, color=INK, lw=3)
    bottom = -top - 0.6 * rows
    # A difference that is wider than the axis is said, and drawn as wide as the axis.
    drawn = min(found.difference, len(names) - 1 + 0.5)
    axes.plot([1, 1 + drawn], [bottom, bottom], color=MUTED, lw=2)
    axes.text(1, bottom - 0.45, f"critical difference {found.difference:.2f}", va="center", fontsize=8)
    axes.xaxis.set_ticks_position("top")
    axes.xaxis.set_label_position("top")
    axes.set_xticks(range(1, len(names) + 1))
    axes.set_xlabel(f"mean rank over {found.n_units} {units} (1 is best)")
    axes.grid(visible=False)
    axes.set_yticks([])
    axes.set_ylim(bottom - 0.8, 0.0)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.spines["top"].set_visible(True)
    return figure


def _width(n_methods: int) -> float:
    """In inches; the page scales figures to its width, so that those of few methods have larger letters."""
    return 4.8 if n_methods <= 6 else 6.4


def significance_figure(
    scores: ScoreTable,
    *,
    key: Key,
    higher_is_better: bool = True,
    failed: ScoreTable | None = None,
    worst: float | None = None,
) -> Figure:
    """Significance map [1]_: is the method of the row better or worse than that of the column?

    Wilcoxon's signed-rank test with Holm's correction at 5 %. Methods are ordered by their mean score.

    Parameters
    ----------
    scores, failed, worst
        As in `rank_methods`.

    References
    ----------
    .. [1] M. Wiesenfarth et al., "Methods and open-source toolkit for analyzing and visualizing challenge
       results", Sci. Rep. 11 (2021) 2369.
    """
    tests = paired_tests(
        scores, higher_is_better=higher_is_better, key=key, failed=failed, worst=worst, n_resamples=2
    )
    ranking = rank_methods(
        scores, higher_is_better=higher_is_better, key=key, failed=failed, worst=worst, n_resamples=2
    )
    names = [str(n) for n in ranking.table.sort_values("rank", kind="stable").index]
    where = {name: i for i, name in enumerate(names)}
    effects, p = np.full((2, len(names), len(names)), np.nan)
    for row in tests.itertuples():
        i, j = where[str(row.method_a)], where[str(row.method_b)]
        effects[i, j], effects[j, i] = row.effect, -float(str(row.effect))
        p[i, j] = p[j, i] = row.p_holm
    with styled():
        return significance_panel(names, effects, p)


def significance_panel(
    names: list[str], effects: Float[np.ndarray, "m m"], p: Float[np.ndarray, "m m"]
) -> Figure:
    """Draw a map of effects, filled where p is below 5 %."""
    n = len(names)
    side = 0.32 * n + 0.4
    figure, axes = panel(max(side + 2.2, 4.3), side + 1.3)
    for i in range(n):
        for j in range(n):
            if i == j:
                axes.add_patch(_cell(j, i, MUTED, 0.25))
            elif p[i, j] < ALPHA:
                axes.add_patch(_cell(j, i, _BETTER if effects[i, j] > 0 else _WORSE, 1.0))
                sign = "+" if effects[i, j] > 0 else "\N{MINUS SIGN}"
                axes.text(j, i, sign, ha="center", va="center", color=PAPER, fontsize=9, weight="bold")
            else:
                axes.text(j, i, "\N{MIDDLE DOT}", ha="center", va="center", color=MUTED, fontsize=14)
    axes.set_xlim(-0.5, n - 0.5)
    axes.set_ylim(n - 0.5, -0.5)
    axes.set_aspect("equal")
    labels = [drawable(name, 24) for name in names]
    axes.set_yticks(range(n), labels)
    axes.set_xticks(range(n), labels, rotation=45, ha="right", rotation_mode="anchor")
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    for text, colour in (("row is better", _BETTER), ("row is worse", _WORSE)):
        axes.plot([], [], "s", ms=7, color=colour, label=text, lw=0)
    axes.plot([], [], ".", ms=4, color=MUTED, label="not told apart", lw=0)
    figure.legend(loc="outside upper left", ncols=3, fontsize=8, handletextpad=0.1, columnspacing=1.0)
    return figure


def _cell(x: int, y: int, colour: str, alpha: float) -> Rectangle:
    return Rectangle((x - 0.46, y - 0.46), 0.92, 0.92, color=colour, alpha=alpha, lw=0)


def rank_figure(
    scores: ScoreTable,
    *,
    key: Key,
    higher_is_better: bool = True,
    scheme: Scheme = "mean_then_rank",
    failed: ScoreTable | None = None,
    worst: float | None = None,
) -> Figure:
    """Blob plot: how often every method had every rank when the units were resampled [1]_.

    Parameters
    ----------
    scores, scheme, failed, worst
        As in `rank_methods`.

    Raises
    ------
    InputError
        If there are too few units to resample: below 4.

    References
    ----------
    .. [1] M. Wiesenfarth et al., "Methods and open-source toolkit for analyzing and visualizing challenge
       results", Sci. Rep. 11 (2021) 2369.
    """
    ranking = rank_methods(
        scores, higher_is_better=higher_is_better, key=key, scheme=scheme, failed=failed, worst=worst
    )
    if not np.isfinite(ranking.distribution.to_numpy(float)).any():
        raise InputError(f"{ranking.n_units} units are too few to resample; 4 are needed")
    names = [str(n) for n in ranking.table.sort_values("rank", kind="stable").index]
    with styled():
        return rank_panel(_in_order(ranking, names), looks(names))


def _in_order(ranking: Ranking, names: list[str]) -> pd.DataFrame:
    ends = ranking.table.loc[names, ["rank_low", "rank_high"]]
    return pd.concat([ends, ranking.distribution.loc[names]], axis=1)


def rank_panel(table: pd.DataFrame, look: Look) -> Figure:
    """Draw shares of ranks as blobs.

    Parameters
    ----------
    table
        One row per method (index), from top to bottom: `rank_low`, `rank_high`, then the share of each rank.
    """
    shares = table.drop(columns=["rank_low", "rank_high"]).to_numpy(float)
    figure, axes = panel(4.3, 0.7 + 0.36 * len(table))
    for i, method in enumerate(table.index):
        colour, _ = look[str(method)]
        ends = table.loc[method, ["rank_low", "rank_high"]].to_numpy(float)
        if np.isfinite(ends).all():
            axes.plot(ends, [i, i], color=colour, lw=1.4, alpha=0.55, zorder=1)
        ranks = np.arange(1, shares.shape[1] + 1)
        is_shown = np.nan_to_num(shares[i]) > 0.004
        areas = 330 * shares[i][is_shown]
        axes.scatter(ranks[is_shown], np.full(is_shown.sum(), i), s=areas, color=colour, lw=0, zorder=2)
    axes.set_yticks(range(len(table)), [drawable(str(m)) for m in table.index])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.set_xlim(0.4, shares.shape[1] + 0.6)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("rank (1 is best)")
    return figure


def podium_figure(
    scores: pd.DataFrame,
    *,
    higher_is_better: bool = True,
    failed: pd.DataFrame | None = None,
    score_name: str = "score",
    units: str = "image",
) -> Figure:
    """Podium plot: a line per unit through the scores of the methods, each on the place it took there [1]_.

    Parameters
    ----------
    scores
        Units by methods, named by the columns. Units on which a method failed or has no score are not drawn.

    Raises
    ------
    InputError
        With fewer than two methods or units to draw.

    References
    ----------
    .. [1] M. Eugster, T. Hothorn, F. Leisch, "Exploratory and inferential analysis of benchmark experiments",
       Tech. Rep. 30, LMU Munich 2008: the benchmark experiment plot.
    """
    complete = (scores if failed is None else scores.where(~failed)).dropna()
    if min(complete.shape) < 2:
        raise InputError(
            f"{complete.shape[1]} methods with scores on {len(complete)} common units; a podium plot needs two of each"
        )
    with styled():
        look = looks([str(m) for m in complete.columns])
        figure, _ = podium_panel(
            complete, look, higher_is_better=higher_is_better, score_name=score_name, units=units
        )
        return figure


def podium_panel(
    scores: pd.DataFrame, look: Look, *, higher_is_better: bool, score_name: str, units: str = "image"
) -> tuple[Figure, dict[str, int]]:
    """Draw complete scores; returns as well how often each method came first among those drawn."""
    rows = np.unique(np.linspace(0, len(scores) - 1, min(len(scores), MOST_PODIUM)).astype(int))
    chosen = scores.iloc[rows].to_numpy(float)
    # Places of equal methods are drawn by lot, or the first of them would always win.
    lots = Key.from_seed(0).child("podium").generator().random(chosen.shape)
    order = np.lexsort((lots, -chosen if higher_is_better else chosen), axis=1)
    names = [str(m) for m in scores.columns]
    n = len(names)
    figure, axes = panel(_width(n), 3.2 + 0.16 * ((n - 1) // 3))
    # On each place the methods stand side by side, in the order of the ranking, so that dots do not hide.
    shift = (np.arange(n) - (n - 1) / 2) * 0.7 / n
    for row, places in zip(chosen, order, strict=True):
        axes.plot(np.arange(1, n + 1) + shift[places], row[places], color=MUTED, lw=0.4, alpha=0.35, zorder=1)
    for j, method in enumerate(names):
        place = np.argmax(order == j, axis=1) + 1
        _dots(axes, place + shift[j], chosen[:, j], look[method], drawable(method, 26))
    axes.set_xticks(range(1, n + 1))
    axes.grid(visible=False, axis="x")
    axes.set_xlabel(f"place of the method on the {units} (1 is best)")
    axes.set_ylabel(score_name)
    longest = max(len(drawable(method, 26)) for method in names)
    columns = 4 if longest <= 14 else 3 if longest <= 20 else 2
    figure.legend(loc="outside upper left", ncols=columns, fontsize=8, handletextpad=0.1, columnspacing=1.2)
    return figure, {name: int((order[:, 0] == j).sum()) for j, name in enumerate(names)}


def _dots(axes: Axes, x: np.ndarray, y: np.ndarray, look: tuple[str, str], label: str) -> None:
    colour, marker = look
    axes.plot(x, y, marker, ms=3.2, color=colour, lw=0, label=label, zorder=2)
