"""Learned perceptual image patch similarity: two images as an ImageNet network sees them."""

from typing import Literal

import numpy as np
import torch
from torch import nn

from .arrays import to_batch
from .types import Batch, Scores

NetName = Literal["alex", "vgg"]

SMALLEST_PX: dict[NetName, int] = {"alex": 31, "vgg": 16}
"""Side of an image of which the last layer still sees one pixel."""

_TAPS: dict[NetName, tuple[int, ...]] = {"alex": (1, 4, 7, 9, 11), "vgg": (3, 8, 15, 22, 29)}
"""Layers of the trunk that are looked at: every rectifier of AlexNet, of VGG16 the last one of each size."""

_WIDTHS: dict[NetName, tuple[int, ...]] = {"alex": (64, 192, 384, 256, 256), "vgg": (64, 128, 256, 512, 512)}
"""Their channels."""

# Mean and spread of ImageNet's channels, as images in [-1, 1] have them.
_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)

_EPS = 1e-10


class Lpips(nn.Module):
    """LPIPS, version 0.1 [1]_: a trunk, and a head for each of its layers that are looked at.

    The trunk is the convolutions of AlexNet [2]_, in the variant with one column of Krizhevsky 2014, or of VGG16 [3]_.
    It is named and numbered as torchvision's `features`.

    References
    ----------
    .. [1] R. Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric", CVPR 2018, Eq. 1.
    .. [2] A. Krizhevsky, "One weird trick for parallelizing convolutional neural networks", arXiv:1404.5997 (2014).
    .. [3] K. Simonyan, A. Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015,
       column D.
    """

    shift: torch.Tensor
    scale: torch.Tensor

    def __init__(self, net: NetName) -> None:
        super().__init__()
        self.features = alexnet_trunk() if net == "alex" else vgg16_trunk()
        self.taps = _TAPS[net]
        self.heads = nn.ModuleList(nn.Conv2d(n, 1, 1, bias=False) for n in _WIDTHS[net])
        self.register_buffer("shift", torch.tensor(_SHIFT)[:, None, None], persistent=False)
        self.register_buffer("scale", torch.tensor(_SCALE)[:, None, None], persistent=False)

    def forward(self, reference: Batch, candidate: Batch) -> Scores:
        """Distance of RGB images in [0, 1], a column for each layer; their sum is the LPIPS."""
        columns = [
            head((a - b) ** 2).mean(dim=(1, 2, 3))
            for head, a, b in zip(self.heads, self.seen(reference), self.seen(candidate), strict=True)
        ]
        return torch.stack(columns, dim=1)

    def seen(self, images: Batch) -> list[torch.Tensor]:
        """What each layer makes of images in [0, 1], of length 1 along its channels in every place."""
        x = (2 * images - 1 - self.shift) / self.scale
        maps = []
        for i, layer in enumerate(self.features):
            x = layer(x)
            if i in self.taps:
                length = torch.sqrt((x * x).sum(dim=1, keepdim=True))
                maps.append(x / (length + _EPS))
        return maps


def alexnet_trunk() -> nn.Sequential:
    """Convolutions of AlexNet to the last rectifier."""
    return nn.Sequential(
        *(nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, stride=2)),
        *(nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, stride=2)),
        *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU()),
    )


def vgg16_trunk() -> nn.Sequential:
    """Convolutions of VGG16 to the last rectifier."""
    layers, n_in = [], 3
    for n_convolutions, n_out in ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)):
        if layers:
            layers.append(nn.MaxPool2d(2))
        for _ in range(n_convolutions):
            layers += [nn.Conv2d(n_in, n_out, 3, padding=1), nn.ReLU()]
            n_in = n_out
    return nn.Sequential(*layers)


@torch.inference_mode()
def distance(network: Lpips, reference: np.ndarray, candidate: np.ndarray) -> float:
    """LPIPS of two RGB images in [0, 1], (3, Y, X)."""
    a, b = (to_batch([image], network) for image in (reference, candidate))
    return float(network(a, b).sum(dtype=torch.float64))
