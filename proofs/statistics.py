"""Intervals and tests on simulated truth: do nominal 95 % cover 95 %, and do tests at 5 % err in 5 %?"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from scipy.stats import binom

from benchmarks._claim import Claim
from cellsynth.core.rng import Key
from cellsynth.evaluate.statistics import (
    bootstrap_interval,
    paired_tests,
    rank_methods,
    ranking_agreement,
)
from cellsynth.evaluate.statistics.paired import signed_rank_p

NEEDS: tuple[str, ...] = ()

N_STUDIES = 2000
"""Simulated studies per claim: a true 95 % comes out between 94.0 and 95.9 % in 19 of 20 claims."""

KEY = Key.from_seed(0).child("proof", "statistics")

Draw = Callable[[np.random.Generator, int], np.ndarray]

DISTRIBUTIONS: dict[str, tuple[Draw, float, float]] = {
    "normal scores": (lambda rng, n: rng.normal(0.8, 0.1, n), 0.8, 0.8),
    "skewed scores (exponential)": (lambda rng, n: rng.exponential(1.0, n), 1.0, float(np.log(2))),
    "scores piled up at one (beta 5, 1)": (lambda rng, n: rng.beta(5, 1, n), 5 / 6, 0.5 ** (1 / 5)),
}
"""How units are drawn, the true mean, the true median."""


def claims(data: Path) -> Iterator[Claim]:
    for name, (draw, mean, _) in DISTRIBUTIONS.items():
        for n in (10, 20, 50):
            yield _coverage(
                f"the mean of {n} units, BCa, {name}",
                lambda rng, key, draw=draw, n=n: bootstrap_interval(draw(rng, n), key=key, n_resamples=1000),
                mean,
                is_target=n >= 20,
            )
    for name, (draw, _, median) in DISTRIBUTIONS.items():
        yield _coverage(
            f"the median of 30 units, percentile, {name}",
            lambda rng, key, draw=draw: bootstrap_interval(
                draw(rng, 30), _median, key=key, method="percentile", n_resamples=1000
            ),
            median,
        )
    yield _coverage("the mean over 24 groups of 1 to 5 rows", _grouped, 0.0, n_studies=600)
    yield _tau()
    yield _ranks()
    for n in (6, 12, 30, 100):
        yield _type_one(n)
    yield _family_wise()
    yield _ranks_by_tests()


def _coverage(
    what: str, study: Callable, truth: float, *, is_target: bool = True, n_studies: int = N_STUDIES
) -> Claim:
    hits = 0
    for i in range(n_studies):
        found = study(KEY.child(what, i).generator(), KEY.child(what, "resamples", i))
        hits += found.low <= truth <= found.high
    return _share(
        f"statistics: nominal 95 % interval of {what}: share that holds the truth", hits, n_studies, is_target
    )


def _share(claim: str, hits: int, n: int, is_target: bool) -> Claim:
    """Share with its own binomial interval; near enough to 95 % from 93 % on."""
    low, high = binom.ppf([0.025, 0.975], n, hits / n) / n
    return Claim(
        claim, value=hits / n, interval=(float(low), float(high)), target=0.93 if is_target else None
    )


def _grouped(rng: np.random.Generator, key: Key):
    groups = np.repeat(np.arange(24), rng.integers(1, 6, 24))
    values = rng.normal(0, 1, 24)[groups] + rng.normal(0, 0.5, len(groups))
    return bootstrap_interval(values, key=key, groups=groups, n_resamples=400)


def _tau() -> Claim:
    """Truth: tau of the true means on both sets, some of which lie close."""
    a, b = np.array([0.5, 0.6, 0.63, 0.7, 0.72, 0.85]), np.array([0.5, 0.63, 0.6, 0.7, 0.8, 0.75])
    signs = [np.sign((a[i] - a[j]) * (b[i] - b[j])) for i in range(6) for j in range(i)]
    truth, hits, n = float(np.mean(signs)), 0, 600
    for i in range(n):
        rng = KEY.child("tau", i).generator()
        found = ranking_agreement(
            a + rng.normal(0, 0.15, (40, 6)),
            b + rng.normal(0, 0.15, (60, 6)),
            higher_is_better=True,
            key=KEY.child("tau", "resamples", i),
            n_resamples=500,
        )
        hits += found.low <= truth <= found.high
    return _share(
        "statistics: nominal 95 % interval of Kendall's tau: share that holds the truth", hits, n, True
    )


def _ranks() -> Claim:
    means = np.array([0.9, 0.87, 0.85, 0.8, 0.7])
    hits, n = 0, 600
    for i in range(n):
        rng = KEY.child("ranks", i).generator()
        table = rank_methods(
            means + rng.normal(0, 0.1, (30, 5)),
            higher_is_better=True,
            key=KEY.child("ranks", "resamples", i),
            n_resamples=500,
        ).table
        hits += int(((table["rank_low"] <= range(1, 6)) & (table["rank_high"] >= range(1, 6))).sum())
    return _share(
        "statistics: nominal 95 % rank intervals of five methods: share that hold the true rank",
        hits,
        5 * n,
        True,
    )


def _type_one(n: int) -> Claim:
    rng = KEY.child("type one", n).generator()
    wrong = sum(signed_rank_p(rng.laplace(0, 1, n)) < 0.05 for _ in range(N_STUDIES))
    return _error(f"signed-rank test of {n} differences", wrong, N_STUDIES)


def _error(what: str, wrong: int, n: int) -> Claim:
    low, high = binom.ppf([0.025, 0.975], n, wrong / n) / n
    # At most 5 % is wanted: what chance allows a true 5 % with this many studies is met as well.
    return Claim(
        f"statistics: share of false findings at 5 %, {what}",
        value=wrong / n,
        interval=(float(low), float(high)),
        target=round(float(binom.ppf(0.99, n, 0.05)) / n, 4),
        direction="at most",
    )


def _family_wise() -> Claim:
    wrong, n = 0, 400
    for i in range(n):
        key = KEY.child("family", i)
        scores = key.generator().normal(0.8, 0.1, (20, 6))
        tests = paired_tests(scores, higher_is_better=True, key=key, n_resamples=10)
        wrong += bool((tests["p_holm"] < 0.05).any())
    return _error("any of the 15 pairs of six equal methods, Holm", wrong, n)


def _ranks_by_tests() -> Claim:
    wrong, n = 0, 1000
    for i in range(n):
        key = KEY.child("tests", i)
        scores = key.generator().normal(0.8, 0.1, (30, 5))
        table = rank_methods(
            scores, higher_is_better=True, key=key, scheme="test_then_rank", n_resamples=2
        ).table
        wrong += table["rank"].nunique() > 1
    return _error("any order among five equal methods, ranked by tests", wrong, n)


def _median(values: np.ndarray) -> np.ndarray:
    return np.median(values, axis=-1)
