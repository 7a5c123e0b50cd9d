"""Small real images that the package carries; `ATTRIBUTION.md` and `LICENSES/` say whose they are.

Data only: nothing but the standard library is imported here.
"""

import shutil
from pathlib import Path

_HERE = Path(__file__).parent
_LABELLED = "dsb_tile*.png"
_UNLABELLED = "bbbc007_*.png"


def demo_images() -> list[Path]:
    """Grey fluorescence images of nuclei, 8 bit, of 256 to 450 pixels a side; ten files, sorted."""
    return sorted([*_HERE.glob(f"images/{_LABELLED}"), *_HERE.glob(f"images/{_UNLABELLED}")])


def demo_labels() -> list[Path]:
    """Labels that people drew, for four of `demo_images` with the same stems; sorted.

    The package also carries labels of the other images. An algorithm made those, so no score rests on them.
    """
    return sorted(_HERE.glob(f"labels/{_LABELLED}"))


def copy_demo(folder: Path) -> tuple[Path, Path]:
    """Copy the demo's images and human labels to where a person can look at them and a command can read them.

    Files that are there already with the same content are left alone, so an interrupted copy can be repeated.

    Returns
    -------
    images, labels
        `folder/images` and `folder/labels`.

    Raises
    ------
    FileExistsError
        If one of the names is taken by something else; nothing of it is overwritten.
    """
    images, labels = folder / "images", folder / "labels"
    for target, sources in ((images, demo_images()), (labels, demo_labels())):
        target.mkdir(parents=True, exist_ok=True)
        for source in sources:
            _copy(source, target / source.name)
    return images, labels


def _copy(source: Path, target: Path) -> None:
    if target.exists():
        if target.read_bytes() != source.read_bytes():
            raise FileExistsError(
                f"{target} exists and is not the packaged {source.name}; choose another folder"
            )
        return
    partial = target.with_name(f".{target.name}.partial")
    shutil.copyfile(source, partial)
    partial.replace(target)
