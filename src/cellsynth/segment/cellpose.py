"""Cellpose, through its own Python interface (versions 3 and 4)."""

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Interval

from ..core.errors import InputError, MissingToolError
from ..core.grid import Grid
from ..core.types import Image, Labels
from ._watershed import gapless
from .base import AbstractSegmenter, Search, SegmentFn, registry

INSTALL = 'Cellpose is not installed; install it with: pip install "cellpose"'


@registry.register
class Cellpose(AbstractSegmenter):
    """Cellpose [1]_, or Cellpose-SAM [2]_ where version 4 is installed.

    References
    ----------
    .. [1] C. Stringer, M. Pachitariu, "Cellpose3: one-click image restoration for improved cellular
       segmentation", Nat. Methods 22 (2025) 592-599.
    .. [2] M. Pachitariu, M. Rariden, C. Stringer, "Cellpose-SAM: superhuman generalization for cellular
       segmentation", bioRxiv 2025.
    """

    kind: Literal["cellpose"] = "cellpose"

    model: str = "default"
    """Name of a model of Cellpose, or path of a model file; `default` is `nuclei` in version 3, `cpsam` in
    4."""

    cellprob_threshold: Annotated[float, Interval(ge=-6, le=6), Search(-3.0, 3.0)] = 0.0
    """Pixels with a larger logit belong to cells; lower finds more and larger ones."""

    flow_threshold: Annotated[float, Interval(ge=0, le=3), Search(0.2, 1.0)] = 0.4
    """Cells whose flow differs more from the predicted one are dropped."""

    @classmethod
    def missing(cls) -> str | None:
        """Say how to install Cellpose where it is not."""
        return None if find_spec("cellpose") else INSTALL

    def build(self, grid: Grid, device: str = "cpu") -> SegmentFn:
        """Load the model and make the function that segments images on `grid`.

        Raises
        ------
        MissingToolError
            If Cellpose is not installed, or its weights are not here and cannot be fetched.
        InputError
            If the model is neither a file nor a name that the installed version knows.
        """
        if missing := self.missing():
            raise MissingToolError(missing)
        is_sam = int(version("cellpose").split(".")[0]) >= 4
        name = {"default": "cpsam" if is_sam else "nuclei"}.get(self.model, self.model)
        # Version 4 takes an unknown name for its default model; that would be another method under this name.
        if is_sam and not name.startswith("cpsam") and not Path(name).is_file():
            raise InputError(f"cellpose: no model file {name!r}, and Cellpose 4 has cpsam alone; give either")
        model = _load(name, is_sam, device)
        options: dict[str, Any] = {
            "cellprob_threshold": self.cellprob_threshold,
            "flow_threshold": self.flow_threshold,
        }
        if not is_sam:
            options["channels"] = [0, 0]  # one grey channel

        def segment(image: Image) -> Labels:
            plane = self.plane(image)
            found = model.eval(plane, diameter=self.diameter_px(grid, plane), **options)[0]
            return gapless(np.asarray(found).astype(np.int32))

        return segment


def _load(name: str, is_sam: bool, device: str) -> Any:
    """Model of Cellpose on `device`; fetches published weights the first time."""
    # Both are there where Cellpose is installed, and only there.
    import torch  # pyright: ignore[reportMissingImports]
    from cellpose.models import CellposeModel  # pyright: ignore[reportMissingImports]

    where = {"gpu": device != "cpu", "device": torch.device(device)}
    try:
        if is_sam or Path(name).is_file():
            return CellposeModel(pretrained_model=name, **where)
        return CellposeModel(model_type=name, **where)
    except OSError as error:  # URLError is one
        raise MissingToolError(
            f"cellpose: the weights of {name!r} are not here and could not be fetched ({error}); "
            "fetch them where there is a network and name the file: segment.model=FILE"
        ) from error
