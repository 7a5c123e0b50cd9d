"""Work on a volume block by block: where to cut it, and who does the work."""

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from math import lcm, prod
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np

from .errors import MissingToolError, RecipeError, WorkerError
from .grid import Box
from .parallel import available_cores

R = TypeVar("R")

BLOCK_VOXELS = 2**24
"""Voxels of a block at most, unless the chunks are larger: a block of 32-bit numbers then takes 64 MiB."""

THREADS = "threads"
"""The scheduler of this machine."""

_ADDRESS = re.compile(r"(tcp|tls|ws|wss|ucx)://\S+")
_FAN_IN = 16


@runtime_checkable
class Volume(Protocol):
    """An array that may lie on disk and is read part by part: of NumPy, Zarr, HDF5 or the like."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels per axis."""
        ...

    @property
    def dtype(self) -> Any:
        """Type of its values."""
        ...

    def __getitem__(self, key: Any, /) -> Any:
        """Read the part that a tuple of slices says, as a NumPy array."""
        ...


@dataclass(frozen=True)
class BlockWork:
    """Who works on the blocks of a volume: threads of this process, or a Dask cluster of the user.

    Results do not depend on it.
    """

    scheduler: str = THREADS
    """`threads`, or the address of a cluster: `tcp://...`. Its workers must see the same files under the same paths."""

    n_workers: int | None = None
    """Threads; by default one per core. A cluster has its own."""

    block_px: tuple[int, ...] | None = None
    """Voxels of a block per axis; by default what suits the chunks, see `suitable_block`."""

    connect_s: float = 10.0
    """How long a cluster may take to answer at all."""

    def __post_init__(self) -> None:
        if self.scheduler != THREADS and not _ADDRESS.fullmatch(self.scheduler):
            raise RecipeError(
                f"--scheduler is {self.scheduler!r}; needs `threads`, or the address of a Dask cluster: tcp://host:8786"
            )
        if self.n_workers is not None and self.n_workers < 1:
            raise RecipeError(
                f"--workers is {self.n_workers}; at least 1 is needed, and without it there is one per core"
            )
        if self.block_px is not None and min(self.block_px, default=0) < 1:
            raise RecipeError(f"block_px is {self.block_px}; a block has at least one voxel along each axis")

    @property
    def is_local(self) -> bool:
        """Whether the work is done in this process."""
        return self.scheduler == THREADS

    def boxes(self, *volumes: Volume) -> list[Box]:
        """Cut volumes of one shape into the same boxes, along the chunks of both where they have such."""
        shape = volumes[0].shape
        if self.block_px is not None and len(self.block_px) == len(shape):
            return cut(shape, self.block_px)
        return cut(shape, suitable_block(shape, [chunks_of(volume) for volume in volumes]))

    def reduce(
        self,
        function: Callable[..., R],
        items: Sequence[Any],
        add: Callable[[R, R], R],
        *,
        shared: Any = None,
        on_done: Callable[[int], None] | None = None,
    ) -> R:
        """Sum of `function(item)` over all items, at least one; few results are in memory at a time.

        Parameters
        ----------
        function, items, add, shared
            For a cluster they must be picklable.
        add
            Associative and commutative.
        shared
            Something large that all items need: `function(shared, item)` is called. A cluster is sent it once.
        on_done
            Told how many items are done; only of this machine, as a cluster has its own display.

        Raises
        ------
        MissingToolError
            If a cluster is named, and the package for it is not installed.
        WorkerError
            If the cluster does not answer, or its workers die.
        """
        if not self.is_local:
            return self._on_cluster(lambda common: _tree(function, items, add, common), shared)
        from dask.base import compute

        call = function if shared is None else partial(function, shared)
        if on_done is not None:
            call = _Counted(call, on_done)
        n = self.n_workers or available_cores()
        return compute(_tree(call, items, add, None), scheduler=THREADS, num_workers=n)[0]

    def _on_cluster(self, make_task: Callable[[Any], Any], shared: Any) -> Any:
        try:
            from distributed import Client, KilledWorker
        except ImportError as error:
            raise MissingToolError(
                f'--scheduler {self.scheduler} needs Dask\'s cluster package: pip install "cellsynth[cluster]"'
            ) from error
        try:
            client = Client(self.scheduler, timeout=self.connect_s, set_as_default=False)
        except (OSError, ValueError) as error:
            raise WorkerError(
                f"{self.scheduler}: no Dask scheduler answers there ({error}); check the address and that it runs, or "
                "leave out --scheduler to work on this machine"
            ) from error
        try:
            with client:
                common = None if shared is None else client.scatter(shared, broadcast=True, hash=False)
                return client.compute(make_task(common), sync=True)
        except KilledWorker as error:
            raise WorkerError(
                f"{self.scheduler}: a worker of the cluster was killed in the middle of its work; mostly that happens "
                "when memory runs out, so give the workers more memory or fewer threads"
            ) from error


