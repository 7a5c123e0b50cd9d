"""Figures of any score table: they draw with few and many methods, long names, ties and failures, and say why not."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from cellsynth.core.errors import InputError
from cellsynth.core.rng import Key
from cellsynth.report.score_table_figures import (
    critical_difference_figure,
    podium_figure,
    rank_figure,
    significance_figure,
)


def scores_of(n_methods: int, n: int = 12, name: str = "method") -> pd.DataFrame:
    rng = np.random.default_rng(n_methods)
    values = rng.normal(0.5 + 0.06 * np.arange(n_methods), 0.05, (n, n_methods))
    return pd.DataFrame(values, columns=[f"{name} {i}" for i in range(n_methods)])


def texts_of(figure: Figure) -> list[str]:
    figure.draw_without_rendering()
    axes = figure.axes[0]
    found = [*axes.texts, *axes.get_xticklabels(), *axes.get_yticklabels()]
    found += [t for legend in figure.legends for t in legend.get_texts()]
    return [t.get_text() for t in found if t.get_text()]


def all_figures(scores: pd.DataFrame, key: Key, failed: pd.DataFrame | None = None) -> list[Figure]:
    return [
        critical_difference_figure(scores, failed=failed),
        significance_figure(scores, key=key, failed=failed),
        rank_figure(scores, key=key, failed=failed),
        podium_figure(scores, failed=failed),
    ]


@pytest.mark.parametrize("n_methods", [2, 5, 12])
def test_every_figure_names_every_method(key, n_methods):
    scores = scores_of(n_methods)
    for figure in all_figures(scores, key):
        texts = texts_of(figure)
        assert all(any(name in text for text in texts) for name in scores)


def test_long_names_stay_within_the_figure(key):
    for figure in all_figures(scores_of(6, name="a method with a name of many words, " * 3), key):
        figure.draw_without_rendering()
        width, height = figure.get_size_inches()
        box = figure.get_tightbbox()
        assert box.x0 >= -0.05
        assert box.y0 >= -0.05
        assert box.x1 <= width + 0.05
        assert box.y1 <= height + 0.05


def test_ties_and_failures_are_drawn(key):
    scores = scores_of(4)
    scores["twin"] = scores["method 3"]
    failed = pd.DataFrame(False, index=scores.index, columns=scores.columns)
    failed.iloc[:3, 0] = True
    for figure in all_figures(scores, key, failed):
        assert texts_of(figure)


def test_the_map_is_filled_where_methods_differ_and_nowhere_else(key):
    scores = scores_of(3, n=20)
    scores["method 1"] = scores["method 0"]
    texts = texts_of(significance_figure(scores, key=key))
    # Two equal methods and a better one: two cells on either side of the diagonal.
    assert texts.count("+") == 2
    assert texts.count("\N{MINUS SIGN}") == 2
    assert texts.count("\N{MIDDLE DOT}") == 2


def test_too_little_to_draw_is_refused(key):
    with pytest.raises(InputError, match="needs two of each"):
        critical_difference_figure(scores_of(1))
    with pytest.raises(InputError, match="needs two of each"):
        podium_figure(scores_of(3, n=1))
    with pytest.raises(InputError, match="4 are needed"):
        rank_figure(scores_of(3, n=3), key=key)
