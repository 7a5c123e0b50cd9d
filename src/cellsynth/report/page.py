"""One self-contained HTML page from the folder of a benchmark."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ..io.atomic import write_bytes
from . import calibration_figures, comparison_figures, score_figures, words
from .drawing import looks, panel, styled, to_svg
from .gallery import gallery
from .methods_text import command_again, methods_paragraph, without_marks
from .overlays import OUTCOMES, overlay_rows, shown_methods
from .power_text import power_sentences
from .response_figures import draw_responses
from .run_folder import DEFAULT, Benchmark, read_benchmark
from .verdict import ALPHA, attainable, verdict

PAGE = "report.html"

_FILES = {
    "recipe.yaml": "the fitted recipe; `cellsynth synthesize recipe.yaml OUT` makes more images",
    "synthetic/": "the images that were scored, with labels and a table of every simulated cell",
    "tuning/": "the images that the methods were tuned on",
    "segmentation/": "what every method made of every image, tuned and by default",
    "tables/scores.parquet": "every metric of every method on every image",
    "tables/summary.parquet": "their means with intervals",
    "tables/results.json": "rankings, tests, gains by tuning, agreement",
    "tables/methods.json": "configuration of every method, tuned and by default",
    "tables/outcomes_synthetic.parquet": "time, memory and errors on synthetic images",
    "tables/outcomes_real.parquet": "the same on real images",
    "tables/response.parquet": "score against the difficulty of the images",
    "calibration/": "parameters, and the statistics of real and synthetic images",
    "run.json": "settings, version, and checksums of your images",
    "files.json": "checksums of what the run made",
}

_COLUMNS = {
    "average_precision[iou=0.5]": "AP 0.5",
    "average_precision[iou=0.7]": "AP 0.7",
    "average_precision[iou=0.9]": "AP 0.9",
    "panoptic_quality": "PQ",
    "dice": "Dice",
    "count_error": "count error",
}


_SCORE_FIGURES = (
    "scores",
    "ranks",
    "ranks_real",
    "thresholds",
    "thresholds_real",
    "runtime",
    "agreement",
    "tau",
    "critical_synthetic",
    "critical_real",
    "significance_synthetic",
    "significance_real",
    "podium_synthetic",
    "podium_real",
)


def write_page(run: Path) -> Path:
    """Write `report.html` into the folder of a benchmark.

    The page holds all its pictures and loads nothing. Equal folders give equal bytes, except for times and
    memory, which no two runs share.

    Parameters
    ----------
    run
        Output folder of `cellsynth benchmark`; its real images are shown where they still are.

    Returns
    -------
    page
        The file.

    Raises
    ------
    InputError
        If the folder is no benchmark, or one that has not come to its end; says what is missing.
    StorageError
        If the page cannot be written.
    """
    benchmark = read_benchmark(Path(run))
    environment = Environment(
        loader=PackageLoader("cellsynth.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = environment.get_template("template.html.j2").render(_contents(benchmark, environment))
    path = Path(run) / PAGE
    write_bytes(path, text.encode("utf-8"))
    return path


def _contents(run: Benchmark, environment: Environment) -> dict[str, Any]:
    look = looks([m["kind"] for m in run.methods])
    style = environment.get_template("style.css").render()
    paragraph, references = methods_paragraph(run)
    pairs, n_conditions = gallery(run)
    answer = verdict(run)
    shown = shown_methods(run, answer.best)
    return {
        "run": run,
        "words": words,
        "style": Markup(style),  # noqa: S704 a file of this package
        "colours": {m: colour for m, (colour, _) in look.items()},
        "verdict": answer,
        "pairs": pairs,
        "n_conditions": n_conditions,
        "columns": _columns(run),
        "ranking": _ranking_rows(run),
        "tests": {o: _test_matrix(run, o) for o in run.results["rankings"]},
        "attainable": {o: attainable(run, o) for o in run.results["rankings"]},
        "alpha": ALPHA,
        "power": {o: power_sentences(run, o) for o in run.results["rankings"]},
        "figures": _score_figures(run, look) | _calibration_figures(run),
        "overlays": overlay_rows(run, shown),
        "outcomes": OUTCOMES,
        "shown": shown,
        "responses": draw_responses(run, look),
        "paragraph": paragraph,
        "references": references,
        "command": command_again(run),
        "files": {name: what for name, what in _FILES.items() if (run.folder / name).exists()},
        "without_marks": without_marks,
        "default": DEFAULT,
    }


def _score_figures(run: Benchmark, look: Any) -> dict[str, Markup | None]:
    if not run.ranked:
        return dict.fromkeys(_SCORE_FIGURES)
    return {
        "scores": score_figures.draw_scores(run, look),
        "ranks": score_figures.draw_ranks(run, look),
        "ranks_real": score_figures.draw_ranks(run, look, "real"),
        "thresholds": score_figures.draw_thresholds(run, look, "synthetic"),
        "thresholds_real": score_figures.draw_thresholds(run, look, "real"),
        "runtime": score_figures.draw_runtime(run, look),
        "agreement": score_figures.draw_agreement(run, look),
        "tau": score_figures.draw_tau(run),
    } | {
        f"{name}_{origin}": draw(run, look, origin)
        for name, draw in (
            ("critical", comparison_figures.draw_critical_difference),
            ("significance", comparison_figures.draw_significance),
            ("podium", comparison_figures.draw_podium),
        )
        for origin in ("synthetic", "real")
    }


def _calibration_figures(run: Benchmark) -> dict[str, Markup]:
    plots: dict[str, Any] = {
        "spectrum": lambda axes: calibration_figures.draw_spectrum(axes, run.curves),
        "intensities": lambda axes: calibration_figures.draw_quantiles(axes, run.curves),
        "sizes": lambda axes: calibration_figures.draw_histogram(
            axes, run.cells, "radius_px", "radius of a cell (px)"
        ),
        "brightness": lambda axes: calibration_figures.draw_histogram(
            axes, run.cells, "contrast", "brightness above the surroundings (grey levels)"
        ),
        "statistics": lambda axes: calibration_figures.draw_statistics(
            axes, run.statistics, run.calibration["statistics"]
        ),
    }
    result = {}
    for name, draw in plots.items():
        with styled(name):
            figure, axes = panel(4.8, 5.6) if name == "statistics" else panel(4.1, 2.7)
            draw(axes)
            result[name] = to_svg(figure, name, f"{name} of real and of synthetic images")
    return result


def _columns(run: Benchmark) -> dict[str, str]:
    """Metrics of the ranking table but the deciding one, which has columns of its own."""
    return {name: title for name, title in _COLUMNS.items() if name != run.metric}


def _ranking_rows(run: Benchmark) -> list[dict[str, Any]]:
    kinds = {m["kind"]: m for m in run.methods}
    rows = []
    for method in run.ranked:
        place = run.ranking("synthetic")[method]
        mean = run.mean("synthetic", method, run.metric) or {
            "mean": place["score"],
            "low": None,
            "high": None,
        }
        gain = run.gain("synthetic", method) or {}
        rows.append(
            {
                "method": method,
                "headline": without_marks(str(kinds.get(method, {}).get("headline", ""))),
                "place": place,
                "mean": mean,
                "others": [run.mean("synthetic", method, name) for name in _columns(run)],
                "gain": gain,
                "keeps_defaults": _keeps_defaults(kinds.get(method, {})),
                "real": run.ranking("real").get(method),
                "real_mean": run.mean("real", method, run.metric),
                "cost": run.cost(method),
            }
        )
    return rows


def _keeps_defaults(method: dict[str, Any]) -> bool:
    return "config" in method and method["config"] == method.get("default_config")


def _test_matrix(run: Benchmark, origin: str) -> list[tuple[str, list[dict[str, Any] | None]]]:
    methods = [m for m in run.ranked if m in run.ranking(origin)]
    return [(a, [None if a == b else run.test(origin, a, b) for b in methods]) for a in methods]
