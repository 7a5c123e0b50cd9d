"""Two images on one another: added until the sensor is full, or mixed."""

from typing import Any, Literal

import numpy as np
from jaxtyping import Num

Mode = Literal["saturate", "alpha"]

Pixels = Num[np.ndarray, "..."]


def composite(
    below: Pixels, above: Pixels, mode: Mode = "saturate", alpha: float = 1.0, largest: int | None = None
) -> np.ndarray:
    """Put one image over another of the same shape and type.

    Parameters
    ----------
    below, above : (C, Z, Y, X) or (C, Y, X)
        Integers of a sensor, or floats in [0, 1]. One channel goes over each of several.
    mode
        `saturate`: `below + alpha * above`, at most the largest value. `alpha`: `(1 - alpha) * below +
        alpha * above`.
    alpha
        In `alpha` from 0 to 1.
    largest
        Largest value of the sensor; by default that of the type.

    Returns
    -------
    image : as `below`
        Integers are rounded once.

    Raises
    ------
    TypeError
        If the types differ.
    ValueError
        If the shapes do not go together, or `alpha` is out of range.
    """
    if below.dtype != above.dtype:
        raise TypeError(f"images are {below.dtype} and {above.dtype}; convert one of them")
    if below.shape[1:] != above.shape[1:] or (len(above) != len(below) and 1 not in (len(above), len(below))):
        raise ValueError(
            f"images have the shapes {below.shape} and {above.shape}; crop one, or take one channel"
        )
    if not alpha >= 0 or (mode == "alpha" and alpha > 1):
        raise ValueError(
            f"alpha is {alpha:g}; it is from 0 to 1 where images are mixed, and not negative where added"
        )
    if below.dtype.kind not in "iuf" or min(below.min(initial=0), above.min(initial=0)) < 0:
        raise ValueError(f"images are {below.dtype} with values below 0; values of a sensor are not negative")
    if below.dtype.kind == "f" and not max(below.max(initial=0), above.max(initial=0)) <= 1:
        raise ValueError(
            f"floating point goes up to {max(below.max(), above.max()):g}; it is from 0 to 1: divide by the full scale"
        )
    top: Any = 1.0
    if below.dtype.kind in "iu":
        top = np.iinfo(below.dtype).max if largest is None else largest
    a, b = below.astype(np.float64), above.astype(np.float64)
    mixed = a + alpha * b if mode == "saturate" else (1 - alpha) * a + alpha * b
    mixed = np.clip(mixed, 0, top)
    return (np.rint(mixed) if below.dtype.kind in "iu" else mixed).astype(below.dtype)
