"""Array aliases that carry their axes: `C` channels, then `Z Y X` (2D has no `Z`)."""

import numpy as np
from jaxtyping import Bool, Float, Float32, Integer

Image = Float32[np.ndarray, "c *zyx"]
"""Intensities in [0, 1], channels first."""

Plane = Float32[np.ndarray, "*zyx"]
"""One channel of an image."""

Labels = Integer[np.ndarray, "*zyx"]
"""Instances: 0 background, ids from 1."""

Mask = Bool[np.ndarray, "*zyx"]
"""Foreground of one kind."""

Points = Float[np.ndarray, "n d"]
"""Positions or sizes, one row per object, in `zyx` order."""
