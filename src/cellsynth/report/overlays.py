"""Outlines of what a method found, over the image: where it is right and where it fails."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from markupsafe import Markup
from scipy import ndimage
from skimage.measure import approximate_polygon, find_contours

from ..core.sample import Sample
from ..core.types import Labels
from ..data.image_set import ImageSet
from ..evaluate.objects import classify_objects
from ..evaluate.segmentation import LabelPair
from .pictures import Picture, Window, grey_range
from .run_folder import Benchmark
from .words import is_number, metric_name, plural, score

OUTCOMES = {
    "match": "found",
    "miss": "missed",
    "false_alarm": "false alarm",
    "split": "split",
    "merge": "merged",
}
"""Outcomes in the order of the legend; the style sheet gives each its colour and stroke."""


@dataclass(frozen=True)
class Panel:
    """One method on one image."""

    method: str
    picture: Markup
    caption: str


@dataclass(frozen=True)
class Row:
    """All shown methods on one image."""

    title: str
    note: str
    panels: list[Panel]
    is_missing: bool = False


def shown_methods(run: Benchmark, best: str) -> list[str]:
    """The method that is advised, a middling and the worst one; of those that did not fail everywhere."""
    has_failed = run.scores.groupby("method")["failed"].all()
    ranked = [m for m in run.ranked if m == best or not has_failed.get(m, False)]
    chosen = [best or ranked[0], ranked[(len(ranked) - 1) // 2], ranked[-1]] if ranked else []
    return list(dict.fromkeys(chosen))


def overlay_rows(run: Benchmark, shown: Sequence[str]) -> list[Row]:
    """Rows of overlays: a typical and the hardest synthetic image, the same of real ones, and some without labels."""
    if not shown:
        return []
    synthetic = run.synthetic
    rows = [
        _row(run, shown, "synthetic", name, f"Synthetic, {why}", _sample(synthetic, name))
        for name, why in _telling(run, "synthetic")
    ]
    for name, why in _telling(run, "real") if run.has_reference else []:
        rows.append(_row(run, shown, "real", name, f"{name}, {why}", run.real_sample(name)))
    rows += [
        _row(run, shown, "real", name, f"{name}, not labelled", run.real_sample(name))
        for name in _unlabelled(run)
    ]
    return rows


def _sample(images: ImageSet, name: str) -> Sample:
    return images.load(images.index_of(name))


def _telling(run: Benchmark, origin: str) -> list[tuple[str, str]]:
    """The images with the median and the worst mean score over the methods."""
    methods = [m for m in run.ranked if m in run.ranking(origin)]
    if not methods:
        return []
    worst = 0.0 if run.is_higher_better else np.inf
    table = pd.DataFrame({m: run.image_scores(origin, m).fillna(worst) for m in methods})
    order = table.mean(axis=1).sort_values(ascending=run.is_higher_better, kind="stable").index
    typical, hardest = str(order[len(order) // 2]), str(order[0])
    if typical == hardest:
        return [(typical, "the only image" if len(order) == 1 else "the hardest image")]
    return [(typical, "a typical image"), (hardest, "the hardest image")]


def _unlabelled(run: Benchmark) -> list[str]:
    """Two images without labels where there is no reference, else one."""
    names = [n for n, e in run.real.items() if e.labels is None and _has_prediction(run, n)]
    wanted = 1 if run.has_reference else 3
    step = max(len(names) / wanted, 1)
    return [names[int(i * step)] for i in range(min(wanted, len(names)))]


def _has_prediction(run: Benchmark, name: str) -> bool:
    folder = run.folder / "segmentation" / "real"
    return any((folder / method / f"{name}.tif").exists() for method in run.ranked)


def _row(
    run: Benchmark, shown: Sequence[str], origin: str, name: str, title: str, sample: Sample | None
) -> Row:
    if sample is None:
        note = "The image is no longer where it was when the benchmark ran, or has changed, so it cannot be shown."
        return Row(title, note, [], is_missing=True)
    picture = Picture(sample, grey_range(sample))
    height, width = sample.image.shape[-2:]
    note = f"Part of an image of {height} by {width} px." if picture.is_part else ""
    base = (
        f"image-{origin}-{list(run.real).index(name) if origin == 'real' else run.synthetic.index_of(name)}"
    )
    panels = []
    for i, method in enumerate(shown):
        labels = run.prediction(origin, method, name)
        lines, caption = Markup(), "failed on this image"
        if labels is not None and labels.shape == sample.image.shape[1:]:
            lines, counts = outlines(sample.labels, labels, picture.window)
            caption = _caption(run, origin, method, name, counts, int(labels.max(initial=0)))
        svg = picture.svg(base, f"{method} on {name}: {caption}", lines, is_known=i > 0)
        panels.append(Panel(method, svg, caption))
    return Row(title, note, panels)


def _caption(
    run: Benchmark, origin: str, method: str, name: str, counts: dict[str, int] | None, n_cells: int
) -> str:
    if counts is None:
        return plural(n_cells, "cell")
    value = run.image_scores(origin, method).get(name)
    said = ", ".join(
        plural(n, OUTCOMES[o]) if o == "false_alarm" else f"{n} {OUTCOMES[o]}" for o, n in counts.items() if n
    )
    return f"{metric_name(run.metric)}: {score(float(value))}. {said}" if is_number(value) else said


def outlines(
    reference: Labels | None, prediction: Labels, window: Window
) -> tuple[Markup, dict[str, int] | None]:
    """Lines over a window, and how many objects of the whole image had each outcome.

    Predicted objects are drawn, and the reference objects that were missed. A split counts once, as the object
    that was cut; a merge counts the objects that were joined.
    """
    if reference is None:
        return _paths(prediction, ((int(i), "plain") for i in np.unique(prediction) if i), window), None
    found = classify_objects(LabelPair(reference, prediction))
    lines = _paths(prediction, zip(found.prediction_ids, found.prediction, strict=True), window)
    lines += _paths(
        reference,
        ((i, o) for i, o in zip(found.reference_ids, found.reference, strict=True) if o == "miss"),
        window,
    )
    counts = Counter(found.reference.tolist())
    counts["false_alarm"] = int((found.prediction == "false_alarm").sum())
    return lines, {outcome: counts[outcome] for outcome in OUTCOMES}


def _paths(labels: Labels, outcomes: Iterable[tuple[int, str]], window: Window) -> Markup:
    """One path per outcome with the outlines of all its objects."""
    wanted: dict[int, str] = {int(i): str(o) for i, o in outcomes}
    part = labels[window]
    by_outcome: dict[str, list[str]] = {}
    for i, box in enumerate(ndimage.find_objects(part), start=1):
        if box is None or i not in wanted:
            continue
        by_outcome.setdefault(wanted[i], []).append(_outline(part[box] == i, box[0].start, box[1].start))
    # The common outcome first, so that errors lie on top.
    order = sorted(by_outcome, key=lambda o: [*OUTCOMES, "plain"].index(o))
    return Markup("").join(
        Markup('<path class="outline {}" d="{}"/>').format(o, "".join(by_outcome[o])) for o in order
    )


def _outline(mask: np.ndarray, y0: int, x0: int) -> str:
    """SVG path around an object, in pixels whose corner is the origin."""
    parts = []
    for contour in find_contours(np.pad(mask, 1).astype(np.float32), 0.5):
        points = approximate_polygon(contour, 0.35) + np.array([y0 - 0.5, x0 - 0.5])
        steps = "L".join(f"{_short(x)} {_short(y)}" for y, x in points[:-1])
        parts.append(f"M{steps}Z")
    return "".join(parts)


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
