"""Images as metrics take them: channels first, with the range of their values given."""

import numpy as np
from jaxtyping import Float
from numpy.typing import DTypeLike

from ..core.errors import InputError


def check_range(data_range: float | tuple[float, float]) -> tuple[float, float]:
    """Lowest and highest value there can be."""
    low, high = data_range if isinstance(data_range, tuple) else (0.0, data_range)
    if not -np.inf < low < high < np.inf:
        raise InputError(
            f"data_range is {data_range}; needs the largest possible value, or (lowest, highest)"
        )
    return float(low), float(high)


def check_image(image: np.ndarray, name: str, data_range: tuple[float, float]) -> None:
    """Refuse an image that cannot be judged; `name` says which it is."""
    if image.dtype.kind not in "iuf":
        raise InputError(f"{name} is {image.dtype}; images are integers or floats")
    if image.ndim not in (2, 3, 4) or image.size == 0:
        raise InputError(f"{name} has shape {image.shape}; images are (Y, X), (C, Y, X) or (C, Z, Y, X)")
    if image.ndim == 3 and image.shape[2] in (3, 4) and image.shape[0] > 4:
        raise InputError(
            f"{name} has shape {image.shape}; channels come first, so turn it with np.moveaxis(image, -1, 0)"
        )
    low, high = float(image.min()), float(image.max())  # NaN comes through
    if np.isnan(low) or np.isinf(low) or np.isinf(high):
        bad = np.count_nonzero(~np.isfinite(image))
        raise InputError(
            f"{name} has {bad} NaN or infinite values; leave out such images or fill what is missing"
        )
    if low < data_range[0] or high > data_range[1]:
        raise InputError(
            f"{name} has values from {low:g} to {high:g}, out of data_range {data_range[0]:g} to {data_range[1]:g}; "
            "give the range that the values can have, or clip them"
        )


def scaled(
    image: np.ndarray, data_range: tuple[float, float], dtype: DTypeLike = np.float64
) -> Float[np.ndarray, "c *zyx"]:
    """Values from `data_range` to [0, 1], channels first; not copied where nothing is to do."""
    low, high = data_range
    values = image.astype(dtype, copy=False)
    if (low, high) != (0.0, 1.0):
        values = (values - values.dtype.type(low)) / values.dtype.type(high - low)
    return values if values.ndim > 2 else values[None]
