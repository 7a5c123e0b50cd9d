"""Features of Inception-v3: what FID and KID compare images by."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import PositiveInt

from ...core.errors import InputError
from ...io.fetch import PublishedFile
from ...io.weights import match_weights, read_weights
from ..networks import WeightsFile, require_torch, version_of, weights_path
from ._set import PictureSet
from .base import AbstractFeatures, FeatureFn, Features, registry

if TYPE_CHECKING:
    from ...nets.inception import InceptionV3

PUBLISHED = PublishedFile(
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
    sha256="6726825d",
    max_bytes=128_000_000,
    licence="Apache-2.0, the authors of TensorFlow, converted by M. Seitzer",
)


@registry.register
class Inception(AbstractFeatures):
    """The 2048 features of Inception-v3 [1]_ that FID and KID are defined by, of photographs of everyday things.

    The network is that of TensorFlow of December 2015, in either published conversion: that of pytorch-fid
    (`pt_inception-2015-12-05-6726825d.pth`) or of torch-fidelity (`weights-inception-2015-12-05-6726825d.pth`), with
    the same arrays. Needs PyTorch: `pip install "cellsynth[learn]"`.

    Images are 2D. A grey image stands for RGB with equal channels. Values go from `data_range` to [0, 1] and are not
    rounded: 8-bit images with a `data_range` of 255 are handed over as the published programs do, others keep their
    finer steps. Then they are resized to 299 pixels.

    References
    ----------
    .. [1] C. Szegedy et al., "Rethinking the Inception architecture for computer vision", CVPR 2016; with the
       variations of M. Heusel et al., NIPS 2017.
    """

    kind: Literal["inception"] = "inception"

    never_named: ClassVar[tuple[str, ...]] = ("batch_size",)

    weights: WeightsFile = None
    """File of the weights, or `fetch` to download the published ones once (96 MB, Apache-2.0). There are none by
    default."""

    preprocessing: Literal["pytorch_fid", "tensorflow"] = "pytorch_fid"
    """Resize and range. `pytorch_fid`: bilinear between centres of pixels, 2 v - 1. `tensorflow`, of the first FID and
    of torch-fidelity: bilinear between corners, (255 v - 128) / 128. Neither filters against aliasing. Values of one do
    not compare with those of the other."""

    batch_size: PositiveInt = 16
    """Images that the network sees at a time; changes memory and speed alone."""

    def build(self, device: str = "cpu") -> FeatureFn:
        require_torch("inception")
        from ...nets.inception import N_FEATURES, as_pytorch_fid, as_tensorflow, features_of

        path = weights_path(self.weights, PUBLISHED, "inception: weights")
        network = load_inception(path, version_of(path), device)
        prepare: Callable[[Any], Any] = {"pytorch_fid": as_pytorch_fid, "tensorflow": as_tensorflow}[
            self.preprocessing
        ]

        def features(pictures: PictureSet) -> Features:
            _check_pictures(pictures)
            rows, batch = [], []
            for i, picture in enumerate(pictures, start=1):
                batch.append(np.broadcast_to(picture.image, (3, *picture.image.shape[1:])))
                if len(batch) == self.batch_size or i == len(pictures):
                    rows.append(features_of(network, batch, prepare))
                    batch = []
            return Features(np.concatenate(rows).astype(np.float64), ("inception",) * N_FEATURES)

        return features


@lru_cache(maxsize=1)
def load_inception(path: Path, version: object, device: str = "cpu") -> "InceptionV3":
    """Network with the weights of a file, kept for the next set of images.

    Parameters
    ----------
    version
        What `version_of` says of the file, so that a file that was replaced is read again.

    Raises
    ------
    InputError
        If the file cannot be read, or holds the weights of another network.
    """
    from ...nets.arrays import fill, shapes_of
    from ...nets.inception import InceptionV3

    network = InceptionV3()
    found = read_weights(path)
    fill(
        network,
        match_weights(
            found,
            shapes_of(network),
            path,
            "Inception-v3 of FID (pt_inception-2015-12-05-6726825d.pth; torchvision's own is another network)",
            ignored=("num_batches_tracked",),
        ),
        device,
    )
    return network


def _check_pictures(pictures: PictureSet) -> None:
    if pictures.ndim != 2:
        raise InputError(
            "Inception-v3 takes 2D images, and the set holds volumes; give their slices as images: "
            "PictureSet([plane for volume in volumes for plane in np.moveaxis(volume, 1, 0)], data_range=...)"
        )
    if pictures.n_channels not in (1, 3):
        raise InputError(
            f"Inception-v3 takes grey or RGB images, and the set has {pictures.n_channels} channels; give one "
            "channel at a time"
        )
