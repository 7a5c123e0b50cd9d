"""How much memory there is, asked before an image is read."""

import os
from math import prod
from pathlib import Path

import numpy as np

from ..core.errors import InputError

LARGEST_PART = 0.5
"""Part of the available memory that one image may take."""

_ASSUMED_BYTES = 8 * 2**30  # where the system does not say


def available_bytes() -> int:
    """Memory that can be taken now: of the machine, or of the container or job where that has less."""
    candidates = [_of_machine(), *_of_cgroup()]
    return min(known for known in candidates if known is not None)


def check_memory(source: Path, shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Refuse an image that would not fit, from its header alone.

    Counted are the pixels as stored, and a float32 copy of them.

    Raises
    ------
    InputError
        If they would take more than `LARGEST_PART` of the available memory.
    """
    needed = prod(shape) * (dtype.itemsize + 4)
    available = available_bytes()
    if needed > LARGEST_PART * available:
        raise InputError(
            f"{source}: its header announces {' x '.join(map(str, shape))} values of {dtype.name}, which need "
            f"{_size(needed)} of memory; {_size(available)} are available, of which one image may take "
            f"{LARGEST_PART:.0%}. Cut it into tiles, bin it, or use a machine with more memory"
        )


def _size(n_bytes: float) -> str:
    return f"{n_bytes / 1e9:,.1f} GB" if n_bytes >= 1e8 else f"{n_bytes / 1e6:,.1f} MB"


def _of_machine() -> int:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return _ASSUMED_BYTES


def _of_cgroup(root: Path = Path("/sys/fs/cgroup")) -> list[int]:
    """Limit of a container or a cluster job, less what it uses; page cache counts as free."""
    found = []
    for limit, used, cache in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
    ):
        try:
            most = (root / limit).read_text(encoding="ascii").strip()
            now = int((root / used).read_text(encoding="ascii"))
            stat = (root / limit).with_name("memory.stat").read_text(encoding="ascii").split()
        except (OSError, ValueError):
            continue
        if most.isdigit():
            reclaimable = int(stat[stat.index(cache) + 1]) if cache in stat else 0
            found.append(max(int(most) - now + reclaimable, 0))
    return found
