"""Real images beside synthetic ones, and the statistics of both."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..core.sample import Sample
from ..io.atomic import replacing
from ..io.tables import read_json, read_parquet
from .drawing import INK, MUTED, REAL, SYNTHETIC, drawable, plain_log, styled
from .pictures import Picture, grey_range, scale_bar, to_grey, window_of
from .words import number

_COLOURS = {"real": REAL, "synthetic": SYNTHETIC}
_NAMES = {"real": "your images", "synthetic": "synthetic"}
_LARGEST_Z = 6.0


def draw_calibration(folder: Path, pairs: list[tuple[Sample, Sample]]) -> None:
    """Write `real_beside_synthetic.png` and `statistics.png` into the folder of a calibration.

    Parameters
    ----------
    folder
        Holds `statistics.parquet`, `cells.parquet` and `curves.parquet`.
    pairs
        A real image of each condition and a synthetic one.
    """
    statistics, cells, curves = (
        read_parquet(folder / f"{name}.parquet") for name in ("statistics", "cells", "curves")
    )
    known = folder / "calibration.json"
    units = read_json(known).get("statistics", {}) if known.is_file() else {}
    with styled("calibration"):
        _save(contact_sheet(pairs), folder / "real_beside_synthetic.png")
        figure = Figure(figsize=(11, 11), layout="constrained")
        halves: Any = figure.subfigures(1, 2, width_ratios=[1, 1.15])
        left, right = halves
        axes = [left.add_subplot(4, 1, i) for i in range(1, 5)]
        draw_spectrum(axes[0], curves)
        draw_quantiles(axes[1], curves)
        draw_histogram(axes[2], cells, "radius_px", "radius of a cell (px)")
        draw_histogram(
            axes[3], cells, "contrast", "brightness of a cell above its surroundings (grey levels)"
        )
        draw_statistics(right.add_subplot(), statistics, units)
        left.legend(handles=legend_handles(), loc="outside upper left", ncols=2)
        _save(figure, folder / "statistics.png")


def _save(figure: Figure, path: Path) -> None:
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=150, facecolor="white", metadata={"Software": None})


def contact_sheet(pairs: Sequence[tuple[Sample, Sample]]) -> Figure:
    """Two images per condition, real on the left, on the same grey scale."""
    n_columns = 1 if len(pairs) < 2 else 2 if len(pairs) < 7 else 3
    n_rows = -(-len(pairs) // n_columns)
    figure = Figure(figsize=(4.6 * n_columns, 2.55 * n_rows + 0.1), layout="constrained")
    grid = figure.subplots(n_rows, 2 * n_columns, squeeze=False)
    for axes in grid.ravel():
        axes.set_axis_off()
    for i, (real, synthetic) in enumerate(pairs):
        row, column = divmod(i, n_columns)
        limits = grey_range(real)
        for axes, sample, origin in zip(
            grid[row, 2 * column : 2 * column + 2], (real, synthetic), ("real", "synthetic"), strict=True
        ):
            window = window_of(sample.image.shape[1:])
            axes.imshow(
                to_grey(sample, limits)[window], cmap="gray", vmin=0, vmax=255, interpolation="nearest"
            )
            title = drawable(real.name, 26) if origin == "real" else "synthetic"
            axes.set_title(title, fontsize=8, fontweight="normal", color=_COLOURS[origin])
            _draw_bar(axes, Picture(sample, limits))
    return figure


def _draw_bar(axes: Axes, picture: Picture) -> None:
    length, text = scale_bar(picture.sample.grid, picture.shape[1])
    y, x = 0.95 * picture.shape[0], 0.05 * picture.shape[1]
    axes.plot([x, x + length], [y, y], color="white", lw=2, solid_capstyle="butt")
    axes.text(x, y - 0.02 * picture.shape[0], text, color="white", fontsize=7, va="bottom")


def legend_handles() -> list[Line2D]:
    """What the two colours mean."""
    return [Line2D([], [], color=_COLOURS[o], lw=2.5, label=_NAMES[o]) for o in _COLOURS]


def draw_spectrum(axes: Axes, curves: pd.DataFrame) -> None:
    """Radial power spectrum: median over images, and the range of the middle 80 %."""
    _draw_bands(axes, curves, "spectrum", floor=1e-9)
    axes.set_xscale("log")
    axes.set_yscale("log")
    plain_log(axes.xaxis, axes.yaxis)
    axes.set_xlabel("spatial frequency (per px)")
    axes.set_ylabel("share of the power")
    axes.set_title("Power spectrum")


def draw_quantiles(axes: Axes, curves: pd.DataFrame) -> None:
    """Grey level below which a share of the pixels lies."""
    _draw_bands(axes, curves, "quantiles")
    highest = curves.loc[curves["curve"] == "quantiles", "y"].max()
    if highest > 0:
        axes.set_yscale("symlog", linthresh=max(highest / 100, 1e-9))
        axes.set_ylim(bottom=0)
        plain_log(axes.yaxis)
    axes.set_xlabel("share of the pixels below")
    axes.set_ylabel("grey level")
    axes.set_title("Intensities")


def _draw_bands(axes: Axes, curves: pd.DataFrame, curve: str, floor: float = 0.0) -> None:
    for origin, colour in _COLOURS.items():
        part = curves[(curves["origin"] == origin) & (curves["curve"] == curve)]
        if part.empty:
            continue
        table = part.pivot_table(index="x", columns="index", values="y")
        low, middle, high = (table.quantile(q, axis=1).clip(lower=floor).to_numpy() for q in (0.1, 0.5, 0.9))
        x = table.index.to_numpy(float)
        axes.fill_between(x, low, high, color=colour, alpha=0.16, lw=0)
        axes.plot(x, middle, color=colour)


def draw_histogram(axes: Axes, cells: pd.DataFrame, column: str, label: str) -> None:
    """Share of the cells per bin, both origins over the same bins."""
    values = cells[column].to_numpy(float)
    values = values[np.isfinite(values)]
    if len(values):
        low, high = np.quantile(values, [0.002, 0.998])
        bins = np.linspace(low, high if high > low else low + 1, 31)
        for origin, colour in _COLOURS.items():
            part = cells.loc[cells["origin"] == origin, column].to_numpy(float)
            weights = np.full(len(part), 1 / max(len(part), 1))
            axes.hist(np.clip(part, bins[0], bins[-1]), bins, weights=weights, color=colour, alpha=0.14)
            axes.hist(
                np.clip(part, bins[0], bins[-1]), bins, weights=weights, color=colour, histtype="step", lw=1.5
            )
    axes.set_xlabel(label)
    axes.set_ylabel("share of cells")
    axes.set_title("Size of cells" if column == "radius_px" else "Brightness of cells")


def standardised(statistics: pd.DataFrame) -> pd.DataFrame:
    """Every statistic of every image as its distance to the median of the real images, in their spreads.

    The spread is half the range of the middle 68 % of the real images, at least 5 % of the median.

    Returns
    -------
    table
        `origin`, `statistic`, `value`, and `z`; statistics without a real value are left out.
    """
    rows = []
    for name in dict.fromkeys(statistics["statistic"]):
        part = statistics[statistics["statistic"] == name].dropna(subset="value")
        real = part.loc[part["origin"] == "real", "value"].to_numpy(float)
        if not len(real):
            continue
        low, middle, high = np.quantile(real, [0.16, 0.5, 0.84])
        unit = max((high - low) / 2, 0.05 * abs(middle), 1e-12)
        rows.append(part.assign(z=(part["value"] - middle) / unit)[["origin", "statistic", "value", "z"]])
    columns = ["origin", "statistic", "value", "z"]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns)


def draw_statistics(axes: Axes, statistics: pd.DataFrame, units: dict[str, dict[str, str]]) -> None:
    """One row per statistic: every image as a dot, medians as bars, the medians' values at the right."""
    table = standardised(statistics)
    names = list(dict.fromkeys(table["statistic"]))
    to_right = axes.get_yaxis_transform()
    for i, name in enumerate(names):
        medians = []
        for origin, offset in (("real", -0.17), ("synthetic", 0.17)):
            part = table[(table["statistic"] == name) & (table["origin"] == origin)]
            if part.empty:
                medians.append(np.nan)
                continue
            z = np.clip(part["z"].to_numpy(float), -_LARGEST_Z, _LARGEST_Z)
            axes.plot(z, np.full(len(z), i + offset), "o", ms=3.2, color=_COLOURS[origin], alpha=0.45, mew=0)
            axes.plot(np.median(z), i + offset, "|", ms=9, mew=2.2, color=_COLOURS[origin])
            medians.append(float(part["value"].median()))
        axes.text(
            1.02,
            i,
            f"{number(medians[0])} | {number(medians[1])}",
            transform=to_right,
            va="center",
            fontsize=8,
        )
    axes.text(1.02, -0.95, "medians", transform=to_right, va="center", fontsize=8, color=MUTED)
    axes.axvline(0, color=INK, lw=0.8, zorder=0)
    axes.set_yticks(range(len(names)), [n.replace("_", " ") for n in names])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(names) - 0.5, -0.6)
    axes.set_xlim(-_LARGEST_Z - 0.4, _LARGEST_Z + 0.4)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("distance to the median of the real images,\nin spreads between them")
    axes.set_title("Every statistic")
