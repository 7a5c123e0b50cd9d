"""Inception-v3 as the Frechet inception distance uses it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from .arrays import to_batch
from .types import Batch, Maps, Scores, Vectors

SIDE_PX = 299
"""Side of the images that it was trained on."""

N_FEATURES = 2048

Pool = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Step:
    """One convolution of a branch; with a stride it takes no padding, without one it keeps the size."""

    name: str
    n_out: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1


Fork = tuple[Step, Step]
"""Two convolutions of the same input, side by side."""

Branch = Sequence[Step | Fork | Pool]


class InceptionV3(nn.Module):
    """Inception-v3 [1]_ with the variations of the network that the FID is defined by [2]_.

    That network is a graph of TensorFlow of December 2015: average pools do not count the padding, the pool of the last
    block takes the maximum, and there are 1008 classes. Arrays are named as in its published conversions, so these load
    as they are.

    References
    ----------
    .. [1] C. Szegedy et al., "Rethinking the Inception architecture for computer vision", CVPR 2016, section 6.
    .. [2] M. Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash equilibrium", NIPS
       2017.
    """

    def __init__(self, n_classes: int = 1008) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Convolution(3, 32, (3, 3), stride=2)
        self.Conv2d_2a_3x3 = Convolution(32, 32, (3, 3))
        self.Conv2d_2b_3x3 = Convolution(32, 64, (3, 3), padding=(1, 1))
        self.Conv2d_3b_1x1 = Convolution(64, 80, (1, 1))
        self.Conv2d_4a_3x3 = Convolution(80, 192, (3, 3))
        self.Mixed_5b = Mixed(192, _at_35px(32))
        self.Mixed_5c = Mixed(256, _at_35px(64))
        self.Mixed_5d = Mixed(288, _at_35px(64))
        self.Mixed_6a = Mixed(288, _to_17px())
        self.Mixed_6b = Mixed(768, _at_17px(128))
        self.Mixed_6c = Mixed(768, _at_17px(160))
        self.Mixed_6d = Mixed(768, _at_17px(160))
        self.Mixed_6e = Mixed(768, _at_17px(192))
        self.Mixed_7a = Mixed(768, _to_8px())
        self.Mixed_7b = Mixed(1280, _at_8px(mean_pool))
        self.Mixed_7c = Mixed(2048, _at_8px(max_pool))
        self.fc = nn.Linear(N_FEATURES, n_classes)

    def forward(self, images: Batch) -> Vectors:
        """Features of RGB images in [-1, 1] of 299 pixels: the mean of the last block over the image."""
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(images)))
        x = halve(x)
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x))
        x = halve(x)
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x)))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        return x.mean(dim=(2, 3))

    def logits(self, features: Vectors) -> Scores:
        """Evidence for each class, of features."""
        return self.fc(features)


class Convolution(nn.Module):
    """Convolution, batch normalization, and what is positive of it."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        kernel: tuple[int, int],
        stride: int = 1,
        padding: tuple[int, int] = (0, 0),
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(n_in, n_out, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(n_out, eps=1e-3)

    def forward(self, x: Batch) -> Maps:
        """Apply all three."""
        return functional.relu(self.bn(self.conv(x)))


class Mixed(nn.Module):
    """Branches side by side, whose channels are put together."""

    def __init__(self, n_in: int, branches: Sequence[Branch]) -> None:
        super().__init__()
        self.branches = branches
        for branch in branches:
            n = n_in
            for part in branch:
                if callable(part):
                    continue
                steps = part if isinstance(part, tuple) else (part,)
                for step in steps:
                    self.add_module(step.name, _convolution(n, step))
                n = sum(step.n_out for step in steps)

    def forward(self, x: Batch) -> Maps:
        """Run all branches."""
        return torch.cat([self._run(branch, x) for branch in self.branches], dim=1)

    def _run(self, branch: Branch, x: torch.Tensor) -> torch.Tensor:
        for part in branch:
            if isinstance(part, Step):
                x = self.get_submodule(part.name)(x)
            elif isinstance(part, tuple):
                x = torch.cat([self.get_submodule(step.name)(x) for step in part], dim=1)
            else:
                x = part(x)
        return x


def halve(x: torch.Tensor) -> torch.Tensor:
    """Maximum over windows of 3 pixels, two pixels apart."""
    return functional.max_pool2d(x, 3, stride=2)


def mean_pool(x: torch.Tensor) -> torch.Tensor:
    """Mean over windows of 3 pixels; at the border, of those that there are."""
    return functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def max_pool(x: torch.Tensor) -> torch.Tensor:
    """Maximum over windows of 3 pixels."""
    return functional.max_pool2d(x, 3, stride=1, padding=1)


def _convolution(n_in: int, step: Step) -> Convolution:
    y, x = step.kernel
    padding = (y // 2, x // 2) if step.stride == 1 else (0, 0)
    return Convolution(n_in, step.n_out, step.kernel, step.stride, padding)


def _at_35px(n_pool: int) -> list[Branch]:
    return [
        [Step("branch1x1", 64)],
        [Step("branch5x5_1", 48), Step("branch5x5_2", 64, (5, 5))],
        [
            Step("branch3x3dbl_1", 64),
            Step("branch3x3dbl_2", 96, (3, 3)),
            Step("branch3x3dbl_3", 96, (3, 3)),
        ],
        [mean_pool, Step("branch_pool", n_pool)],
    ]


def _to_17px() -> list[Branch]:
    return [
        [Step("branch3x3", 384, (3, 3), stride=2)],
        [
            Step("branch3x3dbl_1", 64),
            Step("branch3x3dbl_2", 96, (3, 3)),
            Step("branch3x3dbl_3", 96, (3, 3), stride=2),
        ],
        [halve],
    ]


def _at_17px(n: int) -> list[Branch]:
    return [
        [Step("branch1x1", 192)],
        [Step("branch7x7_1", n), Step("branch7x7_2", n, (1, 7)), Step("branch7x7_3", 192, (7, 1))],
        [
            Step("branch7x7dbl_1", n),
            Step("branch7x7dbl_2", n, (7, 1)),
            Step("branch7x7dbl_3", n, (1, 7)),
            Step("branch7x7dbl_4", n, (7, 1)),
            Step("branch7x7dbl_5", 192, (1, 7)),
        ],
        [mean_pool, Step("branch_pool", 192)],
    ]


def _to_8px() -> list[Branch]:
    return [
        [Step("branch3x3_1", 192), Step("branch3x3_2", 320, (3, 3), stride=2)],
        [
            Step("branch7x7x3_1", 192),
            Step("branch7x7x3_2", 192, (1, 7)),
            Step("branch7x7x3_3", 192, (7, 1)),
            Step("branch7x7x3_4", 192, (3, 3), stride=2),
        ],
        [halve],
    ]


def _at_8px(pool: Pool) -> list[Branch]:
    return [
        [Step("branch1x1", 320)],
        [Step("branch3x3_1", 384), (Step("branch3x3_2a", 384, (1, 3)), Step("branch3x3_2b", 384, (3, 1)))],
        [
            Step("branch3x3dbl_1", 448),
            Step("branch3x3dbl_2", 384, (3, 3)),
            (Step("branch3x3dbl_3a", 384, (1, 3)), Step("branch3x3dbl_3b", 384, (3, 1))),
        ],
        [pool, Step("branch_pool", 192)],
    ]


def as_pytorch_fid(images: Batch) -> Maps:
    """Images in [0, 1] as the package pytorch-fid hands them over: 299 pixels, in [-1, 1].

    Bilinear between the centres of pixels, without a filter against aliasing; 2 v - 1.
    """
    resized = functional.interpolate(images, (SIDE_PX, SIDE_PX), mode="bilinear", align_corners=False)
    return 2 * resized - 1


def as_tensorflow(images: Batch) -> Maps:
    """Images in [0, 1] as the graph of TensorFlow took them, which torch-fidelity repeats.

    Bilinear between the upper left corners of pixels, which shifts the image by up to half a pixel, without a filter
    against aliasing; (255 v - 128) / 128.
    """
    rows, columns = (_corner_weights(n).to(images) for n in images.shape[2:])
    return (255 * (rows @ images @ columns.T) - 128) / 128


def _corner_weights(n: int) -> torch.Tensor:
    """Weight of each of `n` pixels in each of the 299."""
    at = torch.arange(SIDE_PX, dtype=torch.float64) * (n / SIDE_PX)
    first = at.long()
    share = at - first
    weights = torch.zeros(SIDE_PX, n, dtype=torch.float64)
    row = torch.arange(SIDE_PX)
    weights[row, first] += 1 - share
    weights[row, (first + 1).clamp(max=n - 1)] += share
    return weights


@torch.inference_mode()
def features_of(
    network: InceptionV3,
    images: Sequence[np.ndarray],
    prepare: Callable[[torch.Tensor], torch.Tensor],
) -> np.ndarray:
    """Features of RGB images in [0, 1], (3, Y, X) of any sizes, one row each."""
    prepared = torch.cat([prepare(to_batch([image], network)) for image in images])
    return network(prepared).cpu().numpy()
