"""How many images it takes to see a difference."""

import numpy as np
import pytest
from scipy.stats import norm

from cellsynth.core.errors import InputError
from cellsynth.evaluate.statistics import images_needed, smallest_difference
from cellsynth.evaluate.statistics.paired import signed_rank_p


@pytest.mark.parametrize("difference", [0.02, -0.05])
def test_normal_differences_need_what_the_theory_says(key, difference):
    rng = key.child("seen").generator()
    seen = rng.normal(0.3, 0.1, 200)
    found = images_needed(seen, difference, key=key)
    # Efficiency of the signed-rank test against the t-test is 3 / pi for normal differences.
    theory = np.pi / 3 * ((norm.isf(0.025) + norm.isf(0.2)) * seen.std(ddof=1) / difference) ** 2
    assert found.n == pytest.approx(theory, rel=0.2)
    assert 0.75 < found.reached < 0.9


def test_new_studies_of_that_size_find_the_difference_as_often_as_asked(key):
    rng = key.child("skewed").generator()
    seen = rng.exponential(0.06, 150)
    found = images_needed(seen, 0.03, key=key, power=0.9)
    shifted = seen - seen.mean() + 0.03
    share = np.mean([signed_rank_p(rng.choice(shifted, found.n)) < 0.05 for _ in range(500)])
    assert share == pytest.approx(0.9, abs=0.06)


def test_smaller_differences_and_more_power_need_more_images(key):
    seen = key.generator().normal(0, 0.1, 60)
    n = [images_needed(seen, d, key=key, power=p).n for d, p in ((0.1, 0.8), (0.05, 0.8), (0.05, 0.95))]
    assert n[0] < n[1] < n[2]


def test_undefined_differences_are_left_out(key):
    seen = key.generator().normal(0, 0.1, 40)
    assert images_needed(np.r_[seen, np.nan], 0.05, key=key) == images_needed(seen, 0.05, key=key)


def test_what_cannot_be_seen_says_so(key, monkeypatch):
    monkeypatch.setattr("cellsynth.evaluate.statistics.power.MOST", 50)
    found = images_needed(key.generator().normal(0, 1, 30), 0.01, key=key, n_studies=50)
    assert found.n == 50
    assert found.reached < 0.8


@pytest.mark.parametrize(
    ("seen", "difference", "message"),
    [
        ([0.1, 0.2], 0.02, "at least 5 images"),
        ([0.1] * 9, 0.02, "not all equal"),
        ([0.1, 0.2, 0.3, 0.1, 0.5], 0.0, "difference is 0"),
    ],
)
def test_too_little_to_go_by_is_refused(key, seen, difference, message):
    with pytest.raises(InputError, match=message):
        images_needed(np.array(seen), difference, key=key)


def test_the_smallest_difference_is_the_inverse_of_the_images_needed(key):
    seen = key.generator().normal(0.3, 0.1, 200)
    needed = images_needed(seen, 0.05, key=key)
    found = smallest_difference(seen, needed.n, key=key)
    assert found.difference == pytest.approx(0.05, rel=0.1)
    assert found.reached >= 0.8
    assert smallest_difference(seen, 4 * needed.n, key=key).difference == pytest.approx(0.025, rel=0.15)


def test_five_images_show_no_difference_at_five_percent(key):
    found = smallest_difference(key.generator().normal(0, 0.1, 40), 5, key=key)
    assert np.isnan(found.difference)
    assert found.reached == 0
