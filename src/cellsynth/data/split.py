"""Divide samples into splits, by name."""

from collections.abc import Mapping
from math import isclose

from ..core.rng import Key


def split_of(name: str, fractions: Mapping[str, float], seed: int = 0) -> str:
    """Tell the split of a sample from its name alone.

    Each name is drawn independently, so the sizes of the splits vary around their fractions, and a sample never
    changes its split when others are added or removed.

    Parameters
    ----------
    fractions
        Split to fraction, such as `{"train": 0.8, "val": 0.1, "test": 0.1}`; they sum to one.

    Raises
    ------
    ValueError
        If fractions are negative or do not sum to one.
    """
    if any(part < 0 for part in fractions.values()) or not isclose(sum(fractions.values()), 1, abs_tol=1e-6):
        raise ValueError(f"split fractions are {dict(fractions)}; they must be positive and sum to 1")
    draw = Key.from_seed(seed).child("split", name).uint64() / 2**64
    chosen = ""
    for split, part in fractions.items():
        if part > 0:
            chosen = split
            draw -= part
            if draw < 0:
                break
    return chosen