class _Counted:
    """A function that tells how often it has come back, whichever threads call it."""

    def __init__(self, function: Callable[[Any], Any], on_done: Callable[[int], None]) -> None:
        self._function, self._on_done = function, on_done
        self._lock, self._n = threading.Lock(), 0

    def __call__(self, item: Any) -> Any:
        result = self._function(item)
        with self._lock:
            self._n += 1
            self._on_done(self._n)
        return result


def _tree(function: Callable[..., R], items: Sequence[Any], add: Callable[[R, R], R], common: Any) -> Any:
    """The sum as a task of Dask, which adds results as they come."""
    from dask.delayed import delayed

    task = delayed(function, pure=False)
    parts: list[Any] = [task(item) if common is None else task(common, item) for item in items]
    while len(parts) > 1:
        groups = [parts[i : i + _FAN_IN] for i in range(0, len(parts), _FAN_IN)]
        parts = [delayed(add_evenly, pure=False)(add, group) for group in groups]
    return parts[0]


def cut(shape: tuple[int, ...], block_px: tuple[int, ...]) -> list[Box]:
    """Boxes of at most `block_px` voxels that fill `shape`, in C order, without overlap."""
    starts = product(*(range(0, n, step) for n, step in zip(shape, block_px, strict=True)))
    return [
        Box(start, tuple(min(a + step, n) for a, step, n in zip(start, block_px, shape, strict=True)))
        for start in starts
    ]


def grown(box: Box, by_px: tuple[int, ...], shape: tuple[int, ...]) -> Box:
    """The box with so many voxels more on both sides of each axis, as far as there are any."""
    return Box(
        tuple(max(a - h, 0) for a, h in zip(box.start, by_px, strict=True)),
        tuple(min(b + h, n) for b, h, n in zip(box.stop, by_px, shape, strict=True)),
    )


def chunks_of(volume: Volume) -> tuple[int, ...] | None:
    """Voxels per axis that are stored, and so read, together; None where any part reads alike."""
    chunks = getattr(volume, "chunks", None)
    return None if chunks is None else tuple(int(n) for n in chunks)


def suitable_block(
    shape: tuple[int, ...],
    chunks: Iterable[tuple[int, ...] | None] = (),
    n_voxels: int = BLOCK_VOXELS,
) -> tuple[int, ...]:
    """Block for volumes of one shape: whole chunks of each, as large as allowed, with sides as equal as they can be.

    Along an axis where the chunks of the volumes have no small common multiple those of the largest decide.
    """
    known = [c for c in chunks if c is not None]
    block = [_unit(n, [c[axis] for c in known]) for axis, n in enumerate(shape)]
    while prod(block) > n_voxels:  # chunks so large that a block is a part of one
        longest = int(np.argmax(block))
        block[longest] = -(-block[longest] // 2)
    while True:
        growing = [axis for axis, n in enumerate(shape) if block[axis] < n]
        if not growing:
            return tuple(block)
        shortest = min(growing, key=lambda axis: block[axis])
        longer = min(2 * block[shortest], shape[shortest])
        if prod(block) // block[shortest] * longer > n_voxels:
            return tuple(block)
        block[shortest] = longer


def _unit(length: int, chunks: list[int]) -> int:
    """Smallest length that cuts no chunk, at most that of the axis."""
    largest = max(chunks, default=1)
    common = lcm(*chunks) if chunks else 1
    return min(common if common <= 4 * largest else largest, length)


def add_evenly(add: Callable[[R, R], R], parts: Iterable[R]) -> R:
    """Sum of at least one part, in which results of like size are added, and only a few are in memory at a time."""
    waiting: list[tuple[int, R]] = []  # sums of 1, 2, 4, ... parts, the largest first
    for part in parts:
        size, total = 1, part
        while waiting and waiting[-1][0] == size:
            size, total = 2 * size, add(waiting.pop()[1], total)
        waiting.append((size, total))
    total = waiting.pop()[1]
    while waiting:
        total = add(waiting.pop()[1], total)
    return total
