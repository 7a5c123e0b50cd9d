"""Evaluation of files: which metrics, volumes and voxel sizes, what is ignored, pooled scores, the challenge."""

import json

import numpy as np
import pandas as pd
import pytest

from cellsynth.cli import main
from cellsynth.core.errors import InputError, RecipeError
from cellsynth.io.ctc import write_ctc
from cellsynth.io.labels import write_labels
from cellsynth.pipeline.benchmark.scores import scored_metrics
from cellsynth.pipeline.evaluate.labels import evaluate_labels
from tests.evaluate.label_fields import square

SHAPE = (31, 47)
CELLS = square(SHAPE, (3, 4, 6, 8), (15, 20, 7, 13), (0, 35, 5, 6))
MOVED = square(SHAPE, (4, 4, 6, 8), (15, 20, 7, 13))
VOLUME = np.zeros((5, *SHAPE), np.int32)
VOLUME[1:4] = square(SHAPE, (3, 4, 6, 8), (15, 20, 7, 13))


@pytest.fixture
def folders(tmp_path):
    """Write pairs (prediction, reference) of labels as files of the same names; gives both folders."""

    def write(*pairs, sizes=(None, None)):
        for side, size in zip(("prediction", "reference"), sizes, strict=True):
            (tmp_path / side).mkdir(exist_ok=True)
            for i, pair in enumerate(pairs):
                labels = pair[0 if side == "prediction" else 1]
                write_labels(tmp_path / side / f"{i}.tif", labels, voxel_um=size)
        return tmp_path / "prediction", tmp_path / "reference"

    return write


def scores(*arguments, **options):
    table = evaluate_labels(*arguments, quiet=True, **options).set_index("metric")
    return table["mean"].to_dict()


def test_default_metrics_are_those_of_a_benchmark(folders):
    assert list(scores(*folders((MOVED, CELLS)))) == [metric.name for metric in scored_metrics()]


