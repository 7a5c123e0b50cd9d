"""Figures of scores, ranks, thresholds, time, and agreement."""

from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from .drawing import INK, MUTED, PAPER, Look, key_at_right, label_at_right, panel, styled, to_svg, whisker
from .run_folder import Benchmark
from .score_table_figures import rank_panel
from .words import is_number, metric_name, seconds


def draw_scores(run: Benchmark, look: Look) -> Markup:
    """Dot plot: mean score of every method with its interval, and the images behind it."""
    methods, metric = run.ranked, run.metric
    origins = [o for o in ("synthetic", "real") if run.ranking(o)]
    with styled("scores"):
        figure, axes = panel(4.3, 0.7 + (0.42 if len(origins) == 2 else 0.34) * len(methods))
        for i, method in enumerate(methods):
            for origin in origins:
                y = i + (0 if len(origins) == 1 else -0.17 if origin == "synthetic" else 0.2)
                _one_score(axes, run, look, origin, method, y)
        axes.set_yticks(range(len(methods)), methods)
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(len(methods) - 0.45, -0.55)
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(metric_name(metric))
        if len(origins) == 2:
            for text, face in (("synthetic", INK), ("your labelled images", PAPER)):
                axes.plot([], [], "o", ms=5, mec=INK, mfc=face, label=text, lw=0)
            figure.legend(loc="outside upper left", ncols=2, fontsize=8.5, handletextpad=0.1)
        said = ", ".join(
            f"{m} {row['mean']:.2f}" for m in methods if (row := run.mean("synthetic", m, metric)) is not None
        )
        return to_svg(figure, "scores", f"{metric_name(metric)} of every method on synthetic images: {said}")


def _one_score(axes: Axes, run: Benchmark, look: Look, origin: str, method: str, y: float) -> None:
    row = run.mean(origin, method, run.metric)
    if row is None:
        return
    colour, marker = look[method]
    images = run.image_scores(origin, method).dropna().to_numpy(float)
    axes.plot(images, np.full(len(images), y), "|", ms=5, color=colour, alpha=0.35, mew=0.9)
    value, ends = whisker(row)
    face = colour if origin == "synthetic" else PAPER
    axes.errorbar(value, y, xerr=ends, color=colour, lw=2, zorder=3)
    axes.plot(value, y, marker, ms=6, color=colour, mfc=face, mew=1.4, zorder=4)


def draw_ranks(run: Benchmark, look: Look, origin: str = "synthetic") -> Markup | None:
    """Blob plot of ranks when the images were resampled; None where there are too few images."""
    ranking = run.results["rankings"].get(origin)
    if ranking is None:
        return None
    rows = {
        r["method"]: [r["rank_low"], r["rank_high"], *shares]
        for r, shares in zip(ranking["rows"], ranking["distribution"], strict=True)
    }
    methods = [m for m in run.ranked if m in rows]
    columns = ["rank_low", "rank_high", *range(1, len(rows) + 1)]
    table = pd.DataFrame([rows[m] for m in methods], index=methods, columns=columns, dtype=float)
    if not np.isfinite(table.to_numpy()[:, 2:]).any():
        return None
    with styled(f"ranks-{origin}"):
        return to_svg(
            rank_panel(table, look),
            f"ranks-{origin}",
            f"Share of bootstrap samples in which each method had each rank, {origin} images",
        )


def draw_thresholds(run: Benchmark, look: Look, origin: str) -> Markup | None:
    """AP of every method against the IoU from which an object counts as found."""
    summary = run.summary[run.summary["origin"] == origin]
    is_ap = summary["metric"].str.startswith("average_precision[iou=")
    table = summary[is_ap & summary["method"].isin(run.ranked)].copy()
    if table.empty:
        return None
    table["iou"] = table["metric"].str.extract(r"iou=([0-9.]+)", expand=False).astype(float)
    with styled(f"thresholds-{origin}"):
        figure, axes = panel()
        means = table.groupby("method")["mean"].mean().sort_values(ascending=False)
        for method in run.ranked:
            part = table[table["method"] == method].sort_values("iou")
            if part.empty:
                continue
            colour, _ = look[method]
            x, y = part["iou"].to_numpy(), part["mean"].to_numpy()
            axes.fill_between(
                x, part["low"].to_numpy(), part["high"].to_numpy(), color=colour, alpha=0.13, lw=0
            )
            axes.plot(x, y, color=colour)
        axes.set_xlim(0.5, 0.95)
        axes.set_ylim(0, 1.0)
        axes.set_xlabel("overlap from which a cell counts as found (IoU)")
        axes.set_ylabel("AP")
        key_at_right(axes, [(str(m), look[str(m)][0]) for m in means.index])
        what = "synthetic images" if origin == "synthetic" else "labelled real images"
        return to_svg(figure, f"thresholds-{origin}", f"AP against the IoU threshold per method, on {what}")


