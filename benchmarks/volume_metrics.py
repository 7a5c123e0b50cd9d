"""Every metric of label volumes: outlines against SciPy; 512^3 in memory and from disk; 1024^3 from disk."""

import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.ndimage import distance_transform_edt

from cellsynth.core.blocks import cut
from cellsynth.evaluate.naming import parse_metrics
from cellsynth.evaluate.segmentation import AbstractMetric, LabelPair, registry
from cellsynth.io.ome_zarr_writer import write_block, written

from ._claim import Claim
from ._measure import Ran, compare, python, run
from .metrics import ball_field

OUTLINES = ("boundary_f1", "hausdorff95", "mean_surface_distance")
VOXEL_UM = (1.0, 0.5, 0.5)
SIDE_PX, TILE_PX, TILE_OBJECTS = 512, 256, 700


def claims() -> Iterator[Claim]:
    yield against_scipy()
    with tempfile.TemporaryDirectory() as folder:
        yield from of_512(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        yield from of_1024(Path(folder))


def against_scipy() -> Claim:
    """The two transforms of the whole volume that these metrics took before."""
    reference = ball_field((TILE_PX,) * 3, TILE_OBJECTS, np.uint16)
    prediction = shifted(reference)

    def ours() -> list[np.ndarray]:
        found = LabelPair(reference, prediction, VOXEL_UM).surfaces()[0]
        return [np.repeat(d.values_um, d.counts) for d in (found.reference, found.prediction)]

    def theirs() -> list[np.ndarray]:
        a, b = outline_of(reference > 0), outline_of(prediction > 0)
        return [to_nearest(a, b), to_nearest(b, a)]

    for mine, other in zip(ours(), theirs(), strict=True):
        np.testing.assert_allclose(mine, np.sort(other), rtol=1e-12)
    compared = compare(ours, theirs, n_repeats=3)
    return Claim(
        f"volume_metrics: pairs of {TILE_PX}^3 with {reference.max()} objects per second and core, all distances "
        "between outlines, against SciPy's distance transform",
        value=1 / compared.ours_s,
        reference=1 / compared.other_s,
        ratio=compared.ratio,
        interval=compared.interval,
        target=5,
    )


def of_512(folder: Path) -> Iterator[Claim]:
    """In memory in a process of its own, and by the command; equal numbers."""
    n = write_pair(folder, SIDE_PX, ball_field((SIDE_PX,) * 3, 5000, np.uint16))
    code = "from benchmarks.volume_metrics import measure_in_memory; measure_in_memory()"
    in_memory = run(python("-c", code))
    done = json.loads(in_memory.output.splitlines()[-1])
    what = f"{SIDE_PX}^3 uint16 with {n} objects, all {len(every_metric())} metrics"
    yield Claim(
        f"volume_metrics: seconds of a core for {what}, in memory",
        done["seconds"],
        target=10,
        direction="at most",
    )
    yield Claim(
        f"volume_metrics: largest memory of the process over that of the two volumes, {what}, in memory",
        in_memory.peak_mb / done["input_mb"],
        target=3,
        direction="at most",
        peak_mb=in_memory.peak_mb,
    )
    before = os.times()
    ran = evaluate(folder, workers=1)
    after = os.times()
    yield Claim(
        f"volume_metrics: seconds of a core for `cellsynth evaluate`, {what} and the table of objects, from OME-Zarr",
        after.children_user + after.children_system - before.children_user - before.children_system,
        target=30,
        direction="at most",
        peak_mb=ran.peak_mb,
    )
    yield Claim(
        f"volume_metrics: largest memory of `cellsynth evaluate` in MB, {what}, from OME-Zarr, one thread",
        ran.peak_mb,
        target=1000,
        direction="at most",
        peak_mb=ran.peak_mb,
    )
    scores = pd.read_parquet(folder / "out" / "scores.parquet").set_index("metric")["value"]
    yield Claim(
        f"volume_metrics: metrics that differ between memory and disk in any bit, of {len(scores)}",
        float(sum(scores[name] != value for name, value in done["scores"].items())),
        target=0,
        direction="at most",
    )


def of_1024(folder: Path) -> Iterator[Claim]:
    """Tiles of 256^3, so that no one needs the memory to make it."""
    n = write_pair(folder, 4 * TILE_PX, ball_field((TILE_PX,) * 3, TILE_OBJECTS, np.uint16))
    ran = evaluate(folder, workers=2)
    input_mb = 2 * (4 * TILE_PX) ** 3 * 2 / 1e6
    what = f"{4 * TILE_PX}^3 uint16 with {n} objects ({input_mb:,.0f} MB), all {len(every_metric())} metrics"
    yield Claim(
        f"volume_metrics: largest memory of `cellsynth evaluate` in MB, {what}, from OME-Zarr, two threads",
        ran.peak_mb,
        target=1000,
        direction="at most",
        seconds=ran.seconds,
        peak_mb=ran.peak_mb,
    )


def measure_in_memory() -> None:
    """Print seconds of one core, the size of the input and scores as JSON."""
    reference = ball_field((SIDE_PX,) * 3, 5000, np.uint16)
    prediction = shifted(reference)
    scores_of(LabelPair(reference[:64, :64, :64], prediction[:64, :64, :64], VOXEL_UM))  # compile
    pair = LabelPair(reference, prediction, VOXEL_UM)
    start = time.process_time()  # nothing here uses a second thread
    scores = scores_of(pair)
    found = {
        "seconds": time.process_time() - start,
        "input_mb": (reference.nbytes + prediction.nbytes) / 1e6,
        "scores": scores,
    }
    print(json.dumps(found))


def scores_of(pair: LabelPair) -> dict[str, float]:
    return {metric.name: metric.score(metric.measure(pair)) for metric in every_metric()}


def every_metric() -> list[AbstractMetric]:
    """One of each kind that needs no classes, and those of outlines for objects too."""
    kinds = [kind for kind in registry.names() if not registry.get(kind).needs_classes]
    return parse_metrics(",".join([*kinds, *(f"{kind}[of=objects]" for kind in OUTLINES)]))


def evaluate(folder: Path, workers: int) -> Ran:
    """The command, with all metrics and tables."""
    return run(
        python(
            *("-m", "cellsynth", "evaluate", str(folder / "prediction.zarr"), str(folder / "reference.zarr")),
            *("--metrics", ",".join(metric.name for metric in every_metric())),
            *("--workers", str(workers), "--out", str(folder / "out"), "--quiet"),
        )
    )


def write_pair(folder: Path, side_px: int, tile: np.ndarray) -> int:
    """Write tiles with ids of their own, and the same moved by two planes; gives the number of objects."""
    shape = (side_px,) * 3
    options = {"axes": "ZYX", "voxel_um": VOXEL_UM, "is_labels": True}
    n = int(tile.max())
    boxes = cut(shape, tile.shape)
    for side, labels in (("reference", tile), ("prediction", shifted(tile))):
        with written(folder / f"{side}.zarr", shape, np.uint16, **options) as draft:
            for i, box in enumerate(boxes):
                write_block(draft, box, np.where(labels > 0, labels + i * n, 0).astype(np.uint16))
    return n * len(boxes)


def shifted(labels: np.ndarray) -> np.ndarray:
    moved = np.zeros_like(labels)
    moved[2:] = labels[:-2]
    return moved


def outline_of(mask: np.ndarray) -> np.ndarray:
    outline = np.zeros_like(mask)
    for axis in range(mask.ndim):
        here, inside = np.moveaxis(outline, axis, 0), np.moveaxis(mask, axis, 0)
        is_step = inside[1:] != inside[:-1]
        here[1:] |= is_step & inside[1:]
        here[:-1] |= is_step & inside[:-1]
    return outline


def to_nearest(outline: np.ndarray, other: np.ndarray) -> np.ndarray:
    points = np.stack(np.nonzero(outline))
    nearest = np.asarray(
        distance_transform_edt(~other, sampling=VOXEL_UM, return_distances=False, return_indices=True)
    )
    steps_um = (nearest[(slice(None), *points)] - points) * np.array(VOXEL_UM)[:, None]
    return np.sqrt((steps_um**2).sum(axis=0))
