"""StarDist, through its own Python interface."""

import sys
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Interval

from ..core.errors import InputError, MissingToolError
from ..core.grid import Grid
from ..core.types import Image, Labels
from ._watershed import gapless
from .base import AbstractSegmenter, Search, SegmentFn, registry

INSTALL = 'StarDist is not installed; install it with: pip install "stardist" "tensorflow"'


@registry.register
class Stardist(AbstractSegmenter):
    """StarDist: star-convex polygons and non-maximum suppression.

    References
    ----------
    .. [1] U. Schmidt, M. Weigert, C. Broaddus, G. Myers, "Cell detection with star-convex polygons", MICCAI
       2018.
    """

    kind: Literal["stardist"] = "stardist"

    uses_diameter: ClassVar[bool] = False

    model: str = "2D_versatile_fluo"
    """Name of a published model, or path of a model folder."""

    prob_threshold: Annotated[float, Interval(gt=0, lt=1)] | None = None
    """Least probability of an object; without one, what the model was optimised for."""

    nms_threshold: Annotated[float, Interval(gt=0, lt=1)] | None = None
    """Overlap above which two candidates are one object; without one, what the model was optimised for."""

    scale: Annotated[float, Interval(gt=0, le=10), Search(0.5, 2.0, is_log=True)] = 1.0
    """Zoom of the image before the network: StarDist takes no diameter, so tuning finds the zoom that
    fits."""

    @classmethod
    def missing(cls) -> str | None:
        """Say how to install StarDist where it, or the TensorFlow it runs on, is not."""
        return None if find_spec("stardist") and find_spec("tensorflow") else INSTALL

    def build(self, grid: Grid, device: str = "cpu") -> SegmentFn:
        """Load the model and make the function that segments images on `grid`; TensorFlow picks the device.

        Raises
        ------
        MissingToolError
            If StarDist is not installed, or its weights are not here and cannot be fetched.
        InputError
            If the model is neither a folder nor a published name.
        """
        if missing := self.missing():
            raise MissingToolError(missing)
        from csbdeep.utils import normalize  # pyright: ignore[reportMissingImports] StarDist brings it

        model = _load(self.model)
        options = {"prob_thresh": self.prob_threshold, "nms_thresh": self.nms_threshold, "scale": self.scale}

        def segment(image: Image) -> Labels:
            plane = normalize(self.plane(image), 1, 99.8)  # percentiles of StarDist's own examples
            return gapless(np.asarray(model.predict_instances(plane, **options)[0]).astype(np.int32))

        return segment


def _load(name: str) -> Any:
    """Model of StarDist; fetches published weights the first time."""
    from stardist.models import StarDist2D  # pyright: ignore[reportMissingImports] checked by `missing`

    folder = Path(name)
    try:
        if folder.is_dir():
            return StarDist2D(None, name=folder.name, basedir=str(folder.parent))
        with redirect_stdout(sys.stderr):  # it prints what it finds
            model = StarDist2D.from_pretrained(name)
    except OSError as error:
        raise MissingToolError(
            f"stardist: the weights of {name!r} are not here and could not be fetched ({error}); "
            "fetch them where there is a network and name the folder: segment.model=FOLDER"
        ) from error
    if model is None:  # how it answers a name that it does not know
        raise InputError(f"stardist: {name!r} is neither a model folder nor a published model")
    return model
