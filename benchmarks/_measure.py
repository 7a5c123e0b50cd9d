"""Fair measurements: both sides in one run, in random order, with intervals; memory of whole process trees."""

import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import numpy as np
import psutil

from ._claim import Interval

N_RESAMPLES = 2000
_ENVIRONMENT = dict(os.environ)  # as the user has it, before `one_thread`


@dataclass(frozen=True)
class Comparison:
    """Two sides that did the same work."""

    ours_s: float
    """Median."""

    other_s: float
    """Median."""

    ratio: float
    """`other_s / ours_s`: how many times faster ours is."""

    interval: Interval
    """95 % of `ratio`, by bootstrap over the repeats."""


def compare(ours: Callable[[], object], other: Callable[[], object], n_repeats: int = 7) -> Comparison:
    """Time two functions alternately, in random order, after one call of each to warm up."""
    times: dict[Callable[[], object], list[float]] = {ours: [], other: []}
    rng = np.random.default_rng(0)
    for side in times:
        side()
    for _ in range(n_repeats):
        for side in rng.permutation(np.array(list(times), object)):
            times[side].append(seconds_of(side))
    a, b = np.array(times[ours]), np.array(times[other])
    resampled = [
        np.median(rng.choice(b, b.size)) / np.median(rng.choice(a, a.size)) for _ in range(N_RESAMPLES)
    ]
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Comparison(
        float(np.median(a)),
        float(np.median(b)),
        float(np.median(b) / np.median(a)),
        (float(low), float(high)),
    )


def repeat(function: Callable[[], object], n_repeats: int = 7) -> tuple[float, Interval]:
    """Median seconds of a function, and its 95 % interval, after one call to warm up."""
    function()
    times = [seconds_of(function) for _ in range(n_repeats)]
    return float(np.median(times)), interval_of_median(times)


def interval_of_median(values: Sequence[float]) -> Interval:
    """95 % interval by bootstrap."""
    resampled = np.random.default_rng(0).choice(np.asarray(values), (N_RESAMPLES, len(values)))
    low, high = np.percentile(np.median(resampled, axis=1), [2.5, 97.5])
    return float(low), float(high)


def seconds_of(function: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


@dataclass(frozen=True)
class Ran:
    """A command that ended well."""

    seconds: float
    output: str
    peak_mb: float
    """Resident memory of the process and all its descendants, added up; pages that they share count more than once."""


def run(command: Sequence[str], cwd: Path | None = None, interval_s: float = 0.01) -> Ran:
    """Run a command and watch the memory of its process tree.

    Raises
    ------
    RuntimeError
        If it fails; with the end of what it printed.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    peak, is_over = [0], Event()
    watcher = Thread(target=_watch, args=(process.pid, peak, is_over, interval_s))
    watcher.start()
    output = process.communicate()[0]
    seconds = time.perf_counter() - start
    is_over.set()
    watcher.join()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{output[-2000:]}")
    return Ran(seconds, output, peak[0] / 1e6)


def python(*arguments: str) -> list[str]:
    """Command line of the Python that runs this."""
    return [sys.executable, *arguments]


def cellsynth(*arguments: str) -> list[str]:
    """Command line of the `cellsynth` that is installed beside this Python."""
    return [str(Path(sysconfig.get_path("scripts")) / "cellsynth"), *arguments]


def own_peak_mb() -> float:
    """Largest resident memory of this process so far."""
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset / 1e6
    status = Path("/proc/self/status")
    if status.exists():
        # Not `getrusage`, which on Linux begins with the peak of the process that started this one.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def one_thread() -> None:
    """Keep numerical libraries to one thread; call it before they are imported."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = "1"


def _watch(pid: int, peak: list[int], is_over: Event, interval_s: float) -> None:
    while True:
        total = 0
        try:
            root = psutil.Process(pid)
            for process in (root, *root.children(recursive=True)):
                try:
                    total += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
        except psutil.NoSuchProcess:
            return
        peak[0] = max(peak[0], total)
        if is_over.wait(interval_s):
            return