def test_metrics_are_chosen_by_name(folders):
    text = "dice, f1[iou=0.8], {kind: boundary_f1, tolerance_um: 2}"
    names = ["dice", "f1[iou=0.8]", "boundary_f1[tolerance_um=2]"]
    both = folders((CELLS, CELLS))
    assert scores(*both, metrics=text) == dict.fromkeys(names, 1.0)
    assert list(scores(*both, metrics=["dice", "iou"])) == ["dice", "iou"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metrics": "dise"}, "did you mean 'dice'"),
        ({"metrics": ""}, "separated by commas"),
        ({"min_area_px": -1}, "--min-area-px is -1"),
        ({"voxel_um": "0.5,b"}, "--voxel-um is 0.5,b"),
        ({"voxel_um": "0"}, "--voxel-um is 0"),
    ],
)
def test_a_wrong_option_is_named_before_any_file_is_read(tmp_path, options, message):
    with pytest.raises(RecipeError, match=message):
        evaluate_labels(tmp_path / "a", tmp_path / "b", out=tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_pooled_score_stands_beside_the_mean(folders):
    one, none = square(SHAPE, (3, 4, 6, 8)), np.zeros(SHAPE, np.int32)
    table = evaluate_labels(*folders((none, one), (CELLS, CELLS)), metrics="recall", quiet=True)
    assert table["mean"].tolist() == [0.5]
    assert table["pooled"].tolist() == [0.75]


def test_cells_at_the_border_and_small_ones_are_left_out_on_request(folders):
    both = folders((MOVED, CELLS))
    name = "average_precision[iou=0.5]"
    assert scores(*both, metrics=name)[name] == pytest.approx(2 / 3)
    assert scores(*both, metrics=name, ignore_border=True)[name] == 1
    assert scores(*both, metrics=name, min_area_px=40)[name] == 1


def test_tables_say_what_was_asked_for(folders, tmp_path):
    out = tmp_path / "out"
    evaluate_labels(*folders((MOVED, CELLS)), out=out, metrics="dice,splits", ignore_border=True, quiet=True)
    summary = json.loads((out / "summary.json").read_text())
    assert summary["options"] == {"ignore_border": True, "min_area_px": 0, "voxel_um": None}
    assert [d["kind"] for d in summary["definitions"]] == ["dice", "splits"]
    assert {"metric", "mean", "low", "high", "n", "pooled", "unit"} == set(summary["metrics"][0])
    assert pd.read_parquet(out / "scores.parquet")["metric"].tolist() == ["dice", "splits"]
    assert len(pd.read_parquet(out / "objects.parquet")) == 4  # the cell at the border is in no table


def test_volumes_are_scored_with_the_voxel_size_of_their_files(folders):
    moved = np.roll(VOLUME, 1, axis=0)
    both = folders((moved, VOLUME), sizes=((2.0, 0.5, 0.5), (2.0, 0.5, 0.5)))
    table = evaluate_labels(*both, metrics="hausdorff95,dice", quiet=True).set_index("metric")
    assert table.loc["hausdorff95", "mean"] == pytest.approx(2)
    assert table["unit"].to_dict() == {"hausdorff95": "um", "dice": ""}
    assert scores(*both, metrics="hausdorff95", voxel_um="3,1,1")["hausdorff95"] == pytest.approx(3)


def test_without_a_voxel_size_distances_are_in_pixels(folders):
    both = folders((np.roll(VOLUME, 1, axis=0), VOLUME))
    table = evaluate_labels(*both, metrics="hausdorff95", quiet=True)
    assert table[["mean", "unit"]].to_numpy().tolist() == [[1.0, "px"]]
    assert scores(*both, metrics="hausdorff95", voxel_um="0.5")["hausdorff95"] == pytest.approx(0.5)


def test_voxel_sizes_that_do_not_agree_are_an_error_where_they_matter(folders):
    both = folders((MOVED, CELLS), sizes=((0.5, 0.5), (1.0, 1.0)))
    assert scores(*both, metrics="dice")["dice"] < 1
    with pytest.raises(InputError, match=r"0: a voxel is \(1.0, 1.0\) um in the reference .*--voxel-um"):
        scores(*both, metrics="hausdorff95")
    assert scores(*both, metrics="hausdorff95", voxel_um="1")["hausdorff95"] > 0


def test_lengths_with_and_without_a_voxel_size_do_not_mix(folders):
    both = folders((MOVED, CELLS), (MOVED, CELLS), sizes=((0.5, 0.5), (0.5, 0.5)))
    for folder, labels in zip(both, (MOVED, CELLS), strict=True):
        write_labels(folder / "1.tif", labels)
    with pytest.raises(InputError, match="such as 1, have none"):
        scores(*both, metrics="mean_surface_distance")


def test_a_voxel_size_of_other_axes_is_an_error(folders):
    with pytest.raises(InputError, match="has 3 numbers and the labels have 2 axes"):
        scores(*folders((MOVED, CELLS)), metrics="hausdorff95", voxel_um=(1.0, 1.0, 1.0))


def ids(labels, **names):
    return sum((np.where(labels == int(old[1:]), new, 0) for old, new in names.items()), 0 * labels)


def test_folders_of_the_challenge_are_scored_on_both_sides(tmp_path, caplog):
    frames = [ids(CELLS, i1=7, i2=300, i3=12), ids(CELLS, i1=7, i2=300)]
    found = [ids(MOVED, i1=5, i2=9), ids(MOVED, i1=5, i2=9)]
    write_ctc(tmp_path, frames, side="reference")
    write_ctc(tmp_path, found, side="result")
    expected = {"ctc_seg": (((40 / 56 + 1) / 3) + ((40 / 56 + 1) / 2)) / 2, "ctc_det": (2 / 3 + 1) / 2}
    for prediction, reference in (
        (tmp_path, tmp_path),
        (tmp_path / "01_RES", tmp_path / "01_GT"),
        (tmp_path / "01_RES", tmp_path / "01_GT" / "TRA"),
    ):
        assert scores(prediction, reference, metrics="ctc_seg,ctc_det") == pytest.approx(expected)
    assert not caplog.records  # gaps of ids are what frames have


def test_a_reference_of_the_challenge_may_hold_some_frames_and_planes(tmp_path):
    write_ctc(tmp_path, [VOLUME, VOLUME, VOLUME], side="result")
    reference = tmp_path / "01_GT" / "SEG"
    reference.mkdir(parents=True)
    write_labels(reference / "man_seg_001_002.tif", VOLUME[2])
    write_labels(reference / "man_seg002.tif", VOLUME)
    out = tmp_path / "out"
    evaluate_labels(tmp_path / "01_RES", tmp_path / "01_GT", metrics="ctc_op_csb", out=out, quiet=True)
    table = pd.read_parquet(out / "scores.parquet")
    assert table[["image", "value"]].to_numpy().tolist() == [["t001_z002", 1.0], ["t002", 1.0]]
    write_labels(reference / "man_seg_000_009.tif", VOLUME[2])
    with pytest.raises(InputError, match="has no plane 9"):
        scores(tmp_path / "01_RES", tmp_path / "01_GT", metrics="ctc_seg")
    write_labels(reference / "man_seg004.tif", VOLUME)
    with pytest.raises(InputError, match="only in the reference t004"):
        scores(tmp_path / "01_RES", tmp_path / "01_GT", metrics="ctc_seg")


def test_plain_folders_that_are_named_like_frames_must_hold_the_same_frames(tmp_path):
    for folder, names in (("prediction", ("mask000", "mask001")), ("reference", ("mask000",))):
        (tmp_path / folder).mkdir()
        for name in names:
            write_labels(tmp_path / folder / f"{name}.tif", CELLS)
    with pytest.raises(InputError, match="only in the prediction t001"):
        scores(tmp_path / "prediction", tmp_path / "reference", metrics="dice")


def test_the_command_takes_the_same_options(folders, capsys):
    both = [str(folder) for folder in folders((MOVED, CELLS), sizes=((0.5, 0.5), (0.5, 0.5)))]
    code = main(
        [
            "evaluate",
            *both,
            "--metrics",
            "dice,hausdorff95",
            "--ignore-border",
            "--min-area-px",
            "9",
            "--quiet",
        ]
    )
    assert (code, capsys.readouterr().out) == (0, "")
    assert main(["evaluate", *both, "--metrics=dice,hausdorff95", "--voxel-um", "0.25"]) == 0
    printed = capsys.readouterr().out
    assert "pooled" in printed
    assert printed.splitlines()[-1].split()[-1] == "um"


def test_objects_keep_the_ids_of_their_files(folders, tmp_path):
    evaluate_labels(*folders((CELLS * 7, CELLS * 4)), out=tmp_path / "out", quiet=True)
    objects = pd.read_parquet(tmp_path / "out" / "objects.parquet")
    assert objects["id"].tolist() == [4, 8, 12, 7, 14, 21]
    assert objects["partner"].tolist() == [7, 14, 21, 4, 8, 12]


def test_classes_come_from_tables(folders, tmp_path):
    both = folders((CELLS, CELLS * 4))
    with pytest.raises(RecipeError, match="mpq.*: needs the class of every object, .*--prediction-classes"):
        scores(*both, metrics="mpq")
    (tmp_path / "p.csv").write_text("id,class\n1,1\n2,1\n3,2\n")
    (tmp_path / "r.csv").write_text("image,label,class_id\n0,4,1\n0,8,2\n0,12,2\n")
    given = {"prediction_classes": tmp_path / "p.csv", "reference_classes": tmp_path / "r.csv"}
    found = scores(*both, metrics="class_pq[class_id=1],class_pq[class_id=2]", **given)
    assert list(found.values()) == pytest.approx([2 / 3, 2 / 3])
    (tmp_path / "r.csv").write_text("image,label,class_id\n0,4,1\n0,8,2\n")
    with pytest.raises(
        InputError, match="reference_classes has no class for 1 of the 3 objects, the first with id 12"
    ):
        scores(*both, metrics="mpq", **given)


def test_one_file_on_each_side_is_a_pair_whatever_the_names(tmp_path):
    for name in ("ours", "theirs"):
        write_labels(tmp_path / f"{name}.tif", CELLS)
    assert scores(tmp_path / "ours.tif", tmp_path / "theirs.tif", metrics="dice") == {"dice": 1}


def test_odd_files_are_told_in_one_line_per_folder(folders, caplog):
    mask = np.where(CELLS > 0, 255, 0)
    evaluate_labels(*folders((mask, CELLS * 4), (mask, CELLS * 5), (mask, CELLS)), quiet=True)
    (masks,) = (record.getMessage() for record in caplog.records)
    assert "prediction: 3 of 3 files look like masks of foreground, such as 0.tif with 3 separate" in masks
    assert "skimage.measure.label" in masks


def test_a_cell_in_pieces_makes_no_mask_of_the_others(folders, caplog):
    one = square(SHAPE, (3, 4, 6, 8)) + square(SHAPE, (20, 30, 6, 8))
    evaluate_labels(*folders((one, CELLS), (CELLS, CELLS), (CELLS, CELLS)), quiet=True)
    assert not caplog.records


def test_a_grey_image_is_no_prediction(folders, key):
    grey = key.generator().integers(5, 200, SHAPE)
    with pytest.raises(InputError, match=r"prediction.0\.tif: is a grey image and no labels"):
        evaluate_labels(*folders((grey, CELLS)), quiet=True)
