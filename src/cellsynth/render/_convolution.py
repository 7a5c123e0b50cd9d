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
        """Convolve a box that has its halo around it with some of the kernels; gives it without, one after another.

        Where no light comes to there may be a little less than none.
        """
        spectrum = fft.rfftn(light, self._padded)
        for k in used:
            # The last may have the spectrum itself.
            product = np.multiply(spectrum, self._transfers[k], out=spectrum if k == used[-1] else None)
            yield self._back(product)

    def _back(self, spectrum: np.ndarray) -> Volume:
        """The light that has a spectrum, without its halo, which is left out as soon as an axis is done."""
        z, y, x = (slice(h, h + n) for n, h in zip(self.shape, self.halo, strict=True))
        planes = fft.ifft(spectrum, axis=0, overwrite_x=True)[z]
        rows = fft.ifft(planes, axis=1, overwrite_x=True)[:, y]
        return fft.irfft(rows, self._padded[2], axis=2, overwrite_x=True)[:, :, x]

    def _transfer(self, kernel: Kernel) -> np.ndarray:
        """Transform of the kernel with its middle at the first voxel."""
        padded = np.zeros(self._padded, np.float32)
        padded[tuple(slice(n) for n in kernel.shape)] = kernel
        rolled = np.roll(padded, tuple(-(n // 2) for n in kernel.shape), axis=(0, 1, 2))
        transfer = fft.rfftn(rolled)
        # Of a symmetric kernel it is real: half the memory to go through.
        mirrored = kernel[::-1, ::-1, ::-1]
        is_symmetric = np.abs(kernel - mirrored).max() <= 1e-6 * np.abs(kernel).max()
        return np.ascontiguousarray(transfer.real) if is_symmetric else transfer
