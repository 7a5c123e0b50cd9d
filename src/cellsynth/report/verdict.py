"""The answer of a benchmark in one sentence, and what it rests on."""

from dataclasses import dataclass

from .caveats import Caveat, caveats_of
from .run_folder import Benchmark
from .words import LEVEL, interval, is_number, listing, metric_name, number, plural, score

ALPHA = 0.05


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
    caveats = caveats_of(run, best)
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
        is_clear = not any(c.is_grave for c in caveats)
        verb = "is the one to trust" if is_clear else "scores best, but read the warnings below"
        return (
            f"{best} {verb}: {score_of} {on_synthetic}, and {_value(run, 'real', best)} "
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
        f"{plural(len(run.ranked), 'method')}, tuned on {plural(run.settings['n_tuning'], 'other synthetic image')}"
    )
    if run.has_reference:
        said += f"; {plural(run.results['n_images']['real'], 'real image')} with labels, to check the ranking"
    return f"{said}. Brackets hold {LEVEL} intervals." if n >= 4 else f"{said}."
