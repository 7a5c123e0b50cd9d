"""The user's images beside synthetic ones of the same kind."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from .pictures import Picture, grey_range
from .run_folder import Benchmark

N_SHOWN = 6


@dataclass(frozen=True)
class Pair:
    """A real image and a synthetic one of the condition that was fitted to it."""

    name: str
    share: float
    """Of the synthetic images that are of this kind."""

    real: Markup | None
    """None where the file is gone."""

    synthetic: Markup | None
    """None where this kind is so rare that no synthetic image is of it."""

    note: str = ""


def gallery(run: Benchmark) -> tuple[list[Pair], int]:
    """Pairs for the page, spread over the conditions; and how many conditions there are."""
    conditions = run.calibration["conditions"]
    total = sum(c["weight"] for c in conditions)
    n = min(N_SHOWN, len(conditions))
    chosen = [conditions[int(i)] for i in np.linspace(0, len(conditions) - 1, n)]
    return [_pair(run, c["name"], c["weight"] / total, i) for i, c in enumerate(chosen)], len(conditions)


def _pair(run: Benchmark, condition: str, share: float, i: int) -> Pair:
    name = condition if condition in run.real else condition.split(" part ")[0]
    real = run.real_sample(name)
    entries = [e for e in run.synthetic.entries if e.provenance.get("condition") == condition]
    # The last one: the overlays below mostly show others.
    synthetic = entries[-1].load() if entries else None
    limits = (
        grey_range(real) if real is not None else grey_range(synthetic) if synthetic is not None else (0, 1)
    )
    pictures = [
        Picture(sample, limits).svg(f"pair-{i}-{origin}", f"{origin} image, {name}")
        if sample is not None
        else None
        for origin, sample in (("real", real), ("synthetic", synthetic))
    ]
    is_part = real is not None and Picture(real, limits).is_part
    return Pair(name, share, pictures[0], pictures[1], "middle part" if is_part else "")
