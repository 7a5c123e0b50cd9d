"""Segment one image and say how long it took and how much memory the process had at most."""

import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import InputError
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
    """Memory that it took at most, beyond what the process held before; NaN where the system does not say."""
    error: str | None = None
    """What the method failed with; then nothing was written."""


def run_job(job: Job) -> Outcome:
    """Segment and write the labels; a method that fails is an outcome, not an error."""
    job.out.unlink(missing_ok=True)  # a damaged one must not outlive a failure
    sample = job.entry.load()
    before_mb = _reset_peak()
    begun = time.perf_counter()
    try:
        labels = _segment(job.config, sample.grid, sample.image)
    except (Exception, SystemExit) as error:
        seconds = time.perf_counter() - begun
        reason = f"{type(error).__name__}: {error}"
        return Outcome(job.method, sample.name, 0, seconds, _taken_mb(before_mb), reason)
    seconds, peak_mb = time.perf_counter() - begun, _taken_mb(before_mb)
    voxel_um = sample.grid.voxel_um if sample.grid.is_scale_known else None
    write_labels(job.out, labels, voxel_um=voxel_um)
    return Outcome(job.method, sample.name, int(labels.max(initial=0)), seconds, peak_mb)


def died(job: Job, how: str) -> Outcome:
    """Outcome of a job that brought its process down, for `WorkerPool.map`."""
    nothing = float("nan")
    return Outcome(job.method, job.entry.name, 0, nothing, nothing, crashed(how))


def crashed(how: str) -> str:
    """What is said of a method whose process died."""
    memory = ", mostly because memory ran out" if how.endswith("SIGKILL") else ""
    return f"crashed: its process {how}{memory}"


def earlier_outcome(job: Job) -> Outcome:
    """What is still known of a job whose labels an interrupted run left; its time and memory are not."""
    labels = read_label_file(job.out, may_be_mask=True)
    return Outcome(job.method, job.entry.name, int(labels.max(initial=0)), float("nan"), float("nan"))


def is_done(job: Job, earlier: Outcome | None) -> bool:
    """Whether an earlier run did the job: it failed then, or its label file is there and whole."""
    if earlier is not None and earlier.error:
        return True
    return earlier is not None and has_labels(job)


def has_labels(job: Job) -> bool:
    """Whether the label file of a job is there and can be read."""
    if not job.out.exists():
        return False
    try:
        return read_label_file(job.out, may_be_mask=True).shape == job.entry.grid.shape_px
    except InputError:
        return False


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


def _reset_peak() -> float:
    """Resident memory now, after the kernel was told to count the peak anew; NaN where it cannot be told."""
    if sys.platform != "linux":
        return math.nan
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return math.nan
    return _memory_mb("VmRSS")


def _taken_mb(before_mb: float) -> float:
    """Peak since the reset above what was there before."""
    return math.nan if math.isnan(before_mb) else max(_memory_mb("VmHWM") - before_mb, 0.0)


def _memory_mb(what: str) -> float:
    """A line of the kernel's account of this process, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) / 1024
    return math.nan
