"""Segment one image and say how long it took and how much memory the process had at most."""

import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.grid import Grid
from ..core.types import Labels
from ..data.image_set import Entry
from ..data.label_file import read_label_file
from ..io.labels import write_labels
from ..segment.base import registry


@dataclass(frozen=True)
class Job:
    """One image for one method."""

    entry: Entry

    method: str
    """Name in the results."""

    config: dict[str, Any]
    """Of the segmenter."""

    out: Path
    """Label file to write."""


@dataclass(frozen=True)
class Outcome:
    """What became of a job."""

    method: str
    image: str
    n_cells: int
    seconds: float
    peak_mb: float
    """Highest resident memory of the process while it segmented."""
    error: str | None = None
    """What the method failed with; then nothing was written."""


def run_job(job: Job) -> Outcome:
    """Segment and write the labels; a method that fails is an outcome, not an error."""
    sample = job.entry.load()
    _reset_peak()
    begun = time.perf_counter()
    try:
        labels = _segment(job.config, sample.grid, sample.image)
    except Exception as error:
        seconds = time.perf_counter() - begun
        reason = f"{type(error).__name__}: {error}"
        return Outcome(job.method, sample.name, 0, seconds, _peak_mb(), reason)
    seconds, peak_mb = time.perf_counter() - begun, _peak_mb()
    voxel_um = sample.grid.voxel_um if sample.grid.is_scale_known else None
    write_labels(job.out, labels, voxel_um=voxel_um)
    return Outcome(job.method, sample.name, int(labels.max(initial=0)), seconds, peak_mb)


def earlier_outcome(job: Job) -> Outcome:
    """What is still known of a job whose labels an interrupted run left; its time and memory are not."""
    labels = read_label_file(job.out, may_be_mask=True)
    return Outcome(job.method, job.entry.name, int(labels.max(initial=0)), float("nan"), float("nan"))


_built: dict[tuple[str, str], Any] = {}


def _segment(config: dict[str, Any], grid: Grid, image: Any) -> Labels:
    """Build the segmenter once per process, so that loading a network counts once."""
    key = (repr(sorted(config.items())), grid.model_dump_json())
    if key not in _built:
        if len(_built) > 64:
            _built.clear()
        _built[key] = registry.parse(config).build(grid)
    labels = _built[key](image)
    if labels.shape != image.shape[1:]:
        raise ValueError(f"labels are {labels.shape} and the image is {image.shape[1:]}")
    return labels


def _reset_peak() -> None:
    """Let the kernel count the peak anew, where it can (Linux)."""
    if sys.platform == "linux":
        try:
            Path("/proc/self/clear_refs").write_text("5")
        except OSError:
            return


def _peak_mb() -> float:
    """Peak resident memory since the reset; where there is no reset, since the process began."""
    if sys.platform == "linux":
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)
