"""What a long run tells the person who waits: one bar per stage on a terminal, one line per stage elsewhere."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")


class Progress:
    """Progress on standard error; silent where nobody wants it.

    On a terminal each stage has a bar with its rate and the time that is left; in a log file each stage leaves
    one line when it ends.
    """

    def __init__(self, *, is_quiet: bool = False) -> None:
        self._is_quiet = is_quiet
        self._is_live = not is_quiet and sys.stderr.isatty()

    def say(self, text: str) -> None:
        """Tell one thing."""
        if not self._is_quiet:
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()

    def track(self, items: Iterable[T], what: str, total: int) -> Iterator[T]:
        """Pass items on and show how many have come."""
        stage = self.stage(what)
        try:
            for done, item in enumerate(items, start=1):
                yield item
                stage(done, total)  # after the caller has dealt with it
        finally:
            stage.close()

    def stage(self, what: str) -> "Stage":
        """Begin a stage whose total comes with each report."""
        return Stage(what, is_quiet=self._is_quiet, is_live=self._is_live)


class Stage:
    """Progress of one stage: call it with (done, total), close it at the end."""

    def __init__(self, what: str, *, is_quiet: bool, is_live: bool) -> None:
        self._what, self._is_quiet, self._is_live = what, is_quiet, is_live
        self._begun = time.monotonic()
        self._done = 0
        self._bar: Any = None
        self._task: Any = None

    def __call__(self, done: int, total: int) -> None:
        """Report that `done` of `total` are there."""
        self._done = done
        if not self._is_live:
            return
        if self._bar is None:
            self._bar, self._task = self._opened(total)
        self._bar.update(self._task, completed=done, total=total, rate=done / self._seconds)

    def close(self) -> None:
        """End the bar, or write the line."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        elif not self._is_quiet and not self._is_live and self._done:
            rate = self._done / self._seconds
            sys.stderr.write(f"{self._what}: {self._done} in {self._seconds:.1f} s ({rate:.3g} per second)\n")
            sys.stderr.flush()

    @property
    def _seconds(self) -> float:
        return max(time.monotonic() - self._begun, 1e-6)

    def _opened(self, total: int) -> tuple[Any, Any]:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bar

        bar = Bar(
            TextColumn("{task.description:<34}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:.3g}/s"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        bar.start()
        return bar, bar.add_task(self._what, total=total, rate=0.0)
