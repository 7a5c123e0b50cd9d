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
    advised if it may be the best on synthetic images as well; if not, the page says that the two disagree. Methods
    with the same score share a place, and images on which all have the same decide nothing.
    """
    if not run.ranked:
        caveats = [
            Caveat("No segmenter ran", "None of the chosen methods is installed; see the table.", True)
        ]
        return Verdict("", "No segmenter could be run, so there is no answer.", [], _basis(run), caveats)
    best = _advised(run)
    caveats = caveats_of(run, best)
    also = [*_tie_sentences(run), *_rival_sentences(run, best)] if best else []
    return Verdict(best, _answer(run, best, caveats), also, _basis(run), caveats)


def _deciding(run: Benchmark, origin: str) -> list[str]:
    """The best methods, or none where the images do not tell methods apart."""
    is_alone = len(run.ranked) == 1
    return run.leaders(origin) if is_alone or run.tells_apart(origin) else []


def _advised(run: Benchmark) -> str:
    """One of the best on synthetic images; among these, and those that may be, one of the best on real ones."""
    first, real = _deciding(run, "synthetic"), _deciding(run, "real")
    if not first:
        return next(iter(real), "")
    return next((m for m in [*first, *maybe_best(run)] if m in real), first[0])


def _answer(run: Benchmark, best: str, caveats: list[Caveat]) -> str:
    first, real = _deciding(run, "synthetic"), _deciding(run, "real")
    on_synthetic = f"on {plural(run.results['n_images']['synthetic'], 'synthetic image')} made like yours"
    on_real = f"on your {plural(run.results['n_images'].get('real', 0), 'labelled image')}"
    if not first:
        all_same = f"There is no answer from synthetic images: {_all_same(run, 'synthetic')} {on_synthetic}"
        return (
            f"{all_same}. {_shared(real)} {on_real} ({_value(run, 'real', best)})."
            if best
            else f"{all_same}."
        )
    score_of = f"{metric_name(run.metric)} of {_value(run, 'synthetic', best)}"
    is_clear = not any(c.is_grave for c in caveats)
    if not real:
        verb = _verb(run) if is_clear else "scores best"
        checked = (
            f"; {on_real} {_all_same(run, 'real')}, so these decide nothing" if run.has_reference else ""
        )
        return f"{_said(first, verb)}: {score_of} {on_synthetic}{checked}."
    both = [m for m in first if m in real]
    if both:
        verb = _verb(run) if is_clear else "scores best, but read the warnings below"
        where = "best on both" if len(run.ranked) > 1 else "no other method ran"
        values = f"{score_of} {on_synthetic}, and {_value(run, 'real', best)} {on_real}"
        return f"{_said(both, verb)}: {values}; {where}."
    if best in real:
        return (
            f"{best} is the safest choice: best {on_real} ({metric_name(run.metric)} of "
            f"{_value(run, 'real', best)}), and "
            f"possibly so {on_synthetic} ({_value(run, 'synthetic', best)}; {listing(first)} "
            f"{'has' if len(first) == 1 else 'have'} {_value(run, 'synthetic', first[0])})."
        )
    return (
        f"There is no clear answer: {_shared(first)} {on_synthetic} ({score_of}), and {listing(real)} {on_real} "
        f"({_value(run, 'real', real[0])}, where {best} has {_value(run, 'real', best)})."
    )


def _verb(run: Benchmark) -> str:
    """Others that other images could have put first are not to be hidden by the first sentence."""
    return "is a good choice" if maybe_best(run) else "is the one to trust"


def _said(methods: list[str], verb: str) -> str:
    """`a is the one to trust`; of several `a and b score the same and best`."""
    return f"{methods[0]} {verb}" if len(methods) == 1 else _shared(methods)


def _shared(methods: list[str]) -> str:
    if len(methods) == 1:
        return f"{methods[0]} scores best"
    return f"{listing(methods)} share the first place"


def _all_same(run: Benchmark, origin: str) -> str:
    """What is to be said of images that do not tell methods apart."""
    leaders = run.leaders(origin)
    if not leaders:
        return "no method has a score"
    return f"all methods score the same ({score(run.ranking(origin)[leaders[0]]['score'])})"


def _value(run: Benchmark, origin: str, method: str) -> str:
    """Score and its interval in brackets."""
    row = run.mean(origin, method, run.metric) or {}
    between = interval(row)
    return score(row.get("mean")) + (f" [{between}]" if between else "")


def maybe_best(run: Benchmark) -> list[str]:
    """Other methods whose rank interval on synthetic images reaches 1."""
    return _may_lead(run, "synthetic")[1:]


def _may_lead(run: Benchmark, origin: str) -> list[str]:
    """The first method, and those whose rank interval reaches 1."""
    ranking = run.ranking(origin)
    near = [m for m in run.ranked if m in ranking and is_number(low := ranking[m]["rank_low"]) and low <= 1]
    return [*run.leaders(origin)[:1], *(m for m in near if m not in run.leaders(origin)[:1])]


def not_separated(run: Benchmark) -> list[str]:
    """Other methods that no corrected test tells from the best on synthetic images."""
    tests = [(m, run.test("synthetic", run.ranked[0], m)) for m in run.ranked[1:]]
    return [m for m, test in tests if test is None or not (is_number(p := test["p_holm"]) and p < ALPHA)]


@dataclass(frozen=True)
class Attainable:
    """What the signed-rank test could say at best of the images there are."""

    n_images: int
    n_pairs: int

    p: float
    """Smallest p of one pair: all differences have the same sign."""

    p_holm: float
    """The same after Holm's correction, which multiplies the smallest by the number of pairs."""

    @property
    def is_significant(self) -> bool:
        """Whether any difference, however large, could pass."""
        return self.p_holm < ALPHA


