"""Images from closed formulas, so that stored values of other implementations belong to them for good."""

import numpy as np


def waves(shape: tuple[int, ...], n_channels: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Reference and candidate, (C, Y, X) floats in [0, 1]: bands, blobs and an edge; faded, striped and shifted."""
    y, x = np.indices(shape)
    reference, candidate = np.zeros((2, n_channels, *shape))
    for c in range(n_channels):
        bands = np.sin(0.11 * x + 0.07 * y + c) * np.cos(0.05 * y - 0.9 * c)
        blobs = np.exp(-(((x % 41) - 20.0) ** 2 + ((y % 37) - 18.0) ** 2) / (60.0 + 20 * c))
        edge = x > 0.6 * shape[1] + 9 * c
        reference[c] = np.clip(0.35 + 0.2 * bands + 0.4 * blobs + 0.15 * edge, 0, 1)
        stripes = np.sin(1.3 * x - 0.8 * y) * (y > shape[0] / 3)
        candidate[c] = np.clip(0.85 * np.roll(reference[c], 1, axis=1) + 0.06 + 0.05 * stripes, 0, 1)
    return reference, candidate
