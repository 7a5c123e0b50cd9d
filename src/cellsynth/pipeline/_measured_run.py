"""Segment one image and say how long it took and how much memory it needed at most.

Both are those of the method on the image alone, whatever the process did before: it is warm, and holds no freed memory.
"""

import ctypes
import gc
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import InputError
from ..core.grid import Grid
from ..core.types import Image
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
    _warm_up(job.config, sample.grid, sample.image)
    before_mb = begun = math.nan
    try:
        segment = _built_once(job.config, sample.grid)
        before_mb = _reset_peak()
        begun = time.perf_counter()
        labels = segment(sample.image)
        seconds, peak_mb = time.perf_counter() - begun, _taken_mb(before_mb)
        if labels.shape != sample.grid.shape_px:
            raise ValueError(f"labels are {labels.shape} and the image is {sample.grid.shape_px}")
    except (Exception, SystemExit) as error:
        seconds = time.perf_counter() - begun
        reason = f"{type(error).__name__}: {error}"
        return Outcome(job.method, sample.name, 0, seconds, _taken_mb(before_mb), reason)
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
_warm: set[str] = set()

_WARM_UP_PX = 256
"""Side of what a method is warmed up on: some cells, so that every part of it runs, and little time."""


def _built_once(config: dict[str, Any], grid: Grid) -> Any:
    """The segmenter, built once per process, as a network takes long to load."""
    key = (_text_of(config), grid.model_dump_json())
    if key not in _built:
        if len(_built) > 64:
            _built.clear()
        _built[key] = registry.parse(config).build(grid)
    return _built[key]


def _warm_up(config: dict[str, Any], grid: Grid, image: Image) -> None:
    """Run a method once per process on the middle of an image: it imports, compiles and loads what it needs.

    Whatever fails here fails in the measured run again, and is told there.
    """
    if _text_of(config) in _warm:
        return
    _warm.add(_text_of(config))
    middle = [slice(max(n - _WARM_UP_PX, 0) // 2, (n + _WARM_UP_PX) // 2) for n in grid.shape_px]
    part = np.ascontiguousarray(image[:, *middle])
    try:
        _built_once(config, grid.model_copy(update={"shape_px": part.shape[1:]}))(part)
    except (Exception, SystemExit):
        return


def _text_of(config: dict[str, Any]) -> str:
    return repr(sorted(config.items()))


def _reset_peak() -> float:
    """Resident memory now, after the kernel was told to count the peak anew; NaN where it cannot be told.

    What was freed goes back to the system first: a method that takes it again would seem to need nothing.
    """
    if sys.platform != "linux":
        return math.nan
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc; others give freed arrays back at once
    if trim is not None:
        trim(0)
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