def attainable(run: Benchmark, origin: str) -> Attainable | None:
    """The smallest p-value that the tests can give; None without a test."""
    tests = [t for t in run.results["tests"].get(origin, []) if t["n"]]
    if not tests:
        return None
    n = max(t["n"] for t in tests)
    p = min(2 * 0.5**n, 1.0)
    return Attainable(n, len(tests), p, min(p * len(tests), 1.0))


def _tie_sentences(run: Benchmark) -> list[str]:
    if len(run.ranked) < 2:
        return []
    best, equal = run.ranked[0], run.leaders("synthetic")
    limit = attainable(run, "synthetic")
    near = [m for m in maybe_best(run) if m not in equal]
    unclear = [m for m in not_separated(run) if m not in [*near, *equal]]
    if not near and not unclear:
        verb = "is" if len(equal) == 1 else "are"
        others = "every other method by more than chance (Holm-corrected tests)"
        return [f"{listing(equal)} {verb} ahead of {others}."] if len(equal) < len(run.ranked) else []
    said = []
    if near:
        them = "it" if len(near) == 1 else "them"
        said.append(
            f"{listing(near)} may be as good as {best} on synthetic images: other images could have put {them} first."
        )
    if unclear and not (limit and limit.is_significant):
        said.append(
            f"{plural(run.results['n_images']['synthetic'], 'synthetic image')} are too few for strict tests (Holm); "
            "more of them (--n-images) would allow some."
        )
    elif unclear:
        either = " either" if near else ""
        said.append(f"A strict test (Holm) does not tell {listing(unclear, 'or')} from {best}{either}.")
    times = {m: run.cost(m).get("seconds_per_image") for m in [*equal, *near]}
    known = {m: float(t) for m, t in times.items() if is_number(t)}
    if best in known and len(known) > 1:
        fastest = min(known, key=lambda m: known[m])
        if known[best] > 1.5 * known[fastest]:
            factor = number(known[best] / known[fastest], 2)
            said.append(f"Of these, {fastest} is the fastest, by a factor of {factor}.")
    return said


def _rival_sentences(run: Benchmark, best: str) -> list[str]:
    """Who else may be the best on real images."""
    rivals = [m for m in _may_lead(run, "real") if m not in run.leaders("real")]
    if best not in run.leaders("real") or not run.tells_apart("real") or not rivals:
        return []
    them = "it" if len(rivals) == 1 else "them"
    return [
        f"{listing(rivals)} may be as good on your images: other labelled ones could have put {them} first."
    ]


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
