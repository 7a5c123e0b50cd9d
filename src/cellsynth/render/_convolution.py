"""Convolution of a volume with a kernel, tile by tile of a fixed lattice."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float32
from scipy import fft

from .psfs import Kernel

Volume = Float32[np.ndarray, "_ _ _"]


class Convolver:
    """Kernels made ready for boxes of one shape; the transform of a box serves all of them."""

    def __init__(
        self, kernels: list[Kernel], shape: tuple[int, int, int], halo: tuple[int, int, int]
    ) -> None:
        """Prepare for boxes of `shape`, which have a halo of `halo` voxels around them."""
        self.shape, self.halo = shape, halo
        self._padded = tuple(
            fft.next_fast_len(n + 2 * h, real=True) for n, h in zip(shape, halo, strict=True)
        )
        self._transfers = [self._transfer(kernel) for kernel in kernels]

    def __call__(self, light: Volume, used: list[int]) -> Iterator[Volume]:
        """Convolve a box that has its halo around it with some of the kernels; gives it without, one after another."""
        spectrum = fft.rfftn(light, self._padded)
        inside = tuple(slice(h, h + n) for n, h in zip(self.shape, self.halo, strict=True))
        for k in used:
            # The last may have the spectrum itself.
            product = np.multiply(spectrum, self._transfers[k], out=spectrum if k == used[-1] else None)
            found = fft.irfftn(product, self._padded, overwrite_x=True)[inside]
            yield np.maximum(found, 0).astype(np.float32, copy=False)

    def _transfer(self, kernel: Kernel) -> np.ndarray:
        """Transform of the kernel with its middle at the first voxel."""
        padded = np.zeros(self._padded, np.float32)
        padded[tuple(slice(n) for n in kernel.shape)] = kernel
        rolled = np.roll(padded, tuple(-(n // 2) for n in kernel.shape), axis=(0, 1, 2))
        return fft.rfftn(rolled)
