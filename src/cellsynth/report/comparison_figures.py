"""Figures of the page that compare methods image by image."""

import numpy as np
from markupsafe import Markup

from ..evaluate.statistics import CriticalDifference, critical_difference
from ..evaluate.table import wide_scores
from .drawing import Look, styled, to_svg
from .run_folder import Benchmark
from .score_table_figures import ALPHA, critical_difference_panel, podium_panel, significance_panel
from .words import metric_name


def draw_critical_difference(run: Benchmark, look: Look, origin: str) -> Markup | None:
    """Mean ranks with their critical difference; None where fewer than three methods or two images can be compared."""
    found = _compared(run, origin)
    if found is None or len(found.mean_ranks) < 3 or not np.isfinite(found.difference):
        return None
    with styled(f"critical-{origin}"):
        said = ", ".join(f"{n} {r:.2f}" for n, r in found.mean_ranks.items())
        return to_svg(
            critical_difference_panel(found, look),
            f"critical-{origin}",
            f"Mean rank of every method, {origin} images: {said}",
        )


def draw_significance(run: Benchmark, look: Look, origin: str) -> Markup | None:
    """Significance map of every pair of methods; None where fewer than three methods can be compared."""
    methods = [m for m in run.ranked if m in run.ranking(origin)]
    if len(methods) < 3:
        return None
    effects, p = np.full((2, len(methods), len(methods)), np.nan)
    for i, a in enumerate(methods):
        for j, b in enumerate(methods):
            test = None if a == b else run.test(origin, a, b)
            if test is not None and test["p_holm"] is not None and test["effect"] is not None:
                effects[i, j], p[i, j] = test["effect"], test["p_holm"]
    with styled(f"significance-{origin}"):
        n_apart = int((p < ALPHA).sum()) // 2
        said = f"{n_apart} of {len(methods) * (len(methods) - 1) // 2} pairs of methods are told apart"
        return to_svg(
            significance_panel(methods, effects, p),
            f"significance-{origin}",
            f"Which method is better than which, {origin} images: {said}",
        )


def draw_podium(run: Benchmark, look: Look, origin: str) -> Markup | None:
    """Podium plot; None with fewer than two methods, or three images on which all of them have a score."""
    if origin not in run.results["rankings"]:
        return None
    values, failed = wide_scores(run.scores, run.metric, origin)
    values = values[[m for m in run.ranked if m in values]]
    table = values.where(~failed[values.columns]).dropna()
    if len(table) < 3 or table.shape[1] < 2:
        return None
    with styled(f"podium-{origin}"):
        figure, firsts = podium_panel(
            table, look, higher_is_better=run.is_higher_better, score_name=metric_name(run.metric)
        )
        said = ", ".join(f"{method} {n}" for method, n in firsts.items())
        return to_svg(
            figure, f"podium-{origin}", f"Images on which each method came first, {origin} images: {said}"
        )


def _compared(run: Benchmark, origin: str) -> CriticalDifference | None:
    if origin not in run.results["rankings"]:
        return None
    values, failed = wide_scores(run.scores, run.metric, origin)
    methods = [m for m in run.ranked if m in values]
    if not methods:
        return None
    return critical_difference(values[methods], higher_is_better=run.is_higher_better, failed=failed[methods])
