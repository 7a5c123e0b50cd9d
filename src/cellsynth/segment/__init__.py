"""Image to instance labels: one file per method, all behind `AbstractSegmenter`; `tune` fits one to
images."""

from ._tuning import ScoreFn, Trial, Tuned, tune

__all__ = ["ScoreFn", "Trial", "Tuned", "tune"]