def draw_runtime(run: Benchmark, look: Look) -> Markup:
    """Score against time per image."""
    with styled("runtime"):
        figure, axes = panel()
        points = []
        for method in run.ranked:
            row, cost = run.mean("synthetic", method, run.metric), run.cost(method)
            if row is None or not is_number(cost.get("seconds_per_image")):
                continue
            colour, marker = look[method]
            value, ends = whisker(row)
            x = max(float(cost["seconds_per_image"]), 1e-6)
            axes.errorbar(x, value, yerr=ends, color=colour, lw=1.5)
            axes.plot(x, value, marker, ms=7, color=colour, mec=PAPER, mew=0.7)
            points.append((method, x, value, colour))
        _log_seconds(axes, [p[1] for p in points])
        axes.set_xlabel("time per image (median)")
        axes.set_ylabel(metric_name(run.metric))
        label_at_right(axes, points)
        return to_svg(figure, "runtime", "Score against time per image of every method")


def _log_seconds(axes: Axes, values: list[float]) -> None:
    axes.set_xscale("log")
    if values:
        axes.set_xlim(min(values) / 1.6, max(values) * 1.6)
    is_narrow = not values or max(values) / min(values) < 30
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if is_narrow else (1,)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: seconds(float(x))))
    axes.xaxis.set_minor_formatter(NullFormatter())


def draw_agreement(run: Benchmark, look: Look) -> Markup | None:
    """Slope chart: every method's score on synthetic images and on labelled real ones."""
    if not run.has_reference:
        return None
    rows = [
        (method, synthetic, real)
        for method in run.ranked
        if (synthetic := run.mean("synthetic", method, run.metric)) is not None
        and (real := run.mean("real", method, run.metric)) is not None
    ]
    if not rows:
        return None
    with styled("agreement"):
        figure, axes = panel(4.3, 3.8)
        ends = []
        for i, (method, *both) in enumerate(rows):
            colour, marker = look[method]
            shift = 0.08 * (i / max(len(rows) - 1, 1) - 0.5)  # so that intervals stand side by side
            x = np.array([0.0, 1.0]) + shift
            y = [row["mean"] for row in both]
            axes.plot(x, y, color=colour, lw=1.6, alpha=0.8)
            for k, row in enumerate(both):
                axes.errorbar(x[k], y[k], yerr=whisker(row)[1], color=colour, lw=1.2, alpha=0.6)
                axes.plot(x[k], y[k], marker, ms=6, color=colour, mec=PAPER, mew=0.6)
            ends.append((method, x[1], y[1], colour))
        axes.set_xlim(-0.12, 1.08)
        axes.set_xticks([0, 1], ["synthetic", "your labelled images"])
        axes.grid(visible=False, axis="x")
        axes.set_ylabel(metric_name(run.metric))
        label_at_right(axes, ends, gap=0.065)
        return to_svg(
            figure,
            "agreement",
            "Score of every method on synthetic images and on labelled real images, side by side",
        )


def draw_tau(run: Benchmark) -> Markup | None:
    """Kendall's tau of both rankings, by metric; None for two methods, whose tau is a sign."""
    table: dict[str, Any] = run.results.get("agreement_by_metric") or {}
    rows = [
        (metric_name(name), row)
        for name, row in table.items()
        if is_number(row["tau"]) and row["n_methods"] > 2
    ]
    if not rows:
        return None
    with styled("tau"):
        figure, axes = panel(4.3, 0.7 + 0.27 * len(rows))
        for i, (_, row) in enumerate(rows):
            value, ends = whisker(row, "tau")
            axes.errorbar(value, i, xerr=ends, color=INK, lw=1.5)
            axes.plot(value, i, "o", ms=5.5, color=INK)
        axes.axvline(0, color=MUTED, lw=0.9)
        axes.set_xlim(-1.05, 1.05)
        axes.set_yticks(range(len(rows)), [name for name, _ in rows])
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("Kendall's tau (1: same order, \N{MINUS SIGN}1: reversed)")
        return to_svg(figure, "tau", "Agreement of the rankings on synthetic and real images, by metric")
