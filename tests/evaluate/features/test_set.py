"""What PictureSet refuses, and what it hands out."""

import numpy as np
import pytest

from cellsynth.core.errors import InputError
from cellsynth.core.grid import Grid
from cellsynth.core.sample import Sample
from cellsynth.evaluate.features import PictureSet

GREY, CELLS = np.full((5, 7), 0.5, np.float32), np.ones((5, 7), np.int32)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        ([], None, "the set has no image"),
        ([GREY, GREY.astype(float)], None, "image 1 is float64 and image 0 float32"),
        ([GREY, np.stack([GREY, GREY])], None, r"image 1 is \(2, 5, 7\) and image 0 \(1, 5, 7\)"),
        ([GREY, GREY + 1], None, "image 1 has values from 1.5 to 1.5, out of data_range 0 to 1"),
        ([GREY * np.nan], None, "image 0 has 35 NaN"),
        ([GREY], [CELLS, CELLS], "there are 1 images and 2 labels"),
        ([GREY], [CELLS[1:]], r"labels 0 are int32 \(4, 7\) and their image is \(5, 7\)"),
        ([GREY], [GREY], "labels 0 are float32"),
    ],
)
def test_sets_that_cannot_be_judged_are_refused(images, labels, message):
    with pytest.raises(InputError, match=message):
        PictureSet(images, labels, data_range=1.0)


def test_images_come_scaled_with_an_axis_of_channels():
    pictures = PictureSet([np.array([[0, 51, 255]], np.uint8)], data_range=255)
    (picture,) = pictures
    assert picture.image.tolist() == [[[0.0, 0.2, 1.0]]]
    assert picture.labels is None
    assert (pictures.n_channels, pictures.ndim, len(pictures)) == (1, 2, 1)


def test_samples_of_a_dataset_make_a_set_with_labels_where_all_have_them():
    grid = Grid(shape_px=(5, 7), voxel_um=(1.0, 1.0))
    labelled = Sample("a", grid, GREY[None], CELLS)
    assert PictureSet.of_samples([labelled, labelled]).labels is not None
    assert PictureSet.of_samples([labelled, Sample("b", grid, GREY[None])]).labels is None
