"""Labels as sequences of the Cell Tracking Challenge."""

import numpy as np
import pytest

from cellsynth.core.errors import InputError, OutputExistsError, RecipeError
from cellsynth.io.ctc import read_tracks
from cellsynth.io.labels import write_labels
from cellsynth.pipeline.evaluate.labels import evaluate_labels
from cellsynth.pipeline.export import export_labels
from tests.evaluate.label_fields import square

SHAPE = (31, 47)
CELLS = square(SHAPE, (3, 4, 6, 8), (15, 20, 7, 13))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "labels").mkdir()
    for t in range(3):
        write_labels(tmp_path / "labels" / f"t{t}.tif", np.roll(CELLS, t, axis=1) * 3)
    return tmp_path / "labels"


def test_images_become_frames_whose_objects_have_ids_of_their_own(folder, tmp_path):
    made = export_labels(folder, tmp_path / "out", quiet=True)
    assert made == tmp_path / "out" / "01_RES"
    tracks = read_tracks(made / "res_track.txt")
    assert [(t.id, t.begin, t.end, t.parent) for t in tracks] == [
        (i, (i - 1) // 2, (i - 1) // 2, 0) for i in range(1, 7)
    ]


def test_tracked_objects_keep_their_ids(folder, tmp_path):
    made = export_labels(folder, tmp_path / "out", side="reference", sequence=2, tracked=True, quiet=True)
    tracks = read_tracks(made / "TRA" / "man_track.txt")
    assert [(t.id, t.begin, t.end) for t in tracks] == [(3, 0, 2), (6, 0, 2)]


def test_what_was_exported_is_evaluated(folder, tmp_path):
    result = export_labels(folder, tmp_path / "out", quiet=True)
    reference = export_labels(folder, tmp_path / "out", side="reference", quiet=True)
    table = evaluate_labels(result, reference, metrics="ctc_det,ctc_seg,ctc_op_csb", quiet=True)
    assert table["mean"].tolist() == [1, 1, 1]


def test_refusals(folder, tmp_path):
    with pytest.raises(RecipeError, match="--sequence is 100"):
        export_labels(folder, tmp_path / "out", sequence=100)
    write_labels(folder / "t9.tif", CELLS[:-2])
    with pytest.raises(InputError, match="all of one shape"):
        export_labels(folder, tmp_path / "out", quiet=True)
    assert not (tmp_path / "out").exists()
    (tmp_path / "out" / "01_RES").mkdir(parents=True)
    (folder / "t9.tif").unlink()
    with pytest.raises(OutputExistsError):
        export_labels(folder, tmp_path / "out", quiet=True)
