"""Do independent work in several processes; results come back in the order of the work."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class WorkerPool:
    """Processes that are started once and used by every stage of a run.

    With one worker everything runs in the caller's process, which is what a debugger wants. Functions and
    items must be picklable, as for any process pool.
    """

    def __init__(self, n_workers: int) -> None:
        self.n_workers = n_workers
        self._executor: ProcessPoolExecutor | None = None

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """Yield `function(item)` in the order of `items`; an error is raised where its result is due."""
        if self.n_workers == 1 or len(items) < 2:
            yield from (function(item) for item in items)
            return
        if self._executor is None:
            # Spawned, not forked: the parent has threads (progress bars), and a fork would copy their locks.
            context = multiprocessing.get_context("spawn")
            self._executor = ProcessPoolExecutor(self.n_workers, mp_context=context, initializer=_one_thread)
        futures: list[Future[R]] = []
        try:
            ahead = 2 * self.n_workers  # enough to keep all busy, few enough to bound memory
            for item in items[:ahead]:
                futures.append(self._executor.submit(function, item))
            for i in range(len(items)):
                result = futures[i].result()
                futures[i] = Future()  # let go of the result
                if i + ahead < len(items):
                    futures.append(self._executor.submit(function, items[i + ahead]))
                yield result
        finally:
            for future in futures:
                future.cancel()

    def close(self, *, wait: bool = True) -> None:
        """End the processes; work that has not begun is dropped."""
        if self._executor is not None:
            self._executor.shutdown(wait=wait, cancel_futures=True)
            self._executor = None


@contextmanager
def worker_pool(n_workers: int | None = None) -> Iterator[WorkerPool]:
    """Pool of `n_workers` processes, by default one per available core; closed at the end."""
    pool = WorkerPool(n_workers or available_cores())
    try:
        yield pool
    finally:
        pool.close()


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _one_thread() -> None:
    """Keep each worker to one thread: the processes are the parallelism, and results must not depend on it."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = "1"
