import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellsynth.core.grid import Grid
from cellsynth.core.rng import Key
from cellsynth.core.sample import Sample
from cellsynth.io.png import read_png
from cellsynth.io.tables import write_parquet
from cellsynth.report.calibration_figures import draw_calibration, standardised
from cellsynth.report.overlays import outlines
from cellsynth.report.pictures import LARGEST_PX, Picture, grey_range, scale_bar, to_grey, window_of


def sample(name: str = "a", shape: tuple[int, int] = (31, 47), *, is_scale_known: bool = False) -> Sample:
    image = np.linspace(0, 1, shape[0] * shape[1], dtype=np.float32).reshape(1, *shape)
    grid = Grid(shape_px=shape, voxel_um=(0.5, 0.5), is_scale_known=is_scale_known)
    return Sample(name=name, grid=grid, image=image, bit_depth=8)


def test_large_images_show_a_window() -> None:
    assert window_of((31, 47)) == (slice(0, 31), slice(0, 47))
    rows, columns = window_of((31, 3000))
    assert rows == slice(0, 31)
    assert columns.stop - columns.start == LARGEST_PX
    assert Picture(sample(shape=(31, 3000)), (0, 255)).is_part


def test_grey_values_span_the_range_between_the_limits() -> None:
    grey = to_grey(sample(), grey_range(sample()))
    assert (grey.min(), grey.max()) == (0, 255)
    constant = Sample(name="c", grid=Grid(shape_px=(5, 7)), image=np.zeros((1, 5, 7), np.float32))
    assert to_grey(constant, grey_range(constant)).max() == 0


def test_the_scale_bar_is_round_and_has_a_unit() -> None:
    assert scale_bar(sample(is_scale_known=True).grid, 100) == (20, "10 µm")
    assert scale_bar(Grid(shape_px=(9, 9), is_scale_known=False), 450) == (50, "50 px")


def testoutlines_name_what_became_of_each_object() -> None:
    reference, prediction = np.zeros((2, 31, 47), np.int32)
    reference[2:10, 2:10], reference[20:28, 2:10], reference[2:10, 30:40] = 1, 2, 3
    prediction[2:10, 2:10], prediction[20:28, 30:40] = 1, 2
    lines, counts = outlines(reference, prediction, window_of(reference.shape))
    assert counts == {"match": 1, "miss": 2, "false_alarm": 1, "split": 0, "merge": 0}
    assert re.findall('class="outline (.*?)"', str(lines)) == ["match", "false_alarm", "miss"]
    # The outline runs along the borders of the pixels, corners cut.
    numbers = [float(v) for v in re.findall(r"[\d.]+", re.findall('d="(.*?)"', str(lines))[0])]
    assert (min(numbers), max(numbers)) == (2, 10)


def test_without_labelsoutlines_are_plain() -> None:
    prediction = np.zeros((31, 47), np.int32)
    prediction[2:10, 2:10] = 1
    lines, counts = outlines(None, prediction, window_of(prediction.shape))
    assert counts is None
    assert 'class="outline plain"' in str(lines)


def test_statistics_are_measured_in_spreads_between_real_images() -> None:
    table = pd.DataFrame(
        {
            "origin": ["real"] * 3 + ["synthetic"],
            "statistic": "radius",
            "value": [9.0, 10.0, 11.0, 12.0],
        }
    )
    z = standardised(table)["z"].to_numpy()
    assert z[1] == 0
    assert z[3] == pytest.approx(2 * z[2])


def test_calibration_draws_two_pictures(tmp_path: Path, key: Key) -> None:
    rng = key.generator()
    origins = ["real"] * 3 + ["synthetic"] * 3
    statistics = [
        {
            "origin": o,
            "image": f"i{i}",
            "index": i,
            "statistic": s,
            "value": float("nan") if i == 5 else rng.uniform(1, 2),
        }
        for i, o in enumerate(origins)
        for s in ("radius", "gain")
    ]
    curves = [
        {"origin": o, "index": i, "curve": c, "x": x, "y": rng.uniform(0, 1)}
        for i, o in enumerate(origins)
        for c in ("spectrum", "quantiles")
        for x in (0.1, 0.2, 0.4)
    ]
    cells = {
        "origin": origins,
        "image": "i",
        "radius_px": rng.uniform(5, 9, 6),
        "contrast": rng.uniform(5, 9, 6),
    }
    write_parquet(tmp_path / "statistics.parquet", pd.DataFrame(statistics))
    write_parquet(tmp_path / "curves.parquet", pd.DataFrame(curves))
    write_parquet(tmp_path / "cells.parquet", pd.DataFrame(cells))
    draw_calibration(tmp_path, [(sample("a$b_$\N{CJK UNIFIED IDEOGRAPH-7D30}"), sample("synthetic_0"))])
    for name in ("real_beside_synthetic.png", "statistics.png"):
        assert read_png(tmp_path / name).std() > 0
    first = (tmp_path / "statistics.png").read_bytes()
    draw_calibration(tmp_path, [(sample(), sample())])
    assert (tmp_path / "statistics.png").read_bytes() == first
