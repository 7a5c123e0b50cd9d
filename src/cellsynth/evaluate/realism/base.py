"""What every metric of a set of images against a set is."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import ClassVar, Generic, Self, TypeVar

import numpy as np

from ...core.registry import Registry
from ...core.rng import Key
from ..features import PictureSet
from ..scored import AbstractScored
from ..statistics import Interval


@dataclass(frozen=True, eq=False)
class AbstractMeasured:
    """What a metric keeps of two sets: arrays with one row per image, which add by putting the rows of both together.

    Fields that are no arrays are the same for all images. Rows of unequal length are filled up with NaN.
    """

    def __add__(self, other: Self) -> Self:
        if type(other) is not type(self):
            return NotImplemented
        joined = {}
        for f in fields(self):
            a, b = getattr(self, f.name), getattr(other, f.name)
            if isinstance(a, np.ndarray):
                joined[f.name] = _stacked(a, b)
            elif a == b:
                joined[f.name] = a
            else:
                raise ValueError(f"{f.name} differs: {a} and {b}; measure all images with one metric")
        return type(self)(**joined)


M = TypeVar("M", bound=AbstractMeasured)

registry: "Registry[AbstractRealismMetric]" = Registry("cellsynth.evaluate.realism", "realism metric")


class AbstractRealismMetric(AbstractScored, ABC, Generic[M]):
    """A number that says how well a set of images resembles a reference set.

    `measure` keeps what is needed of each image; what is kept of parts of the sets adds; `score` makes the number,
    `parts` what it is made of, and `interval` its bootstrap interval over the images. Undefined is NaN.
    """

    unit: ClassVar[str] = ""
    """Unit of the score; empty for a plain number."""

    is_paired: ClassVar[bool] = False
    """Image i of the candidate belongs to image i of the reference."""

    @abstractmethod
    def measure(self, reference: PictureSet, candidate: PictureSet) -> M:
        """What is kept of the images of both sets."""

    @abstractmethod
    def score(self, measured: M) -> float:
        """Score of both sets."""

    @abstractmethod
    def parts(self, measured: M) -> dict[str, float]:
        """What the score is made of, by name; empty where it is one piece."""

    @abstractmethod
    def interval(self, measured: M, *, key: Key, level: float = 0.95, n_resamples: int = 500) -> Interval:
        """Score with its bootstrap interval; equal keys give equal intervals."""


def _stacked(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    width = [max(n, m) for n, m in zip(a.shape[1:], b.shape[1:], strict=True)]
    filled = [
        np.pad(
            x,
            [(0, 0)] + [(0, w - n) for w, n in zip(width, x.shape[1:], strict=True)],
            constant_values=np.nan,
        )
        if list(x.shape[1:]) != width
        else x
        for x in (a, b)
    ]
    return np.concatenate(filled)
