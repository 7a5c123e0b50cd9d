"""Evaluation of points: units, radius, classes, images without points."""

import json

import numpy as np
import pandas as pd
import pytest

from cellsynth.core.errors import InputError, RecipeError
from cellsynth.io.labels import write_labels
from cellsynth.pipeline.evaluate.points import evaluate_points


def scores(*arguments, **options):
    table = evaluate_points(*arguments, quiet=True, **options).set_index("metric")
    return table["mean"].to_dict()


@pytest.fixture
def tables(tmp_path):
    """Write two tables of all images; gives both paths."""

    def write(prediction, reference):
        for name, text in (("p.csv", prediction), ("r.csv", reference)):
            (tmp_path / name).write_text(text)
        return tmp_path / "p.csv", tmp_path / "r.csv"

    return write


def test_points_are_matched_within_the_radius(tables):
    both = tables("y,x\n10,10\n40,40\n", "y,x\n10,13\n40,50\n")
    assert scores(*both, metrics="f1", radius=5) == {"f1[radius=5,radius_unit=px]": 0.5}
    assert scores(*both, metrics="f1[radius=10],recall", radius=2) == {
        "f1[radius=10,radius_unit=px]": 1.0,
        "recall[radius=2,radius_unit=px]": 0.0,
    }


def test_units_of_both_sides_may_differ(tables):
    both = tables("y_um,x_um\n5,5\n", "y,x\n10,10\n")
    found = scores(*both, metrics="localisation_error", radius=2, radius_unit="um", voxel_um="0.5")
    assert found == {"localisation_error[radius=2,radius_unit=um]": 0.0}
    with pytest.raises(InputError, match="--voxel-um"):
        scores(*both)


def test_an_image_without_points_on_both_sides_is_right_and_on_one_side_wrong(tables):
    both = tables("image,y,x\na,1,1\nb,1,1\n", "image,y,x\na,1,1\nc,1,1\n")
    table = evaluate_points(*both, metrics="f1", quiet=True)
    assert table["n"].tolist() == [3]
    assert table["mean"].tolist() == pytest.approx([1 / 3])
    assert table["pooled"].tolist() == pytest.approx([0.5])


def test_classes_may_be_names(tables, tmp_path):
    both = tables("y,x,class\n1,1,tumour\n9,9,stroma\n", "y,x,class\n1,1,tumour\n9,9,tumour\n")
    found = scores(*both, radius=2, out=tmp_path / "out")
    assert found["class_accuracy[radius=2,radius_unit=px]"] == 0.5
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["classes"] == {
        "stroma": 1,
        "tumour": 2,
    }
    points = pd.read_parquet(tmp_path / "out" / "points.parquet")
    assert points[["side", "partner", "class_id"]].to_numpy().tolist() == [
        ["reference", 0, 2],
        ["reference", 1, 2],
        ["prediction", 0, 2],
        ["prediction", 1, 1],
    ]


def test_names_and_numbers_of_classes_do_not_mix(tables):
    both = tables("y,x,class\n1,1,1\n", "y,x,class\n1,1,tumour\n")
    with pytest.raises(InputError, match="classes are numbers, and elsewhere they have names"):
        scores(*both)


def test_label_images_are_scored_against_a_table_of_points(tmp_path):
    labels = np.zeros((31, 47), np.uint16)
    labels[2:5, 10:13], labels[20:23, 30:33] = 1, 2
    write_labels(tmp_path / "cells.tif", labels)
    (tmp_path / "cells.csv").write_text("y,x\n3,11\n21,31\n")
    found = scores(tmp_path / "cells.tif", tmp_path / "cells.csv", radius=0.5)
    assert found["f1[radius=0.5,radius_unit=px]"] == 1
    assert found["count_error"] == 0


def test_one_file_on_each_side_is_a_pair_whatever_the_names(tables):
    assert scores(*tables("y,x\n1,1\n", "y,x\n1,1\n"), metrics="f1") == {"f1[radius=12,radius_unit=px]": 1.0}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"radius": 0.0}, "--radius is 0"),
        ({"columns": "x,,y"}, "--columns is x,,y"),
        (
            {"metrics": "dice"},
            "dice compares labels, and here are points; it is computed by `cellsynth evaluate`",
        ),
        ({"metrics": "clas_f1"}, "did you mean 'class_f1'"),
        ({"voxel_um": "-1"}, "--voxel-um"),
    ],
)
def test_a_wrong_option_is_named_before_any_file_is_read(tmp_path, options, message):
    with pytest.raises(RecipeError, match=message):
        evaluate_points(tmp_path / "a", tmp_path / "b", out=tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_two_and_three_coordinates_do_not_mix(tables):
    with pytest.raises(InputError, match="3 coordinates in the prediction and 2 in the reference"):
        scores(*tables("z,y,x\n1,1,1\n", "y,x\n1,1\n"))


def test_a_folder_that_holds_something_is_not_written_into(tables, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.docx").write_text("precious")
    with pytest.raises(FileExistsError, match="nothing is overwritten"):
        scores(*tables("y,x\n1,1\n", "y,x\n1,1\n"), out=tmp_path / "out")
