"""Image to instance labels: one file per method, all behind `AbstractSegmenter`; `tune` fits one to
images."""

from ._scale import typical_diameter_px
from ._tuning import ScoreFn, Trial, Tuned, tune

__all__ = ["ScoreFn", "Trial", "Tuned", "tune", "typical_diameter_px"]
