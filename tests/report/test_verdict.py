from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cellsynth.report.run_folder import Benchmark, read_benchmark
from cellsynth.report.verdict import attainable, maybe_best, not_separated, verdict

METHODS = ("h_maxima", "otsu", "voronoi_otsu")


@pytest.fixture(scope="session")
def benchmark(finished: Path) -> Benchmark:
    return read_benchmark(finished)


def ranking(scores: tuple[float | None, ...], lows: tuple[int | None, ...]) -> dict[str, Any]:
    order = sorted((s for s in scores if s is not None), reverse=True)
    rows = [
        {
            "method": m,
            "score": s,
            "rank": None if s is None else order.index(s) + 1.0,
            "rank_low": low,
            "rank_high": 3,
            "p_best": 0.3,
        }
        for m, s, low in zip(METHODS, scores, lows, strict=False)
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
    agreement = {"tau": tau, "low": tau - 0.1, "high": tau + 0.1, "n_methods": len(synthetic["rows"])}
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


def test_methods_that_tie_on_both_share_the_place(benchmark: Benchmark) -> None:
    tied = ranking((0.9, 0.5, 0.9), (1, 3, 1))
    found = verdict(with_results(benchmark, tied, tied))
    assert found.answer.startswith("h_maxima and voronoi_otsu share the first place: ")
    assert found.answer.endswith("best on both.")
    assert "voronoi_otsu may be as good" not in " ".join(found.also)


def test_a_tie_on_real_images_does_not_hide_the_method_that_is_best_on_both(benchmark: Benchmark) -> None:
    # In the order of the alphabet h_maxima would come first on the real images.
    run = with_results(benchmark, ranking((0.5, 0.6, 0.9), (3, 2, 1)), ranking((0.8, 0.5, 0.8), (1, 3, 1)))
    found = verdict(run)
    assert found.best == "voronoi_otsu"
    assert "best on both" in found.answer
    assert "h_maxima" not in found.answer


def test_what_may_be_as_good_on_real_images_is_named(benchmark: Benchmark) -> None:
    both = (ranking((0.9, 0.5, 0.7), (1, 3, 2)), ranking((0.9, 0.5, 0.8), (1, 3, 1)))
    said = " ".join(verdict(with_results(benchmark, *both)).also)
    assert "voronoi_otsu may be as good on your images: other labelled ones could have put it first." in said


def test_a_tie_on_synthetic_images_is_decided_by_the_real_ones(benchmark: Benchmark) -> None:
    run = with_results(benchmark, ranking((0.9, 0.5, 0.9), (1, 3, 1)), ranking((0.6, 0.5, 0.8), (2, 3, 1)))
    assert verdict(run).best == "voronoi_otsu"
    assert "best on both" in verdict(run).answer


@pytest.mark.parametrize(
    ("scores", "said"),
    [((0.0, 0.0, 0.0), "all methods score the same (0.00)"), ((None,) * 3, "no method has a score")],
)
def test_labels_on_which_all_methods_are_equal_decide_nothing(
    benchmark: Benchmark, scores: Any, said: str
) -> None:
    run = with_results(
        benchmark, ranking((0.9, 0.5, 0.7), (1, 3, 2)), ranking(scores, (1, 1, 1)), tau=float("nan")
    )
    found = verdict(run)
    assert found.best == "h_maxima"
    assert said in found.answer
    assert "best on both" not in found.answer
    assert "Your labelled images rank no method" in titles(run)
    assert "The synthetic images are easier than yours" not in titles(run)


def test_synthetic_images_on_which_all_methods_fail_give_no_answer(benchmark: Benchmark) -> None:
    none = ranking((0.0, 0.0, 0.0), (1, 1, 1))
    found = verdict(with_results(benchmark, none))
    assert (found.best, found.also) == ("", [])
    assert "no answer" in found.answer
    with_real = verdict(with_results(benchmark, none, ranking((0.1, 0.7, 0.2), (3, 1, 2))))
    assert with_real.best == "otsu"
    assert "otsu scores best on your 20 labelled images" in with_real.answer


def test_the_tau_of_two_methods_is_no_measure(benchmark: Benchmark) -> None:
    same = with_results(benchmark, ranking((0.9, 0.5), (1, 2)), ranking((0.8, 0.5), (1, 2)), tau=1.0)
    assert "Two methods make one comparison" in titles(same)
    other = with_results(benchmark, ranking((0.9, 0.5), (1, 2)), ranking((0.5, 0.8), (2, 1)), tau=-1.0)
    caveat = next(c for c in verdict(other).caveats if c.title.startswith("Do not trust"))
    assert "tau" not in caveat.text


def test_the_smallest_p_of_few_images_is_known(benchmark: Benchmark) -> None:
    few, many = (
        attainable(with_results(benchmark, ranking((0.9, 0.5, 0.7), (1, 3, 2)), n=n), "synthetic")
        for n in (4, 24)
    )
    assert few is not None
    assert many is not None
    assert (few.p, few.p_holm) == (0.125, 0.375)  # both signs of four differences, three pairs
    assert (few.is_significant, many.is_significant) == (False, True)


def test_a_winner_that_chance_may_have_put_first_is_only_a_good_choice(benchmark: Benchmark) -> None:
    run = with_results(benchmark, ranking((0.9, 0.5, 0.89), (1, 3, 1)))
    assert "h_maxima is a good choice" in verdict(run).answer


def test_a_simulation_of_other_cells_is_a_grave_warning(benchmark: Benchmark) -> None:
    run = with_results(benchmark, ranking((0.9, 0.5, 0.7), (1, 3, 2)), p=0.001)
    table = run.statistics.copy()
    wrong = ["radius", "density", "contrast", "edge", "texture", "background"]
    is_wrong = table["statistic"].isin(wrong) & (table["origin"] == "synthetic")
    table.loc[is_wrong, "value"] *= 40
    found = verdict(replace(run, statistics=table))
    assert "do not look like yours" in found.caveats[0].title
    assert found.caveats[0].is_grave
    assert "trust" not in found.answer
    assert "The synthetic images do not look like yours" not in titles(run)


def test_few_images_of_the_user_are_said_to_be_few(benchmark: Benchmark) -> None:
    run = with_results(benchmark, ranking((0.9, 0.5, 0.7), (1, 3, 2)))
    assert "Only 2 images of yours" in titles(replace(run, calibration={**run.calibration, "n_images": 2}))
    many = replace(run, calibration={**run.calibration, "n_images": 20})
    assert not any("of yours" in title for title in titles(many))
