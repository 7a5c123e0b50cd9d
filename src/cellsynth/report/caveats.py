"""What a careful reader would object to the answer of a benchmark, computed from its data."""

from dataclasses import dataclass

import numpy as np

from .calibration_figures import standardised
from .run_folder import Benchmark
from .words import LEVEL, interval, is_number, listing, plural, score, signed, typeset

FEW_LABELLED = 10
"""Labelled images below which a real ranking is itself uncertain."""


@dataclass(frozen=True)
class Caveat:
    """Something that limits the answer."""

    title: str
    text: str
    is_grave: bool = False
    """Whether it may overturn the answer."""


def caveats_of(run: Benchmark, best: str) -> list[Caveat]:
    """Collect what limits the answer, the gravest first."""
    found = [*_agreement_caveats(run), *_level_caveats(run, best), *_misfit_caveats(run), *_run_caveats(run)]
    found += [Caveat("From the calibration", typeset(note)) for note in run.calibration["notes"]]
    return sorted(found, key=lambda c: not c.is_grave)


def _agreement_caveats(run: Benchmark) -> list[Caveat]:
    if not run.has_reference:
        return [
            Caveat(
                "Not checked on real images",
                "No labels were given, so nothing here shows that the ranking holds on your images. "
                "Label a few of them "
                "(five or more) and run again with --reference LABELS.",
            )
        ]
    agreement, n = run.results.get("agreement"), run.results["n_images"]["real"]
    caveats = []
    if n < FEW_LABELLED:
        caveats.append(
            Caveat(
                f"Only {plural(n, 'labelled image')}",
                "The ranking on real images is itself uncertain; more labelled images would settle it.",
            )
        )
    if not run.leaders("real") or (len(run.ranked) > 1 and not run.tells_apart("real")):
        return [*caveats, _undecided(run)]
    if not agreement or not is_number(agreement["tau"]):
        return caveats
    if agreement["n_methods"] == 2:
        return [*caveats, _two_methods(agreement["tau"])]
    tau, low = agreement["tau"], agreement["low"]
    if tau >= 0.5 and (not is_number(low) or low > 0):
        return caveats
    between = interval(agreement)
    so = "the interval includes 0" if is_number(low) and low <= 0 <= agreement["high"] else "that is little"
    caveats.append(
        Caveat(
            "Do not trust the synthetic ranking alone",
            f"It agrees with the ranking on your labelled images by Kendall's tau = {score(tau)}"
            f"{f' ({LEVEL} interval {between})' if between else ''}: {so}. Where the two differ, believe "
            f"the real images.",
            is_grave=True,
        )
    )
    return caveats


def _undecided(run: Benchmark) -> Caveat:
    """Labels on which no method is better than another."""
    leaders = run.leaders("real")
    value = score(run.ranking("real")[leaders[0]]["score"]) if leaders else ""
    every = f"Every method scores {value} on them" if leaders else "No method has a score on them"
    return Caveat(
        "Your labelled images rank no method",
        f"{every}. Mostly that means that the labels are blank or belong to other images, or that the methods were "
        "tuned on synthetic images of other cells; see the outlines under “Where methods fail”.",
        is_grave=True,
    )


def _two_methods(tau: float) -> Caveat:
    """Tau of two methods is a sign."""
    if tau > 0:
        return Caveat(
            "Two methods make one comparison",
            "Both sets of images put them in the same order, which chance does as well in one of two cases. Compare "
            "more methods to see how far the rankings agree.",
        )
    return Caveat(
        "Do not trust the synthetic ranking alone",
        "Your labelled images put the two methods in the other order. Believe the real images.",
        is_grave=True,
    )


