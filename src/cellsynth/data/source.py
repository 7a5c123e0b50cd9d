"""Read whatever a user names as images: a dataset folder, a plain folder, or one file."""

from pathlib import Path

from ..core.errors import InputError
from .channels import Channel
from .dataset import is_dataset, open_dataset
from .folder import read_folder
from .image_set import ImageSet


def read_any(
    path: Path,
    labels: Path | None = None,
    *,
    channel: Channel = None,
    voxel_um: tuple[float, float] | float | None = None,
) -> ImageSet:
    """Open a dataset folder, or read a plain folder of images or one image; see `read_folder`.

    Raises
    ------
    InputError
        If it is neither, or if options for plain folders are given with a dataset.
    """
    path = Path(path)
    if not is_dataset(path):
        return read_folder(path, labels, channel=channel, voxel_um=voxel_um)
    if labels is not None or channel is not None or voxel_um is not None:
        raise InputError(
            f"{path}: is a dataset, which knows its labels, channel and pixel size; leave these options out, or give "
            f"its folder of images ({path / 'images'})"
        )
    return open_dataset(path)
