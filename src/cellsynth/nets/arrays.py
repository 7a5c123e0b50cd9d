"""Between networks and NumPy."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

COUNTERS = "num_batches_tracked"
"""Last part of the name of what batch normalization counts while it trains; old files do not have it."""


def shapes_of(network: nn.Module) -> dict[str, tuple[int, ...]]:
    """Shape of every array of weights, by name; without counters."""
    return {
        name: tuple(tensor.shape)
        for name, tensor in network.state_dict().items()
        if not name.endswith(COUNTERS)
    }


def fill(network: nn.Module, weights: Mapping[str, np.ndarray], device: str = "cpu") -> None:
    """Copy weights into a network, which is fixed then: it predicts, on `device`, and does not train.

    `weights` has the names and shapes of `shapes_of`.
    """
    counters = {name: tensor for name, tensor in network.state_dict().items() if name.endswith(COUNTERS)}
    given = {name: torch.from_numpy(np.array(array)) for name, array in weights.items()}
    network.load_state_dict({**counters, **given})
    network.to(torch.device(device)).eval().requires_grad_(False)


def to_batch(images: list[np.ndarray], network: nn.Module) -> torch.Tensor:
    """Images of one shape, (C, Y, X), as a float32 batch where the network is."""
    batch = torch.from_numpy(np.stack(images).astype(np.float32, copy=False))
    return batch.to(next(network.parameters()).device)
