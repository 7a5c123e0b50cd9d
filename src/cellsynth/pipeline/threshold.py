"""Turn generated masks into instances."""

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

    from ..data.grey_images import GreyImages


_NECK = 0.9
"""The best of 0.7 to 0.95 on the masks of 56 fluorescence images of DSB2018: panoptic quality 0.946, undivided 0.868.
Of their encoding in three classes it is 0.991 without dividing the cores, and 0.954 with."""


@dataclass(frozen=True)
class MaskRule:
    """How grey values become objects; the options of the command."""

    method: Literal["half", "otsu", "minimum_cross_entropy"]
    level: float | None
    three_classes: bool
    dark: bool
    min_area_px: int
    max_hole_px: int
    min_area_um2: float | None
    max_hole_um2: float | None
    neck: float
    binary: bool

    def in_voxels(self, voxel_um: tuple[float, ...]) -> tuple[float, float]:
        """Smallest object and largest hole, for voxels of this size."""
        size = prod(voxel_um)
        return (
            self.min_area_px if self.min_area_um2 is None else self.min_area_um2 / size,
            self.max_hole_px if self.max_hole_um2 is None else self.max_hole_um2 / size,
        )


@dataclass(frozen=True)
class _Job:
    images: "GreyImages"
    """Of one image."""

    rule: MaskRule
    out: Path
    """Folder to write into."""


@dataclass(frozen=True)
class Outcome:
    """What became of an image."""

    image: str
    level: float
    """Grey value from which on is foreground; NaN where every pixel has the same."""

    n_objects: int
    foreground: float
    """Share of the image."""

    problem: str | None = None
    """Why nothing was written."""


def threshold_images(
    images: Path | str,
    out: Path | str,
    *,
    method: Literal["half", "otsu", "minimum_cross_entropy"] = "half",
    level: float | None = None,
    three_classes: bool = False,
    dark: bool = False,
    min_area_px: int = 10,
    max_hole_px: int = 10,
    min_area_um2: float | None = None,
    max_hole_um2: float | None = None,
    neck: float | None = None,
    binary: bool = False,
    skip_empty: bool = False,
    channel: str | None = None,
    voxel_um: str | tuple[float, ...] | None = None,
    workers: int | None = None,
    quiet: bool = False,
) -> Path:
    """Turn masks of a generator or a network into label images: binarise, clean, divide what touches.

    Parameters
    ----------
    images
        Folder of images or volumes (PNG, TIFF, JPEG, OME-Zarr), one of these, or a dataset folder. Of colours the mean
        is taken.
    out
        Folder for the labels, a TIFF for each image; must not hold anything yet. `threshold.json` in it says what was
        done.
    method
        What is foreground: half of the range of the file's type and more, or above a threshold that is found in each
        image.
    level
        Grey value from which on is foreground, in place of a method.
    three_classes
        Read masks of background, rim and core (0, 127, 255 of 8 bits), as AD-GAN makes them: every core gets its rim.
    dark
        Cells are darker than their surroundings.
    min_area_px
        Drop objects of fewer pixels or voxels.
    max_hole_px
        Fill holes of up to so many pixels or voxels.
    min_area_um2
        The same as min-area-px in square micrometres, of volumes in cubic ones; needs the size of a pixel.
    max_hole_um2
        The same as max-hole-px in square micrometres, of volumes in cubic ones.
    neck
        Divide an object where it is narrower than this part of the narrower of its two sides, 0 to 1; 0 divides
        nothing. More divides more. By default 0.9; cores of three classes are divided only where it is asked for.
    binary
        Write masks of 0 and 255 in place of labels: PNG, or TIFF of volumes. Nothing is divided.
    skip_empty
        Leave out images in which nothing is found, in place of refusing them.
    channel
        Channel of colour images: red, green, blue, mean, or a number from 0.
    voxel_um
        Size of a pixel in micrometres, one number or one per axis: `0.5` or `2,0.5,0.5`. By default what the files say;
        without it lengths are in pixels.
    workers
        Processes or threads; by default one per core. The result does not depend on it.
    quiet
        Show no progress.
    """
    import dataclasses

    from .. import __version__
    from ..core.errors import InputError
    from ..core.parallel import worker_pool
    from ..data.grey_images import read_grey_images
    from ..data.image_set import raise_together
    from ..io.tables import plain, write_json
    from ._lengths import parse_voxel, per_axis
    from ._progress import Progress
    from ._run_folder import made_whole, require_new

    areas = (min_area_px, max_hole_px, min_area_um2, max_hole_um2)
    undivided = three_classes or binary
    rule = MaskRule(
        method,
        level,
        three_classes,
        dark,
        *areas,
        (0.0 if undivided else _NECK) if neck is None else neck,
        binary,
    )
    _check(rule)
    given = parse_voxel(voxel_um)
    target = require_new(out)
    assert target is not None
    found = read_grey_images(Path(images), channel=channel, colours="mean", may_be_jpeg=True)
    if given is not None:
        sizes = {n: per_axis("--voxel-um", given, len(h.shape_px)) for n, h in found.headers.items()}
        found = dataclasses.replace(found, voxel_um=sizes)
    _check_scales(rule, found)
    progress = Progress(is_quiet=quiet)
    with made_whole(target) as folder, worker_pool(workers) as pool:
        jobs = [_Job(found.take(name), rule, folder) for name in found.names]
        outcomes = list(progress.track(pool.map(_threshold, jobs), "threshold", len(jobs)))
        empty = [f"{found.headers[o.image].path}: {o.problem}" for o in outcomes if o.problem]
        if not skip_empty:
            raise_together(found.source, empty)
        elif len(empty) == len(outcomes):
            raise InputError(f"{found.source}: nothing is found in any of {len(outcomes)} images; {empty[0]}")
        record = {
            "cellsynth_version": __version__,
            "settings": {**dataclasses.asdict(rule), "channel": channel, "voxel_um": given},
            "images": [dataclasses.asdict(outcome) for outcome in outcomes],
        }
        write_json(folder / "threshold.json", plain(record))
    if empty:
        progress.say(f"{len(empty)} of {len(outcomes)} images left out, as nothing is found in them")
    progress.say(
        f"{sum(o.n_objects for o in outcomes)} objects in {len(outcomes) - len(empty)} images: {target}"
    )
    return target


