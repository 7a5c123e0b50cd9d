"""The paragraph for a paper, its references, and the command that makes the run again."""

import inspect
import re
import shlex

from ..core.errors import RecipeError
from ..segment.base import registry as segmenters
from .run_folder import Benchmark
from .words import LEVEL, interval, is_number, listing, metric_name, number, plural, score, typeset

_STATISTICS = (
    'C. Gourieroux, A. Monfort, E. Renault, "Indirect inference", J. Appl. Econometrics 8 (1993) S85-S118.',
    'A. Davison, D. Hinkley, "Bootstrap Methods and their Application", Cambridge 1997, section 5.2.2.',
    'M. Wiesenfarth et al., "Methods and open-source toolkit for analyzing and visualizing challenge results", '
    "Sci. Rep. 11 (2021) 2369.",
    'F. Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bull. 1 (1945) 80-83.',
    'S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6 (1979) 65-70.',
)
_KENDALL = 'M. Kendall, "The treatment of ties in ranking problems", Biometrika 33 (1945) 239-251.'


def methods_paragraph(run: Benchmark) -> tuple[str, list[str]]:
    """Text to paste into a paper, and the numbered references that it cites."""
    references: list[str] = list(_STATISTICS)
    cited = {m: _cite(references, segmenter_references(m)) for m in run.ranked}
    s, n = run.settings, run.results["n_images"]
    parameters = {p["name"]: p for p in run.calibration["parameters"]}
    radius = parameters.get("radius")
    size = (
        f" (median radius {number(radius['value'])} {typeset(radius['unit'])}, {LEVEL} interval "
        f"{number(radius['low'])} to "
        f"{number(radius['high'])})"
        if radius and is_number(radius["low"])
        else ""
    )
    text = [
        f"Segmentation methods were compared with cellsynth {run.record['cellsynth_version']}. A "
        f"simulation of fluorescence "
        f"microscopy was fitted to {plural(run.calibration['n_images'], 'unlabelled image')} by indirect "
        f"inference [1]{size}, "
        f"with {plural(len(run.calibration['conditions']), 'imaging condition')}. From it, "
        f"{plural(n['synthetic'], 'image')} with exact instance labels were generated for evaluation and "
        f"{s['n_tuning']} further ones for tuning (seed {s['seed']}).",
        f"{plural(len(run.ranked), 'method')} ({listing([f'{m}{c}' for m, c in cited.items()])}) were "
        f"tuned with a budget of "
        f"{s['budget']} configurations each and scored by {metric_name(run.metric)} per image, averaged "
        f"over images; images "
        "on which a method failed got the worst score.",
        f"Intervals of scores are {LEVEL} studentized bootstrap intervals of the mean over images "
        "[2]; intervals of ranks "
        "come from a bootstrap over images [3]; pairs of methods were compared by Wilcoxon's signed-rank test [4] with "
        "Holm's correction [5].",
    ]
    rows = [(m, run.mean("synthetic", m, run.metric)) for m in run.ranked]
    said = [
        f"{m} {score(row['mean'], 3)}{f' ({interval(row, 3)})' if interval(row, 3) else ''}"
        for m, row in rows
        if row is not None
    ]
    text.append(f"Scores were: {listing(said)}.")
    agreement = run.results.get("agreement")
    if agreement and is_number(agreement["tau"]) and agreement["n_methods"] == 2:
        order = "same" if agreement["tau"] > 0 else "opposite"
        text.append(f"{plural(n['real'], 'labelled real image')} put the two methods in the {order} order.")
    elif agreement and is_number(agreement["tau"]):
        mark = _cite(references, [_KENDALL])
        between = f" ({LEVEL} bootstrap interval {interval(agreement)})" if interval(agreement) else ""
        text.append(
            f"The same methods ranked on {plural(n['real'], 'labelled real image')} agreed with this "
            f"ranking by Kendall's "
            f"tau-b{mark} = {score(agreement['tau'])}{between}."
        )
    return " ".join(text), references


def _cite(references: list[str], new: list[str]) -> str:
    for reference in new:
        if reference not in references:
            references.append(reference)
    numbers = [str(references.index(reference) + 1) for reference in new]
    return f" [{', '.join(numbers)}]" if numbers else ""


def segmenter_references(kind: str) -> list[str]:
    """Publications of a segmenter, out of its docstring; none where this version does not know it."""
    try:
        text = inspect.getdoc(segmenters.get(kind)) or ""
    except (RecipeError, ImportError):
        return []
    listed = re.findall(r"^\.\. \[\d+\] (.+?)(?=^\.\. \[|\Z)", text, flags=re.DOTALL | re.MULTILINE)
    return [_without_note(" ".join(item.split())) for item in listed]


def _without_note(reference: str) -> str:
    """Leave out what a docstring adds after the year and pages, such as the equation that was taken."""
    found = re.match(r".*?\b(?:19|20)\d\d\b.*?(?=[.:] |$)", reference)
    return f"{found[0].rstrip('.')}." if found else reference


def without_marks(headline: str) -> str:
    """Headline of a method without the marks of its references."""
    return re.sub(r"\s*\[\d+\]_", "", headline)


def command_again(run: Benchmark) -> str:
    """Command that makes the run again, with names in place of the user's paths."""
    s = run.settings
    words = ["cellsynth", "benchmark", "IMAGES", "OUT", *(shlex.quote(o) for o in s["overrides"])]
    if any(e.labels for e in run.real.values()):
        words += ["--reference", "LABELS"]
    for name in ("n_images", "n_tuning", "budget", "seed"):
        words += [f"--{name.replace('_', '-')}", str(s[name])]
    words += ["--methods", ",".join(s["methods"]), "--metric", shlex.quote(s["metric"])]
    for name in ("voxel_um", "polarity"):
        value = s.get(name)
        if value is not None:
            words += [f"--{name.replace('_', '-')}", str(value[-1] if isinstance(value, list) else value)]
    channels = {e.channel for e in run.real.values()} - {None}
    if channels:
        words += ["--channel", str(min(channels, key=str))]
    return " ".join(words)
