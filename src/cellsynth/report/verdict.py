"""The answer of a benchmark in one sentence, and what a careful reader would object."""

from dataclasses import dataclass

import numpy as np

from .calibration_figures import standardised
from .run_folder import Benchmark
from .words import LEVEL, interval, is_number, listing, metric_name, number, plural, score, signed

ALPHA = 0.05
FEW_LABELLED = 10
"""Labelled images below which a real ranking is itself uncertain."""


@dataclass(frozen=True)
class Caveat:
    """Something that limits the answer."""

    title: str
    text: str
    is_grave: bool = False
    """Whether it may overturn the answer."""


@dataclass(frozen=True)
class Verdict:
    """What stands on top of the page."""

    best: str
    """Method to trust; empty where none ran."""

    answer: str

    also: list[str]
    """Further sentences: what else may be as good."""

    basis: str
    caveats: list[Caveat]


def verdict(run: Benchmark) -> Verdict:
    """Say which segmenter to trust, how sure that is, and what it rests on.

    Synthetic images decide. Where real images are labelled and another method is best on them, that one is
    advised if it may be the best on synthetic images as well; if not, the page says that the two disagree.
    """
    if not run.ranked:
        caveats = [
            Caveat("No segmenter ran", "None of the chosen methods is installed; see the table.", True)
        ]
        return Verdict("", "No segmenter could be run, so there is no answer.", [], _basis(run), caveats)
    first, real = run.ranked[0], _best_on_real(run)
    best = real if real in maybe_best(run) else first
    caveats = _caveats(run, best)
    return Verdict(best, _answer(run, best, real, caveats), _tie_sentences(run, first), _basis(run), caveats)


def _answer(run: Benchmark, best: str, real: str, caveats: list[Caveat]) -> str:
    first = run.ranked[0]
    score_of = f"{metric_name(run.metric)} of {_value(run, 'synthetic', best)}"
    on_synthetic = f"on {plural(run.results['n_images']['synthetic'], 'synthetic image')} made like yours"
    if not real:
        verb = "scores best" if any(c.is_grave for c in caveats) else "is the one to trust"
        return f"{best} {verb}: {score_of} {on_synthetic}."
    on_real = f"on your {plural(run.results['n_images']['real'], 'labelled image')}"
    if real == first:
        return (
            f"{best} is the one to trust: {score_of} {on_synthetic}, and {_value(run, 'real', best)} "
            f"{on_real}; best on both."
        )
    if real == best:
        return (
            f"{best} is the safest choice: best {on_real} ({metric_name(run.metric)} of "
            f"{_value(run, 'real', best)}), and "
            f"possibly so {on_synthetic} ({_value(run, 'synthetic', best)}; {first} has "
            f"{_value(run, 'synthetic', first)})."
        )
    return (
        f"There is no clear answer: {first} scores best {on_synthetic} ({score_of}), and {real} {on_real} "
        f"({_value(run, 'real', real)}, where {first} has {_value(run, 'real', first)})."
    )


def _value(run: Benchmark, origin: str, method: str) -> str:
    """Score and its interval in brackets."""
    row = run.mean(origin, method, run.metric) or {}
    between = interval(row)
    return score(row.get("mean")) + (f" [{between}]" if between else "")


def _best_on_real(run: Benchmark) -> str:
    rows = [r for r in run.ranking("real").values() if is_number(r["rank"])]
    return min(rows, key=lambda r: (r["rank"], r["method"]))["method"] if rows else ""


def maybe_best(run: Benchmark) -> list[str]:
    """Other methods whose rank interval on synthetic images reaches 1."""
    ranking = run.ranking("synthetic")
    return [m for m in run.ranked[1:] if is_number(low := ranking[m]["rank_low"]) and low <= 1]


def not_separated(run: Benchmark) -> list[str]:
    """Other methods that no corrected test tells from the best on synthetic images."""
    tests = [(m, run.test("synthetic", run.ranked[0], m)) for m in run.ranked[1:]]
    return [m for m, test in tests if test is None or not (is_number(p := test["p_holm"]) and p < ALPHA)]


def _can_separate(run: Benchmark) -> bool:
    """Whether the signed-rank test of the images there are can pass Holm's correction at all."""
    tests = run.results["tests"]["synthetic"]
    # The smallest p of n differences is 2 / 2^n, and the first of k pairs is corrected by k.
    return bool(tests) and min(2 * 0.5 ** t["n"] for t in tests) * len(tests) < ALPHA


def _tie_sentences(run: Benchmark, best: str) -> list[str]:
    if len(run.ranked) < 2:
        return []
    near = maybe_best(run)
    unclear = [m for m in not_separated(run) if m not in near]
    if not near and not unclear:
        return [f"{best} is ahead of every other method by more than chance (Holm-corrected tests)."]
    said = []
    if near:
        them = "it" if len(near) == 1 else "them"
        said.append(
            f"{listing(near)} may be as good as {best} on synthetic images: other images could have put {them} first."
        )
    if unclear and not _can_separate(run):
        said.append(
            f"{plural(run.results['n_images']['synthetic'], 'synthetic image')} are too few for strict tests (Holm); "
            "more of them (--n-images) would allow some."
        )
    elif unclear:
        either = " either" if near else ""
        said.append(f"A strict test (Holm) does not tell {listing(unclear, 'or')} from {best}{either}.")
    times = {m: run.cost(m).get("seconds_per_image") for m in [best, *near]}
    known = {m: float(t) for m, t in times.items() if is_number(t)}
    if best in known and len(known) > 1:
        fastest = min(known, key=lambda m: known[m])
        if known[best] > 1.5 * known[fastest]:
            factor = number(known[best] / known[fastest], 2)
            said.append(f"Of these, {fastest} is the fastest, by a factor of {factor}.")
    return said


def _basis(run: Benchmark) -> str:
    n = run.results["n_images"].get("synthetic", 0)
    kinds = len(run.calibration["conditions"])
    said = (
        f"Rests on {plural(run.calibration['n_images'], 'image')} of yours, from which "
        f"{plural(kinds, 'kind')} of image "
        f"{'was' if kinds == 1 else 'were'} learnt; {plural(n, 'synthetic image')} with exact labels; "
        f"{plural(len(run.ranked), 'method')}, tuned on {run.settings['n_tuning']} other synthetic images"
    )
    if run.has_reference:
        said += f"; {plural(run.results['n_images']['real'], 'real image')} with labels, to check the ranking"
    return f"{said}. Brackets hold {LEVEL} intervals."


def _caveats(run: Benchmark, best: str) -> list[Caveat]:
    found = [*_agreement_caveats(run), *_level_caveats(run, best), *_misfit_caveats(run), *_run_caveats(run)]
    found += [Caveat("From the calibration", note) for note in run.calibration["notes"]]
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
    if not agreement or not is_number(agreement["tau"]):
        return caveats
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
    if both and is_share:
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
    top = real.get(best, synthetic[best])["score"]
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


def _misfit_caveats(run: Benchmark) -> list[Caveat]:
    table = standardised(run.statistics)
    far = []
    for name in dict.fromkeys(table["statistic"]):
        z = table.loc[(table["statistic"] == name) & (table["origin"] == "synthetic"), "z"].median()
        if abs(z) > 2:
            far.append(f"{name.replace('_', ' ')} ({'too high' if z > 0 else 'too low'})")
    if not far:
        return []
    return [
        Caveat(
            "The synthetic images differ from yours",
            f"Further than twice the spread between your images: {listing(far)}. See “The calibrated recipe”.",
        )
    ]


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
