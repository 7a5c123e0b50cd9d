"""Do independent work in several processes; results come back in the order of the work."""

import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, InvalidStateError, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import import_module
from math import ceil
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from .errors import RecipeError, WorkerError

T = TypeVar("T")
R = TypeVar("R")

GRACE_S = 3.0
"""Time that workers have to finish what they are at before they are killed; a file takes far less."""


@lru_cache(maxsize=1)
def _ignore_dropped_work() -> None:
    """Say nothing where the standard library fails to tell work that was dropped that its process died.

    When workers are killed just as the parent drops the work that waits, as a SIGTERM to all of them does, the thread
    of the pool ends with an InvalidStateError (CPython 3.11, `terminate_broken`). Nobody waits for that work any more,
    and the processes are ended by `WorkerPool.stop`.
    """
    others = threading.excepthook

    def hook(failed: threading.ExceptHookArgs) -> None:
        of_pool = type(failed.thread).__module__ == "concurrent.futures.process"
        if not (of_pool and failed.exc_type is InvalidStateError):
            others(failed)

    threading.excepthook = hook


class WorkerPool:
    """Processes that are started once and used by every stage of a run.

    With one worker everything but what may crash (see `map`) runs in the caller's process, which is what a debugger
    wants. Functions and items must be picklable, as for any process pool, and functions must live in a module: a
    script that calls the package is not run again by its workers, so it needs no `if __name__ == "__main__"`.
    """

    def __init__(self, n_workers: int) -> None:
        self.n_workers = n_workers
        self._executor: ProcessPoolExecutor | None = None
        self._in_work: list[Future[Any]] = []

    def map(
        self,
        function: Callable[[T], R],
        items: Sequence[T],
        on_death: Callable[[T, str], R] | None = None,
    ) -> Iterator[R]:
        """Yield `function(item)` in the order of `items`; an error is raised where its result is due.

        Parameters
        ----------
        on_death
            For a function that runs foreign code, which may bring its process down: gives the result of an item
            that did, from the item and words such as "was ended by SIGSEGV". The other items are done as if
            nothing had happened. The function then never runs in the caller's process.

        Raises
        ------
        WorkerError
            If a process was killed, mostly because memory ran out, and there is no `on_death`.
        """
        if on_death is not None:
            yield from self._map_surviving(function, items, on_death)
        elif self.n_workers == 1 or len(items) < 2:
            yield from (function(item) for item in items)
        else:
            try:
                yield from self._map_in_order(function, items, 2 * self.n_workers)
            except BrokenProcessPool as error:
                raise self._worker_error(self._bury()) from error

    def _map_surviving(
        self, function: Callable[[T], R], items: Sequence[T], on_death: Callable[[T, str], R]
    ) -> Iterator[R]:
        """Go on with a new pool where one broke.

        It is not known which of the items in work broke it, so each of them is then tried alone. One that dies
        alone is the culprit; one that was killed because others took the memory is done now.
        """
        n_done = n_suspect = 0
        while n_done < len(items):
            is_alone = self.n_workers == 1 or n_done < n_suspect
            ahead = 1 if is_alone else 2 * self.n_workers
            part = items[n_done : n_done + 1] if is_alone else items[n_done:]
            how = ""
            results = self._map_in_order(partial(_catch_exit, function), part, ahead)
            try:
                for result in results:
                    item = items[n_done]
                    n_done += 1
                    yield on_death(item, result.how) if isinstance(result, _Exited) else result
            except BrokenProcessPool:
                how = self._bury()
            except GeneratorExit:
                results.close()
                self._settle()
                raise
            if how and is_alone:
                n_done += 1
                yield on_death(items[n_done - 1], how)
            elif how:
                n_suspect = n_done + ahead

    def _map_in_order(
        self, function: Callable[[T], R], items: Sequence[T], ahead: int
    ) -> Generator[R, None, None]:
        """Results in order, with at most `ahead` items in work: enough to keep all busy, few enough for memory."""
        futures: list[Future[_Done]] = []
        try:
            for item in items[:ahead]:
                futures.append(self._submit(function, item))
            for i in range(len(items)):
                done = futures[i].result()
                futures[i] = Future()  # let go of the result
                for name, text in done.said:
                    logging.getLogger(name).warning("%s", text)
                result: R = done.result
                if i + ahead < len(items):
                    futures.append(self._submit(function, items[i + ahead]))
                yield result
        finally:
            self._in_work = [future for future in futures if not future.cancel()]

    def _settle(self) -> None:
        """Wait for what could not be dropped: if it brings its process down, later work must not pay for it."""
        wait(self._in_work)
        if any(isinstance(future.exception(), BrokenProcessPool) for future in self._in_work):
            self._bury()
        self._in_work = []

    def warm_up(self, *modules: str) -> None:
        """Start the processes and let them import `modules` while the caller does something else."""
        if self.n_workers > 1:
            for _ in range(self.n_workers):
                self._submit(_import, modules)

    def close(self) -> None:
        """End the processes when they have done their work; what has not begun is dropped."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None

    def stop(self) -> None:
        """End the processes soon: short work is finished, long work is broken off, the rest is dropped."""
        if self._executor is None:
            return
        processes = self._processes()
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = None
        for process in processes:
            if _STOP is not None and process.pid:
                with suppress(ProcessLookupError):
                    os.kill(process.pid, _STOP)
        deadline = time.monotonic() + GRACE_S
        for process in processes:
            process.join(max(deadline - time.monotonic(), 0.0))
            if process.is_alive():
                process.kill()

    def _submit(self, function: Callable[[T], R], item: T) -> "Future[_Done]":
        if self._executor is None:
            # Spawned, not forked: the parent has threads (progress bars), and a fork would copy their locks. A fork
            # server with the imports done was not faster to start, as Numba's kernels are loaded in each process.
            _ignore_dropped_work()
            self._executor = ProcessPoolExecutor(
                self.n_workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin_worker
            )
        with _starting_processes():
            return self._executor.submit(_run, function, item)

    def _processes(self) -> list[BaseProcess]:
        # Public only from Python 3.14 on (`kill_workers`), and there without a way to stop gently.
        return list((self._executor._processes or {}).values()) if self._executor else []

    def _bury(self) -> str:
        """Drop the broken pool and say what became of the process that died first."""
        processes = self._processes()
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None
        # The others were ended by SIGTERM when one was found dead.
        codes = [p.exitcode for p in processes if p.exitcode is not None]
        code = next((c for c in codes if c != -signal.SIGTERM), -signal.SIGTERM)
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def _worker_error(self, how: str) -> WorkerError:
        return WorkerError(
            f"a worker process {how} in the middle of its work; mostly that happens when memory runs out. Use fewer "
            f"workers (there were {self.n_workers}; with --workers 1 there is no other process) or smaller images; "
            "what was finished is valid, and --resume continues it"
        )


@contextmanager
def worker_pool(n_workers: int | None = None) -> Iterator[WorkerPool]:
    """Pool of `n_workers` processes, by default one per available core; closed at the end.

    Raises
    ------
    RecipeError
        If the number is not positive.
    """
    if n_workers is not None and n_workers < 1:
        raise RecipeError(
            f"--workers is {n_workers}; at least 1 is needed, and without it there is one per core"
        )
    pool = WorkerPool(n_workers or available_cores())
    try:
        yield pool
    except BaseException:
        pool.stop()
        raise
    pool.close()


_own_threads: int | None = None


def limit_threads(n: int | None) -> None:
    """Let `in_threads` of this process use at most `n` threads; None is one per core."""
    global _own_threads
    _own_threads = n


def in_threads(function: Callable[[T], object], items: Sequence[T], n_most: int) -> None:
    """Call a function that lets other threads work with each item, in any order, in `n_most` threads at most."""
    n = min(_own_threads or available_cores(), len(items), n_most)
    if n <= 1:
        for item in items:
            function(item)
        return
    with ThreadPoolExecutor(n) as pool:
        for _ in pool.map(function, items):
            pass


def available_cores() -> int:
    """Cores that this process may use: by its affinity, and by the quota of its container."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _cgroup_quota()
    return max(min(cores, ceil(quota)), 1) if quota is not None else cores