def _check(rule: MaskRule) -> None:
    from ..core.errors import RecipeError

    areas = {
        "--min-area-px": rule.min_area_px,
        "--max-hole-px": rule.max_hole_px,
        "--min-area-um2": rule.min_area_um2,
        "--max-hole-um2": rule.max_hole_um2,
    }
    for option, area in areas.items():
        if area is not None and not 0 <= area < float("inf"):
            raise RecipeError(f"{option} is {area:g}; a number from 0 up")
    if not 0 <= rule.neck <= 1:
        raise RecipeError(f"--neck is {rule.neck:g}; a part of a width, so 0 to 1")
    if rule.binary and rule.neck:
        raise RecipeError(
            f"--neck {rule.neck:g} and --binary: a mask has no objects to divide; leave out one"
        )
    if rule.level is not None and rule.method != "half":
        raise RecipeError(f"--level {rule.level:g} and --method {rule.method}: give one of both")
    if rule.three_classes and (rule.level is not None or rule.method != "half"):
        raise RecipeError(
            "--three-classes reads at a quarter and three quarters of the range; leave out --level and --method"
        )


def _check_scales(rule: MaskRule, images: "GreyImages") -> None:
    from ..core.errors import InputError

    unknown = [name for name in images.names if name not in images.voxel_um]
    if unknown and not (rule.min_area_um2 is None and rule.max_hole_um2 is None):
        raise InputError(
            f"{images.headers[unknown[0]].path}: does not say the size of a pixel, and areas are asked for in um2; "
            "give it with --voxel-um, or areas in pixels: --min-area-px, --max-hole-px"
        )


def _threshold(job: _Job) -> Outcome:
    """Work on one image and write the result."""
    import numpy as np

    from ..io.labels import write_labels
    from ..io.png import write_png
    from ..io.tiff import write_tiff

    name = job.images.names[0]
    image = job.images.load(name).astype(np.float32)
    if image.min() == image.max():
        return Outcome(
            name,
            float("nan"),
            0,
            0.0,
            f"every pixel has the same value ({image.flat[0]:g}); there is nothing in it",
        )
    known = job.images.voxel_um.get(name)
    level, labels = _objects(job, image, known or (1.0,) * image.ndim)
    n_objects = int(labels.max(initial=0))
    if n_objects == 0:
        least, _ = job.rule.in_voxels(known or (1.0,) * image.ndim)
        return Outcome(name, level, 0, 0.0, _nothing(job.rule, level, least, image))
    if not job.rule.binary:
        write_labels(job.out / f"{name}.tif", labels, voxel_um=known, is_synced=False)
    else:
        mask = np.where(labels > 0, np.uint8(255), np.uint8(0))
        if image.ndim == 2:
            write_png(job.out / f"{name}.png", mask, known)
        else:
            write_tiff(job.out / f"{name}.tif", mask, axes="ZYX", voxel_um=known, is_synced=False)
    return Outcome(name, level, n_objects, float(np.mean(labels > 0)))


def _objects(job: _Job, image: "np.ndarray", voxel_um: tuple[float, ...]) -> "tuple[float, np.ndarray]":
    """Threshold and labels."""
    from ..extract.instances import instances_of, level_of
    from ..extract.three_classes import decode_three_classes

    rule = job.rule
    min_area, max_hole = rule.in_voxels(voxel_um)
    if rule.three_classes:
        full_scale = _full_scale(job, image)
        labels = decode_three_classes(
            full_scale - image if rule.dark else image,
            full_scale,
            voxel_um,
            min_area_px=min_area,
            max_hole_px=max_hole,
            neck=rule.neck,
        )
        return full_scale / 4, labels
    level = rule.level
    if level is None:
        level = level_of(image, rule.method, _full_scale(job, image) if rule.method == "half" else 1.0)
    mask = image < level if rule.dark else image >= level
    return level, instances_of(mask, voxel_um, neck=rule.neck, min_area_px=min_area, max_hole_px=max_hole)


def _full_scale(job: _Job, image: "np.ndarray") -> float:
    """Largest value that the image could have; of floating point 1, as long as all lies in 0 to 1."""
    from ..core.errors import InputError

    name = job.images.names[0]
    known = job.images.full_scale(name)
    if known is not None:
        return known
    if image.min() < 0 or image.max() > 1:
        raise InputError(
            f"{job.images.headers[name].path}: values are {job.images.headers[name].dtype} from {image.min():g} to "
            f"{image.max():g}, whose full range is not known; give --level or --method otsu, or save it as 8 or 16 bit"
        )
    return 1.0


def _nothing(rule: MaskRule, level: float, least: float, image: "np.ndarray") -> str:
    side = "below" if rule.dark else "at or above"
    share = float((image < level).mean() if rule.dark else (image >= level).mean())
    way_out = "leave out --three-classes" if rule.three_classes else "give another --level or --method"
    return (
        f"nothing is found: {share:.2%} of the pixels are {side} the threshold {level:g} (values are {image.min():g} "
        f"to {image.max():g}), and no object has {least:g} of them; {way_out}, or ask for less --min-area-"
        f"{'px' if rule.min_area_um2 is None else 'um2'}"
    )
