"""The images the package carries: all there, all attributed, small, and copied without harm."""

import csv
from pathlib import Path

import pytest

import cellsynth.demo_data
from cellsynth.demo_data import copy_demo, demo_images, demo_labels

FOLDER = Path(cellsynth.demo_data.__file__).parent


def index() -> list[dict[str, str]]:
    return list(csv.DictReader((FOLDER / "index.csv").read_text(encoding="utf-8").splitlines()))


def test_demo_uses_ten_images_and_the_human_labels_of_four():
    assert len(demo_images()) == 10
    assert [path.stem for path in demo_labels()] == [f"dsb_tile{i}" for i in (1, 2, 3, 4)]
    assert {path.stem for path in demo_labels()} < {path.stem for path in demo_images()}


def test_labels_of_the_demo_are_of_human_origin_by_the_index():
    rows = {row["stem"]: row for row in index()}
    assert all(rows[path.stem]["label_origin"].startswith("human") for path in demo_labels())
    assert all(rows[path.stem]["licence"].startswith("CC0") for path in demo_images())


def test_every_file_is_in_the_index_and_every_package_in_the_attribution():
    rows = index()
    listed = {row[side] for row in rows for side in ("image", "label") if row[side]}
    there = {
        str(p.relative_to(FOLDER).as_posix())
        for side in ("images", "labels")
        for p in (FOLDER / side).iterdir()
    }
    assert listed == there
    attribution = (FOLDER / "ATTRIBUTION.md").read_text(encoding="utf-8")
    for row in rows:
        assert f"{row['package']} {row['version']}" in attribution


def test_bsd_packages_have_their_licence_text_beside_the_images():
    rows = index()
    packages = {row["package"] for row in rows if "BSD" in row["licence"]}
    assert all((FOLDER / "LICENSES" / f"{package}.txt").exists() for package in packages)


def test_all_of_it_is_at_most_three_megabytes():
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 3e6


def test_copy_can_be_repeated_and_leaves_nothing_else(tmp_path):
    for _ in range(2):
        images, labels = copy_demo(tmp_path / "work")
        assert sorted(p.name for p in images.iterdir()) == [p.name for p in demo_images()]
        assert sorted(p.name for p in labels.iterdir()) == [p.name for p in demo_labels()]
    assert (images / "dsb_tile1.png").read_bytes() == demo_images()[6].read_bytes()


def test_copy_overwrites_nothing(tmp_path):
    (tmp_path / "images").mkdir()
    mine = tmp_path / "images" / "dsb_tile1.png"
    mine.write_bytes(b"mine")
    with pytest.raises(FileExistsError, match=r"dsb_tile1\.png exists"):
        copy_demo(tmp_path)
    assert mine.read_bytes() == b"mine"
