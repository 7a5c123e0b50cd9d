"""What all tests share: one thread per process, array annotations checked, repeatable examples, a key."""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # two test processes share the cores

import pytest
from hypothesis import settings

from tests.annotations import check_annotations

# Not `io`: what comes from outside may be anything, and is refused there in words of its own.
check_annotations(
    *(
        f"cellsynth.{name}"
        for name in (
            "core",
            "data",
            "nets",
            "labels",
            "render",
            "segment",
            "evaluate",
            "calibrate",
            "extract",
        )
    )
)

from cellsynth.core.rng import Key

settings.register_profile("repeatable", deadline=None, derandomize=True, max_examples=50, database=None)
settings.load_profile("repeatable")


@pytest.fixture
def key() -> Key:
    """A fixed key; `key.child(...)` where a test needs several."""
    return Key.from_seed(7)
