"""Points of tables as people write them, and of label images."""

import numpy as np
import pandas as pd
import pytest

from cellsynth.core.errors import InputError
from cellsynth.data.class_table import read_classes
from cellsynth.data.point_set import centroids_of, pair_points, read_points
from cellsynth.io.labels import write_labels


def table_of(tmp_path, text, name="a.csv", **options):
    path = tmp_path / name
    path.write_text(text)
    return read_points(path, **options).load("a")


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("y,x\n1,2\n3.5,4\n", "px"),
        ("X;Y\n2;1\n4;3.5\n", "px"),
        ("index,axis-0,axis-1\n0,1,2\n1,3.5,4\n", "px"),
        ("label\tcentroid-0\tcentroid-1\n1\t1\t2\n2\t3.5\t4\n", "px"),
        ("y_um x_um\n1 2\n3.5 4\n", "um"),
        ("\ufeffy,x\r\n1,2\r\n\r\n3.5,4\r\n", "px"),
        ('"y","x"\n"1","2"\n"3.5","4"\n', "px"),
        ("label,class_id,centre_y_um,centre_x_um\n1,1,1,2\n2,1,3.5,4\n", "um"),
    ],
)
def test_columns_are_found_by_their_names(tmp_path, text, unit):
    points = table_of(tmp_path, text)
    assert points.positions.tolist() == [[1, 2], [3.5, 4]]
    assert points.unit == unit


def test_three_coordinates_are_in_zyx_order(tmp_path):
    assert table_of(tmp_path, "x,y,z\n3,2,1\n").positions.tolist() == [[1, 2, 3]]


def test_columns_of_a_file_without_a_header_are_named(tmp_path):
    points = table_of(tmp_path, "10 20 2\n30 40 1\n", "a.txt", columns=["x", "y", "class"])
    assert points.positions.tolist() == [[20, 10], [40, 30]]
    assert points.classes.tolist() == [2, 1]
    assert table_of(tmp_path, "y,x\n1,2\n", columns=["x", "y"]).positions.tolist() == [[2, 1]]
    assert table_of(tmp_path, "", columns=["x", "y"]).positions.shape == (0, 2)


def test_a_table_with_a_header_and_no_row_has_no_point(tmp_path):
    assert table_of(tmp_path, "z,y,x\n").positions.shape == (0, 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("1,2\n3,4\n", "begins with numbers .*--columns"),
        ("a,b\n1,2\n", "no columns of positions among a, b"),
        ("y,x\n1,2,3\n", "line 2: has 3 fields"),
        ("y,x\n1,two\n", "column 'x' has 1 values that are no finite numbers, the first in row 1: 'two'"),
        ("y,x\n1,nan\n", "no finite numbers"),
        ("y,x,y\n1,2,3\n", "two columns called 'y'"),
        ("y,x,class\n1,2,1.5\n", "column 'class' has 1.5 in row 1"),
        ('y,x\n"1,2\n', "quotation marks"),
        ("y,x\n1,\0\n", "is no text"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        table_of(tmp_path, text)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00y,x")
    with pytest.raises(InputError, match="is no text in UTF-8"):
        read_points(tmp_path / "a.csv")


def test_one_table_holds_many_images(tmp_path):
    table = pd.DataFrame({"image": ["b.png", "a", "b.png"], "y": [1.0, 2, 3], "x": [4.0, 5, 6]})
    table.to_parquet(tmp_path / "all.parquet")
    points = read_points(tmp_path / "all.parquet")
    assert points.names == ("b", "a")
    assert points.load("b").positions.tolist() == [[1, 4], [3, 6]]
    assert points.load("c") is None


def test_images_of_both_sides_must_be_the_same_but_in_common_tables(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "one" / "a.csv").write_text("y,x\n1,2\n")
    (tmp_path / "two" / "b_points.csv").write_text("y,x\n1,2\n")
    one, two = read_points(tmp_path / "one"), read_points(tmp_path / "two")
    with pytest.raises(InputError, match="only in the prediction a; only in the reference b"):
        pair_points(one, two)
    (tmp_path / "all.csv").write_text("image,y,x\nb,1,2\nc,3,4\n")
    common = read_points(tmp_path / "all.csv")
    with pytest.raises(InputError, match="only in the prediction c"):
        pair_points(common, two)
    with pytest.raises(InputError, match="only in the reference c"):
        pair_points(two, common)
    assert pair_points(common, common) == ("b", "c")


def test_two_tables_of_one_image_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("y,x\n1,2\n")
    (tmp_path / "a_points.tsv").write_text("y\tx\n1\t2\n")
    with pytest.raises(InputError, match="are both of 'a'"):
        read_points(tmp_path)


def test_centroids_are_those_of_a_plain_mean():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 9, (5, 31, 47)) * 3
    ids, centres = centroids_of(labels)
    assert ids.tolist() == [3 * i for i in range(1, 9)]
    for i, centre in zip(ids, centres, strict=True):
        np.testing.assert_allclose(centre, np.argwhere(labels == i).mean(axis=0))
    assert centroids_of(np.zeros((31, 47), np.int32))[1].shape == (0, 2)


def test_label_images_are_points(tmp_path):
    labels = np.zeros((31, 47), np.uint16)
    labels[2:5, 10:13] = 7
    write_labels(tmp_path / "x_labels.tif", labels, voxel_um=(0.5, 0.25))
    points = read_points(tmp_path)
    assert points.load("x").positions.tolist() == [[3, 11]]
    assert points.voxel_um("x") == pytest.approx((0.5, 0.25))


def test_classes_are_read_by_image_and_id(tmp_path):
    (tmp_path / "classes.csv").write_text("image,id,class\na.tif,1,2\na.tif,5,1\nb,1,3\n")
    classes = read_classes(tmp_path / "classes.csv")
    assert classes.of("a") == {1: 2, 5: 1}
    assert classes.of("c") == {}
    (tmp_path / "one.csv").write_text("label,type\n4,2\n")
    of_one = read_classes(tmp_path / "one.csv")
    assert of_one.of("any") == {4: 2}
    of_one.check_names(["any"])
    with pytest.raises(InputError, match="has no column image, and there are 2 images"):
        of_one.check_names(["a", "b"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id\n1\n", "a table of classes has id"),
        ("id,class\n1,1\n1,2\n", "object 1 is there twice"),
        ("id,class\n1,-1\n", "has the class -1"),
        ("id,class\n1,tumour\n", "no finite numbers"),
    ],
)
def test_a_table_that_holds_no_classes_is_refused(tmp_path, text, message):
    (tmp_path / "c.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_classes(tmp_path / "c.csv")
