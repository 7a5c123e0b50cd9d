from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cellsynth.report.run_folder import Benchmark, read_benchmark
from cellsynth.report.verdict import maybe_best, not_separated, verdict

METHODS = ("h_maxima", "otsu", "voronoi_otsu")


@pytest.fixture(scope="session")
def benchmark(finished: Path) -> Benchmark:
    return read_benchmark(finished)


def ranking(scores: tuple[float, float, float], lows: tuple[int, int, int]) -> dict[str, Any]:
    order = sorted(scores, reverse=True)
    rows = [
        {
            "method": m,
            "score": s,
            "rank": order.index(s) + 1.0,
            "rank_low": low,
            "rank_high": 3,
            "p_best": 0.3,
        }
        for m, s, low in zip(METHODS, scores, lows, strict=True)
    ]
    return {"rows": rows, "distribution": [], "level": 0.95}


def with_results(
    benchmark: Benchmark, synthetic: Any, real: Any = None, p: float = 1.0, tau: float = 0.9, n: int = 24
) -> Benchmark:
    pairs = [("h_maxima", "otsu"), ("h_maxima", "voronoi_otsu"), ("otsu", "voronoi_otsu")]
    tests = [
        {
            "method_a": a,
            "method_b": b,
            "n": n,
            "mean_difference": 0.1,
            "low": 0.0,
            "high": 0.2,
            "effect": 0.5,
            "p_holm": p,
        }
        for a, b in pairs
    ]
    both = {"synthetic": synthetic} | ({"real": real} if real else {})
    agreement = {"tau": tau, "low": tau - 0.1, "high": tau + 0.1}
    results = {
        **benchmark.results,
        "rankings": both,
        "tests": dict.fromkeys(both, tests),
        "n_images": {"synthetic": n, "real": 20},
        "tuning_gain": {},
        "agreement": agreement if real else None,
    }
    return replace(benchmark, results=results)


def titles(run: Benchmark) -> list[str]:
    return [caveat.title for caveat in verdict(run).caveats]


def test_a_clear_winner_is_to_be_trusted(benchmark: Benchmark) -> None:
    run = with_results(benchmark, ranking((0.9, 0.5, 0.7), (1, 3, 2)), p=0.001)
    found = verdict(run)
    assert found.best == "h_maxima"
    assert "is the one to trust" in found.answer
    assert "ahead of every other method" in " ".join(found.also)
    assert "Not checked on real images" in titles(run)


def test_methods_that_may_be_as_good_are_named(benchmark: Benchmark) -> None:
    run = with_results(benchmark, ranking((0.9, 0.5, 0.89), (1, 3, 1)))
    assert maybe_best(run) == ["voronoi_otsu"]
    assert not_separated(run) == ["voronoi_otsu", "otsu"]
    said = " ".join(verdict(run).also)
    assert "voronoi_otsu may be as good as h_maxima" in said
    assert "does not tell otsu from h_maxima either" in said


def test_too_few_images_for_tests_are_said_to_be(benchmark: Benchmark) -> None:
    run = with_results(benchmark, ranking((0.9, 0.5, 0.7), (1, 3, 2)), n=6)
    assert "too few for strict tests" in " ".join(verdict(run).also)


def test_real_images_decide_among_methods_that_are_about_equal(benchmark: Benchmark) -> None:
    run = with_results(benchmark, ranking((0.9, 0.5, 0.89), (1, 3, 1)), ranking((0.7, 0.5, 0.8), (1, 3, 1)))
    assert verdict(run).best == "voronoi_otsu"
    assert "safest choice" in verdict(run).answer


def test_rankings_that_contradict_give_no_clear_answer(benchmark: Benchmark) -> None:
    run = with_results(
        benchmark, ranking((0.9, 0.5, 0.7), (1, 3, 2)), ranking((0.6, 0.8, 0.7), (2, 1, 2)), tau=-0.5
    )
    assert "no clear answer" in verdict(run).answer
    assert "Do not trust the synthetic ranking alone" in titles(run)


def test_synthetic_images_that_are_easier_are_said_to_be(benchmark: Benchmark) -> None:
    run = with_results(benchmark, ranking((0.9, 0.8, 0.85), (1, 3, 1)), ranking((0.6, 0.5, 0.55), (1, 1, 1)))
    assert "The synthetic images are easier than yours" in titles(run)
    alike = with_results(
        benchmark, ranking((0.9, 0.8, 0.85), (1, 3, 1)), ranking((0.88, 0.8, 0.85), (1, 1, 1))
    )
    assert "The synthetic images are easier than yours" not in titles(alike)


def test_without_any_method_the_page_says_so(benchmark: Benchmark) -> None:
    empty = {"rows": [], "distribution": [], "level": 0.95}
    assert "no answer" in verdict(with_results(benchmark, empty)).answer
