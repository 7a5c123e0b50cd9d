"""Files of random weights for networks of full size: what is published cannot be had everywhere."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from cellsynth.core.registry import Plugin


def random_weights(shapes: Mapping[str, tuple[int, ...]], seed: int = 0) -> dict[str, np.ndarray]:
    """Weights that keep the size of what runs through the network; heads of LPIPS are not negative."""
    rng = np.random.default_rng(seed)
    return {name: _random(rng, name, shape) for name, shape in shapes.items()}


def _random(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> np.ndarray:
    if name.startswith("heads."):
        values = rng.uniform(0, 0.1, shape)
    elif name.endswith("running_var"):
        values = rng.uniform(0.5, 1.5, shape)
    elif name.endswith("bn.weight"):
        values = rng.uniform(0.8, 1.2, shape)
    elif len(shape) > 1:
        values = rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)
    else:
        values = rng.normal(0, 0.1, shape)
    return values.astype(np.float32)


def with_weights(method: Plugin, folder: Path) -> Plugin:
    """The method with random weights, of a file that is made in `folder` the first time; or as it is."""
    write = {"lpips": lpips_file, "fid": inception_file, "kid": inception_file}.get(method.kind)
    if write is None:
        return method
    pytest.importorskip("torch", reason='pip install "cellsynth[learn]"')
    path = folder / f"{write.__name__}.npz"
    return method.model_copy(update={"weights": path if path.exists() else write(path)})


def lpips_file(path: Path, net: str = "alex") -> Path:
    """Write an .npz of LPIPS with its heads."""
    from cellsynth.nets.arrays import shapes_of
    from cellsynth.nets.lpips import Lpips

    np.savez(path, **random_weights(shapes_of(Lpips(net))))
    return path


def inception_file(path: Path) -> Path:
    """Write an .npz of Inception-v3."""
    from cellsynth.nets.arrays import shapes_of
    from cellsynth.nets.inception import InceptionV3

    np.savez(path, **random_weights(shapes_of(InceptionV3())))
    return path
