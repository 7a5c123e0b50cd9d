"""Tensor aliases that carry their axes: `B` batch, `C` channels, then `Y X`."""

import torch
from jaxtyping import Float

Batch = Float[torch.Tensor, "b c y x"]
"""Images, or the maps that a layer takes."""

Maps = Float[torch.Tensor, "b k v u"]
"""What is made of them, with channels and a size of its own."""

Vectors = Float[torch.Tensor, "b d"]
"""One row per image."""

Scores = Float[torch.Tensor, "b k"]
"""What is made of vectors, or of images in pairs."""
