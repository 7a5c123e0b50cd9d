"""A small benchmark that the tests of the report share; they copy what they change."""

import os
import shutil
from pathlib import Path

import pytest

from cellsynth.data.folder import read_folder
from cellsynth.demo_data import demo_images, demo_labels
from cellsynth.io.png import read_png, write_png
from cellsynth.pipeline.benchmark import run_benchmark

# What a user may call a file; a few systems allow only the tame one.
HOSTILE = "a<b>&$c$" if os.name == "nt" else 'a<script>b&"$c$'


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished benchmark with labelled images, one of them with a hostile name."""
    folder = tmp_path_factory.mktemp("report")
    images = {path.stem: path for path in demo_images()}
    for path in demo_labels():
        name = HOSTILE if path.stem == "dsb_tile1" else path.stem
        for part, source in (("images", images[path.stem]), ("labels", path)):
            (folder / part).mkdir(exist_ok=True)
            write_png(folder / part / f"{name}.png", read_png(source)[:128, :144])
    run_benchmark(
        read_folder(folder / "images", folder / "labels"),
        folder / "run",
        n_images=3,
        n_tuning=2,
        budget=3,
        methods="otsu,h_maxima,voronoi_otsu,stardist",
        workers=1,
        quiet=True,
    )
    return folder / "run"


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished benchmark, to change."""
    return Path(shutil.copytree(finished, tmp_path / "run"))
