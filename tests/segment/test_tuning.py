"""Tuning: never worse, within its budget, the same whoever does the work."""

import math
from typing import Annotated, Literal

import numpy as np
import pytest
from pydantic import Field

from cellsynth.core.grid import Grid
from cellsynth.core.parallel import worker_pool
from cellsynth.core.sample import Sample
from cellsynth.segment import tune
from cellsynth.segment.base import AbstractSegmenter, Choice, Search, registry
from tests.segment.cells import DIAMETER, mean_iou, noisy_samples


class Quadratic(AbstractSegmenter):
    """Writes its own parameters where the score finds them; calls are counted."""

    kind: Literal["quadratic"] = "quadratic"
    a: Annotated[float, Search(0.0, 1.0)] = 0.2
    b: Annotated[float, Search(0.01, 1.0, is_log=True)] = 0.5
    mode: Annotated[Literal["good", "bad"], Choice("good", "bad")] = "bad"
    crashes_above: float = Field(2.0)

    def build(self, grid, device="cpu"):
        if self.a > self.crashes_above:
            raise IndexError("the point was out of range")
        value = (self.a - 0.7) ** 2 + (math.log10(self.b) + 1) ** 2 + (self.mode == "bad")

        def segment(image):
            CALLS.append(1)
            return np.full(image.shape[1:], int(1000 * value), np.int32)

        return segment


CALLS: list[int] = []


def score(reference, prediction):
    return -float(prediction.flat[0])


def flat_score(reference, prediction):
    return 0.5


def undefined_score(reference, prediction):
    return float("nan")


def samples(n=4):
    image = np.zeros((1, 3, 5), np.float32)
    grid = Grid(shape_px=(3, 5))
    return [Sample(f"s{i}", grid, image, np.zeros((3, 5), np.int32)) for i in range(n)]


def test_tuning_finds_better_parameters(key):
    tuned = tune(Quadratic(), samples(), score, key, budget=40)
    assert tuned.segmenter.mode == "good"
    assert tuned.segmenter.a == pytest.approx(0.7, abs=0.2)
    assert tuned.score > tuned.default_score / 5
    assert tuned.trials[0].values == {}
    assert tuned.trials[0].score == tuned.default_score


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("budget", [1, 2, 5, 24])
def test_work_stays_within_the_budget(key, n, budget):
    CALLS.clear()
    tuned = tune(Quadratic(), samples(n), score, key, budget=budget)
    assert len(CALLS) <= n * budget
    assert len(CALLS) >= n * budget * 0.7
    assert sum(len(trial.scores) for trial in tuned.trials) == len(CALLS)


def test_ties_prefer_the_defaults(key):
    tuned = tune(Quadratic(), samples(), flat_score, key)
    assert tuned.segmenter == Quadratic()


def mixed_score(reference, prediction):
    """Better away from the start on average, and much worse on one of the samples."""
    moved = 0.8 - prediction.flat[0] / 2000  # about 0 at the start
    return moved * (-2.0 if reference.flat[0] == 0 else 1.0)


def test_a_gain_that_not_all_samples_share_leaves_the_defaults(key):
    grid = Grid(shape_px=(3, 5))
    image = np.zeros((1, 3, 5), np.float32)
    labels = [np.full((3, 5), i, np.int32) for i in range(5)]
    mixed = [Sample(f"s{i}", grid, image, labels[i]) for i in range(5)]
    tuned = tune(Quadratic(), mixed, mixed_score, key, budget=40)
    assert max(t.score for t in tuned.trials) > tuned.default_score + 0.1
    assert tuned.segmenter == Quadratic()
    clear = tune(Quadratic(), mixed[1:], mixed_score, key, budget=40)
    assert clear.segmenter.mode == "good"


def test_undefined_scores_leave_the_defaults(key):
    tuned = tune(Quadratic(), samples(), undefined_score, key)
    assert tuned.segmenter == Quadratic()
    assert math.isnan(tuned.score)


def test_crashing_candidates_are_recorded_and_never_chosen(key):
    tuned = tune(Quadratic(crashes_above=0.5), samples(), score, key, budget=30)
    crashed = [trial for trial in tuned.trials if trial.error]
    assert crashed
    assert all(trial.score == -math.inf and "out of range" in trial.error for trial in crashed)
    assert tuned.segmenter.a <= 0.5


def test_default_that_crashes_is_replaced(key):
    tuned = tune(Quadratic(a=0.9, crashes_above=0.8), samples(), score, key, budget=30)
    assert tuned.default_score == -math.inf
    assert tuned.score > -math.inf


def test_all_crashing_gives_the_defaults_back(key):
    tuned = tune(Quadratic(crashes_above=-1.0), samples(), score, key)
    assert tuned.segmenter == Quadratic(crashes_above=-1.0)
    assert tuned.score == -math.inf


@pytest.mark.parametrize(("n", "budget"), [(0, 5), (2, 0)])
def test_nothing_to_tune_on_is_refused(key, n, budget):
    with pytest.raises(ValueError, match="budget of at least 1"):
        tune(Quadratic(), samples(n), score, key, budget=budget)


def test_same_key_gives_the_same_trials_and_another_key_others(key):
    first, again = (tune(Quadratic(), samples(), score, key, budget=10) for _ in range(2))
    other = tune(Quadratic(), samples(), score, key.child("other"), budget=10)
    assert first == again
    assert first.trials != other.trials


@pytest.mark.parametrize("kind", ["otsu", "mser"])
def test_tuned_method_is_never_worse_on_its_images(key, kind):
    given = noisy_samples(key)
    config = registry.parse({"kind": kind, "diameter_um": 1.6 * DIAMETER})  # a wrong size leaves room
    tuned = tune(config, given, mean_iou, key, budget=10)
    segment = tuned.segmenter.build(given[0].grid)
    mean = float(np.mean([mean_iou(s.labels, segment(s.image)) for s in given]))
    assert tuned.score == pytest.approx(mean)
    assert tuned.score >= tuned.default_score
    assert tuned.segmenter.diameter_um == config.diameter_um


def test_result_does_not_depend_on_who_does_the_work(key):
    given = noisy_samples(key, n=2)
    config = registry.parse({"kind": "otsu", "diameter_um": DIAMETER})
    alone = tune(config, given, mean_iou, key, budget=5)
    with worker_pool(2) as pool:
        assert tune(config, given, mean_iou, key, budget=5, map_fn=pool.map) == alone
