"""Point spread functions by the path through tissue, with what scattering adds to them."""

import numpy as np

from .psfs import AbstractPsf, Kernel
from .psfs._scatter import widened

Layers = tuple[tuple[float, AbstractPsf], ...]
"""Point spread functions by the path through tissue, ascending."""

_SCATTER_LAYERS = 4
"""Depths at which the blur of scattering is computed; in between it blends."""


def layers_of(
    layers: Layers, scattering_um: float, voxel_um: tuple[float, float, float], farthest_um: float
) -> list[tuple[float, Kernel]]:
    """Kernels by path through tissue, with what scattering adds to them."""
    given = [(path_um, psf.kernel(voxel_um)) for path_um, psf in layers]
    if scattering_um == 0 or farthest_um == 0:
        return given
    places = sorted(
        {place for place, _ in given} | set(np.linspace(0, farthest_um, _SCATTER_LAYERS).tolist())
    )
    found = []
    for place in places:
        found.append((place, widened(_blended(given, place), scattering_um * place / 100, voxel_um)))
    return found


def _blended(given: list[tuple[float, Kernel]], place: float) -> Kernel:
    """What holds at a path: the mean of the kernels of the layers on both sides, by how near they are."""
    above = [item for item in given if item[0] <= place]
    below = [item for item in given if item[0] > place]
    if not above or not below:
        return above[-1][1] if above else below[0][1]
    (first, kernel), (last, other) = above[-1], below[0]
    share = (place - first) / (last - first)
    sides = [max(a, b) for a, b in zip(kernel.shape, other.shape, strict=True)]
    total = np.zeros(sides, np.float32)
    for part, weight in ((kernel, 1 - share), (other, share)):
        middle = tuple(slice((n - m) // 2, (n + m) // 2) for n, m in zip(sides, part.shape, strict=True))
        total[middle] += np.float32(weight) * part
    return total


def in_focus(kernel: Kernel) -> Kernel:
    """The middle plane of a kernel as a kernel of one plane."""
    middle = kernel[kernel.shape[0] // 2][None]
    return (middle / middle.sum()).astype(np.float32)
