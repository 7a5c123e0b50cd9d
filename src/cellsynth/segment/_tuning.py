"""Tune a segmenter on a few labelled images, with a bounded amount of work."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from ..core.grid import Grid
from ..core.rng import Key
from ..core.sample import Sample
from ..core.types import Image, Labels
from .base import AbstractSegmenter, Choice, Search

S = TypeVar("S", bound=AbstractSegmenter)

ScoreFn = Callable[[Labels, Labels], float]
"""(reference, prediction) to a number, higher is better; NaN where it is not defined."""

CRASHES = (ValueError, TypeError, ArithmeticError, LookupError, RuntimeError, MemoryError)
"""What a method may raise on unlucky parameters. A missing tool or file is not among them: that ends the
tuning."""

EXPLORED = 0.65
"""Part of the work spent on points all over the space; the rest goes to the surroundings of the best."""

BATCH = 4
"""Points tried at once around the best. Fixed, so that results do not depend on the number of workers."""

CAUTION = 1.0
"""Standard errors within which a candidate counts as good as the best. 0 and 0.5 scored the same on real images
that were not tuned on; 1 makes the smallest change."""

EVIDENCE = 2.0
"""Standard errors by which the best must beat the starting configuration, or that is kept."""

MapFn = Callable[[Callable[[Any], Any], list[Any]], Iterable[Any]]
"""Like the built-in `map`, perhaps in several processes: results in the order of the items."""


@dataclass(frozen=True)
class Trial:
    """One configuration that was tried."""

    values: dict[str, Any]
    """What it changed; empty for the defaults."""

    scores: tuple[float, ...]
    """Per sample, in their order; empty where it crashed. Those that left the race early have fewer."""

    error: str | None = None
    """What it crashed with."""

    @property
    def score(self) -> float:
        """Mean over the samples where the score is defined; minus infinity where it crashed, NaN for no
        sample."""
        if self.error is not None:
            return -math.inf
        defined = [score for score in self.scores if not math.isnan(score)]
        return sum(defined) / len(defined) if defined else math.nan


@dataclass(frozen=True)
class Tuned(Generic[S]):
    """The outcome of a tuning."""

    segmenter: S
    """The best configuration."""

    score: float
    """Its mean score on the samples."""

    default_score: float
    """That of the configuration that tuning began with; never more than `score`."""

    trials: tuple[Trial, ...]
    """All that was tried, in order; the first is the configuration that tuning began with."""


def tune(
    segmenter: S,
    samples: Sequence[Sample],
    score: ScoreFn,
    key: Key,
    budget: int = 24,
    map_fn: MapFn = map,
) -> Tuned[S]:
    """Search the fields that the method declares tunable, from the given configuration on.

    Points spread evenly over the space are tried on half of the samples; the better third goes on to all of
    them. Then batches around the best shrink as long as they find nothing better. Few images invite
    overfitting, so the starting configuration stays unless the best beats it by two standard errors of the paired
    difference over the samples; and by the one-standard-error rule [1]_ the smallest change wins among all candidates
    whose mean is within one of the best and not below the starting configuration.

    Parameters
    ----------
    samples
        With labels.
    score
        Higher is better; must be picklable if `map_fn` uses processes.
    budget
        Work allowed, in segmentations of all samples; the starting configuration is one.
    map_fn
        `WorkerPool.map` or the built-in one. The result is the same.

    Raises
    ------
    ValueError
        If `budget` is below 1 or there is no sample with labels.

    References
    ----------
    .. [1] L. Breiman, J. Friedman, R. Olshen, C. Stone, "Classification and Regression Trees", Wadsworth 1984,
       section 3.4.3.
    """
    labelled = [s for s in samples if s.labels is not None]
    if budget < 1 or not labelled:
        raise ValueError(
            f"tuning needs a budget of at least 1 and samples with labels, saw {budget} and {len(labelled)}"
        )
    race = _Race(segmenter, labelled, score, map_fn)
    start = race.space.start
    race.run([start], range(len(labelled)))
    _explore(race, key, budget)
    _refine(race, key, budget)
    best = race.choose()
    return Tuned(race.space.segmenter(best), race.trial(best).score, race.trial(start).score, race.trials())


Point = tuple[float, ...]
"""A place in the unit cube that stands for the search space."""


class _Space(Generic[S]):
    """The search space of a segmenter as a unit cube."""

    def __init__(self, segmenter: S) -> None:
        self.base = segmenter
        self.axes = segmenter.search_space()
        self.start: Point = tuple(_to_unit(a, getattr(segmenter, name)) for name, a in self.axes.items())

    def values(self, point: Point) -> dict[str, Any]:
        if point == self.start:
            return {}
        return {name: _from_unit(a, u) for (name, a), u in zip(self.axes.items(), point, strict=True)}

    def segmenter(self, point: Point) -> S:
        return self.base.with_values(**self.values(point))

    def distance(self, point: Point) -> float:
        return math.dist(point, self.start)


def _to_unit(axis: Search | Choice, value: Any) -> float:
    if isinstance(axis, Choice):
        return (axis.options.index(value) + 0.5) / len(axis.options) if value in axis.options else 0.5
    low, high = (math.log(axis.low), math.log(axis.high)) if axis.is_log else (axis.low, axis.high)
    value = math.log(max(value, 1e-12)) if axis.is_log else value
    return min(max((value - low) / (high - low), 0.0), 1.0)


def _from_unit(axis: Search | Choice, unit: float) -> Any:
    if isinstance(axis, Choice):
        return axis.options[min(int(unit * len(axis.options)), len(axis.options) - 1)]
    if axis.is_log:
        return round(axis.low * (axis.high / axis.low) ** unit, 6)
    return round(axis.low + (axis.high - axis.low) * unit, 6)


@dataclass(frozen=True)
class _Work:
    """One configuration on some samples: what a worker gets."""

    segmenter: AbstractSegmenter
    values: dict[str, Any]
    items: tuple[tuple[Image, Labels, Grid], ...]
    score: ScoreFn


def _measure(work: _Work) -> tuple[tuple[float, ...], str | None]:
    """Scores of one configuration, or what it crashed with."""
    try:
        segmenter = work.segmenter.with_values(**work.values)
        segment: dict[Grid, Callable[[Image], Labels]] = {}
        scores = []
        for image, labels, grid in work.items:
            if grid not in segment:
                segment[grid] = segmenter.build(grid)
            scores.append(float(work.score(labels, segment[grid](image))))
    except CRASHES as error:
        return (), f"{type(error).__name__}: {error}"
    return tuple(scores), None


class _Race(Generic[S]):
    """Measures points, keeps what is known of each, and counts the work."""

    def __init__(self, segmenter: S, samples: Sequence[Sample], score: ScoreFn, map_fn: MapFn) -> None:
        self.space = _Space(segmenter)
        self.items = [(s.image, s.labels, s.grid) for s in samples if s.labels is not None]
        self.score = score
        self.map_fn = map_fn
        self.known: dict[Point, Trial] = {}
        self.n_segmented = 0

    def run(self, points: Sequence[Point], samples: range) -> list[Point]:
        """Measure `points` on some of the samples, after those measured before; return those that are new."""
        points = list(dict.fromkeys(points))
        items = tuple(self.items[i] for i in samples)
        works = [_Work(self.space.base, self.space.values(p), items, self.score) for p in points]
        self.n_segmented += len(points) * len(items)
        for point, work, (scores, error) in zip(points, works, self.map_fn(_measure, works), strict=True):
            before = self.known[point].scores if point in self.known else ()
            self.known[point] = Trial(work.values, () if error else before + scores, error)
        return points

    def work_left(self, budget: int) -> int:
        """Segmentations of one sample that may still be done."""
        return budget * len(self.items) - self.n_segmented

    def trial(self, point: Point) -> Trial:
        return self.known[point]

    def trials(self) -> tuple[Trial, ...]:
        return tuple(self.known.values())

    def ranked(self) -> list[Point]:
        """Points measured on all samples, best first; ties in the order they were tried."""
        done = [p for p, t in self.known.items() if len(t.scores) == len(self.items)]
        return sorted(done, key=lambda p: -_or_worst(self.trial(p).score))

    def choose(self) -> Point:
        """The smallest change among the candidates that are about as good as the best."""
        ranked = self.ranked()
        start = self.space.start
        if not ranked or start not in self.known:
            return start
        top = np.array(self.trial(ranked[0]).scores)
        least = _or_worst(self.trial(start).score)

        def is_within(point: Point, n_errors: float) -> bool:
            """Whether the best is not better by more than some standard errors."""
            loss = top - np.array(self.trial(point).scores)
            loss = loss[~np.isnan(loss)]
            noise = float(np.std(loss, ddof=1)) / math.sqrt(len(loss)) if len(loss) > 1 else 0.0
            return not len(loss) or float(loss.mean()) <= n_errors * noise

        if self.trial(start).error is None and is_within(start, EVIDENCE):
            return start
        good = [
            p
            for p in ranked
            if p == ranked[0] or (_or_worst(self.trial(p).score) >= least and is_within(p, CAUTION))
        ]
        return min(good, key=self.space.distance)


def _or_worst(score: float) -> float:
    return -math.inf if math.isnan(score) else score


def _explore(race: _Race, key: Key, budget: int) -> None:
    """Try points all over the space on half of the samples, and the better third of them on the others."""
    n = len(race.items)
    n_first = n if n < 4 else n // 2
    n_dims = len(race.space.axes)
    cost_of_point = n_first + (n - n_first) / 3
    n_points = int(race.work_left(math.ceil(EXPLORED * budget)) / cost_of_point)
    if n_dims == 0 or n_points < 1:
        return
    points = race.run(_spread(n_points, n_dims, key.child("explore")), range(n_first))
    if n_first < n:
        points.sort(key=lambda p: -_or_worst(race.trial(p).score))
        going_on = [p for p in points[: math.ceil(n_points / 3)] if race.trial(p).error is None]
        race.run(going_on[: race.work_left(budget) // (n - n_first)], range(n_first, n))


def _refine(race: _Race, key: Key, budget: int) -> None:
    """Try batches of points around the best; the radius halves when a batch finds nothing better."""
    radius, step = 0.25, 0
    while race.space.axes and (n_points := min(BATCH, race.work_left(budget) // len(race.items))) > 0:
        best = (race.ranked() or [race.space.start])[0]
        rng = key.child("refine", step).generator()
        offsets = rng.normal(0.0, radius, (n_points, len(best)))
        points = [tuple(float(u) for u in np.clip(np.array(best) + o, 0.0, 1.0)) for o in offsets]
        race.run(points, range(len(race.items)))
        if race.ranked()[:1] == [best]:
            radius /= 2
        step += 1


def _spread(n_points: int, n_dims: int, key: Key) -> list[Point]:
    """Points of an additive recurrence, shifted at random [1]_: evener than independent ones.

    References
    ----------
    .. [1] L. Kuipers, H. Niederreiter, "Uniform Distribution of Sequences", Wiley 1974, section 2.3; steps
       are powers of the inverse of the root of x^(d+1) = x + 1, the golden ratio for d = 1.
    """
    ratio = 1.5
    for _ in range(60):
        ratio = (1 + ratio) ** (1 / (n_dims + 1))
    steps = ratio ** -np.arange(1.0, n_dims + 1)
    shift = key.generator().random(n_dims)
    units = (shift + np.arange(1, n_points + 1)[:, None] * steps) % 1.0
    return [tuple(float(u) for u in row) for row in units]