def _cgroup_quota(root: Path = Path("/sys/fs/cgroup")) -> float | None:
    """Cores' worth of time that the control group grants; None where it grants all."""
    try:
        quota, period = (root / "cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        try:
            quota = (root / "cpu" / "cpu.cfs_quota_us").read_text(encoding="ascii").strip()
            period = (root / "cpu" / "cpu.cfs_period_us").read_text(encoding="ascii").strip()
        except OSError:
            return None
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() and int(period) else None


@contextmanager
def _starting_processes() -> Iterator[None]:
    """What a process needs that may be started in this block: no Ctrl-C, and no second run of the main script.

    Ctrl-C goes to all processes of a terminal; a worker that has not come to ignoring it yet would print a
    traceback, so it inherits a mask that holds it back. And a worker would import the caller's script under
    another name: slow where that imports much, and an error where the script has no `__main__` guard.
    """
    main = sys.modules["__main__"]
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if sys.platform != "win32" else None
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        if held is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)


# What follows runs in the workers.


# Tells a worker to drop the work that is queued for it; Windows has no such signal, and kills after the grace.
_STOP = getattr(signal, "SIGUSR1", None)

_is_stopping = threading.Event()


def _begin_worker() -> None:
    """Keep to one thread, leave Ctrl-C to the parent, and do not outlive it."""
    # The processes are the parallelism, and results must not depend on it.
    limit_threads(1)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = "1"
    # The parent has told what there is to say of the user's data; here it would stand in the midst of a bar.
    logging.getLogger("cellsynth").addHandler(_Telling())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if _STOP is not None:
        # Nothing is raised: an exception out of the blue in the midst of foreign C code could crash it.
        signal.signal(_STOP, lambda *_: _is_stopping.set())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _run(function: Callable[[T], R], item: T) -> "_Done":
    if _is_stopping.is_set():
        raise InterruptedError("the pool was stopped before this work began")
    _told.clear()
    return _Done(function(item), list(_told))


@dataclass(frozen=True)
class _Done:
    """What came of an item, and what was said of it."""

    result: Any
    said: list[tuple[str, str]]
    """Names of loggers, and warnings."""


_TOLD_OF = "cellsynth.labels"
"""Warnings of what was made are the caller's; of what was read the caller has told all there is to say."""

_told: list[tuple[str, str]] = []


class _Telling(logging.Handler):
    """Keeps warnings for the caller."""

    def emit(self, record: logging.LogRecord) -> None:
        """Note one down."""
        if record.levelno >= logging.WARNING and record.name.startswith(_TOLD_OF):
            _told.append((record.name, record.getMessage()))


@dataclass(frozen=True)
class _Exited:
    """Result of an item that asked its process to end."""

    how: str


def _catch_exit(function: Callable[[T], R], item: T) -> R | _Exited:
    """A result like any other, so that the items in work beside this one are not left to themselves."""
    try:
        return function(item)
    except SystemExit as stop:
        return _Exited(f"was to end with exit code {stop.code}")


def _import(modules: Sequence[str]) -> None:
    for name in modules:
        import_module(name)


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