def _level_caveats(run: Benchmark, best: str) -> list[Caveat]:
    """Is it easier than reality; is anything good enough; did tuning help."""
    caveats = []
    synthetic, real = run.ranking("synthetic"), run.ranking("real")
    both = [
        (synthetic[m]["score"], real[m]["score"])
        for m in run.ranked
        if m in real and is_number(synthetic[m]["score"]) and is_number(real[m]["score"])
    ]
    is_share = run.is_higher_better
    is_decided = len(run.ranked) == 1 or run.tells_apart("real")
    if both and is_share and is_decided:
        gap = float(np.mean([a - b for a, b in both]))
        if gap > 0.1:
            caveats.append(
                Caveat(
                    "The synthetic images are easier than yours",
                    f"The methods score {score(gap)} higher on them than on your labelled images, on "
                    f"average. Expect the level "
                    "of the real scores, not of the synthetic ones; what makes your images hard (debris, "
                    "dim or overlapping "
                    "cells, uneven outlines) is not all in the simulation.",
                )
            )
        elif gap < -0.1:
            caveats.append(
                Caveat(
                    "The synthetic images are harder than yours",
                    f"The methods score {score(-gap)} lower on them than on your labelled images, on average.",
                )
            )
    top = (real if is_decided and best in real else synthetic)[best or run.ranked[0]]["score"]
    if is_share and is_number(top) and top < 0.5:
        caveats.append(
            Caveat(
                "Even the best is poor",
                f"A score of {score(top)} means that at most half of the cells are right. None of these "
                f"methods may do.",
                is_grave=True,
            )
        )
    gain = run.gain("real", "all methods")
    if gain and is_number(gain["high"]) and gain["high"] < 0:
        caveats.append(
            Caveat(
                "Tuning on synthetic images did not help on yours",
                f"On your labelled images the tuned methods differ from their defaults by {signed(gain['gain'], 3)} "
                f"({LEVEL} interval {interval(gain, 3)}). The defaults are listed in the files.",
            )
        )
    return caveats


FEW_IMAGES = 5
"""Unlabelled images below which the user's own images are too few to tell what they have in common."""

MANY_MISFITS = 5
"""Statistics far off from which on the synthetic images are of other cells."""


def _misfit_caveats(run: Benchmark) -> list[Caveat]:
    far, n_gross = [], 0
    table = standardised(run.statistics)
    for name in dict.fromkeys(table["statistic"]):
        z = table.loc[(table["statistic"] == name) & (table["origin"] == "synthetic"), "z"].median()
        if abs(z) > 2:
            far.append(f"{name.replace('_', ' ')} ({'too high' if z > 0 else 'too low'})")
            n_gross += _relative_misfit(run, str(name)) > 0.25
    if not far:
        return []
    off = f"Further than twice the spread between your images: {listing(far)}."
    if n_gross >= MANY_MISFITS:
        return [
            Caveat(
                "The synthetic images do not look like yours",
                f"{off} The simulation knows round cells in fluorescence and found no way to imitate these images, so "
                "its scores are about other cells. Look at both under “Your images beside synthetic ones”.",
                is_grave=True,
            )
        ]
    return [Caveat("The synthetic images differ from yours", f"{off} See “The calibrated recipe”.")]


def _relative_misfit(run: Benchmark, name: str) -> float:
    """Difference of the medians over their sum: 0.25 where one is 1.7 times the other."""
    chosen = run.statistics[run.statistics["statistic"] == name]
    real, synthetic = (
        float(chosen.loc[chosen["origin"] == origin, "value"].median()) for origin in ("real", "synthetic")
    )
    total = abs(real) + abs(synthetic)
    return abs(real - synthetic) / total if total > 0 else 0.0


def _run_caveats(run: Benchmark) -> list[Caveat]:
    caveats = []
    n = run.results["n_images"].get("synthetic", 0)
    if n < 4:
        caveats.append(
            Caveat(
                "Too few synthetic images for intervals",
                f"{plural(n, 'image')} cannot say how uncertain a score is; raise --n-images to 24 or more.",
                is_grave=True,
            )
        )
    n_own = int(run.calibration["n_images"])
    if n_own < FEW_IMAGES:
        caveats.append(
            Caveat(
                f"Only {plural(n_own, 'image')} of yours",
                "What differs between your images cannot be learnt from so few; give ten or more if there are more.",
            )
        )
    failed = [m for m in run.ranked if run.cost(m).get("n_failed")]
    if failed:
        caveats.append(
            Caveat(
                "Methods failed",
                f"{listing(failed)} stopped with an error on some image. A failure scores worst; the "
                f"table has the message.",
            )
        )
    absent = [m["kind"] for m in run.missing]
    if absent:
        caveats.append(
            Caveat(
                "Not every method was compared",
                f"{listing(absent)} {'is' if len(absent) == 1 else 'are'} not installed; the table has the lines that "
                "install them.",
            )
        )
    return caveats
