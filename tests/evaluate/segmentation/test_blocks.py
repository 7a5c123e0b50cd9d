"""Volumes that are measured block by block: every number as in memory, however they are cut and whoever works."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from cellsynth.core.blocks import BlockWork
from cellsynth.core.errors import InputError
from cellsynth.evaluate.objects import object_table
from cellsynth.evaluate.segmentation import LabelPair, registry
from tests.evaluate.label_fields import pairs
from tests.evaluate.volumes import Stored, boxes_field

METRICS = [registry.parse(kind) for kind in registry.names()]
OUTLINES = [
    registry.parse({"kind": kind, "of": of})
    for kind in ("boundary_f1", "hausdorff95", "mean_surface_distance")
    for of in ("foreground", "objects")
]
VOXEL_UM = (2.0, 0.5, 0.7)

sides = st.integers(1, 9)
three_sides = st.tuples(sides, sides, sides)
blocks = st.tuples(st.integers(2, 9), st.integers(4, 12), st.integers(4, 14))


def both(reference, prediction, block, chunks, n_workers=1, **options):
    """The same pair in memory and in blocks; every object is of class 1 or 2."""
    options |= {
        f"{name}_classes": {int(i): 1 + int(i) % 2 for i in np.unique(labels)}
        for name, labels in (("reference", reference), ("prediction", prediction))
    }
    n = reference.ndim
    stored = [Stored(a, c and c[-n:]) for a, c in zip((reference, prediction), chunks, strict=True)]
    work = BlockWork(n_workers=n_workers, block_px=block and block[-n:])
    return LabelPair(reference, prediction, **options), LabelPair(*stored, **options, work=work)


def equal(a, b):
    """Equal to the last bit; NaN equals NaN."""
    if dataclasses.is_dataclass(a):
        return all(equal(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    if isinstance(a, float) and math.isnan(a):
        return math.isnan(b)
    return bool(np.all(a == b)) if isinstance(a, np.ndarray) else a == b


@settings(max_examples=12)
@given(
    pair=pairs,
    block=blocks,
    chunks=st.tuples(three_sides, three_sides),
    n_workers=st.sampled_from([1, 3]),
    ignored=st.sampled_from(
        [{}, {"ignore_border": True}, {"min_area_px": 5}, {"ignore_border": True, "min_area_px": 9}]
    ),
)
def test_every_metric_has_the_same_counts_in_blocks_as_in_memory(pair, block, chunks, n_workers, ignored):
    voxel_um = VOXEL_UM[-pair[0].ndim :]
    whole, cut = both(*pair, block, chunks, n_workers, voxel_um=voxel_um, **ignored)
    for metric in [*METRICS, *OUTLINES]:
        assert equal(metric.measure(whole), metric.measure(cut)), metric.name
    pd.testing.assert_frame_equal(object_table(whole), object_table(cut))


@settings(max_examples=6)
@given(pair=pairs, chunks=st.tuples(three_sides, st.none() | three_sides))
def test_blocks_are_cut_along_chunks_where_no_size_is_given(pair, chunks):
    whole, cut = both(*pair, None, chunks)
    for metric in [*METRICS, *OUTLINES]:
        assert equal(metric.measure(whole), metric.measure(cut)), metric.name


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    counts=st.tuples(st.integers(0, 4), st.integers(0, 4)),
    ndim=st.sampled_from([2, 3]),
    block=st.tuples(st.integers(5, 40), st.integers(5, 40), st.integers(5, 40)),
    voxel_um=st.sampled_from([(1.0, 1.0, 1.0), VOXEL_UM, (40.0, 0.5, 0.5), (0.3, 1.0, 0.7)]),
)
def test_distances_are_those_of_scipy_however_far_the_nearest_outline_is(seed, counts, ndim, block, voxel_um):
    shape = (37, 53, 61) if ndim == 3 else (97, 131)
    sides = [boxes_field(seed + i, shape, n, 9) for i, n in enumerate(counts)]
    voxel_um = voxel_um[-ndim:]
    whole, cut = both(*sides, block, ((1, 1, 1), None), voxel_um=voxel_um)
    for pair in (whole, cut):
        found = pair.surfaces()[0]
        for distances, own, other in zip(
            (found.reference, found.prediction), sides, sides[::-1], strict=True
        ):
            values = np.repeat(distances.values_um, distances.counts)
            np.testing.assert_allclose(values, scipys(own, other, voxel_um), rtol=1e-12, atol=0)
    first, second = (p.surfaces()[0] for p in (whole, cut))
    assert equal(first, second)


def outline(mask):
    padded = np.pad(mask, 1, mode="edge")
    inner = (slice(1, -1),) * mask.ndim
    is_outline = np.zeros(mask.shape, bool)
    for axis in range(mask.ndim):
        for step in (-1, 1):
            is_outline |= mask & ~np.roll(padded, step, axis)[inner]
    return is_outline


def scipys(own, other, voxel_um):
    """Distances of one outline, ascending, by the transform of the whole volume."""
    own, other = outline(own > 0), outline(other > 0)
    if not other.any():
        return np.full(int(own.sum()), np.inf)
    return np.sort(np.asarray(distance_transform_edt(~other, sampling=voxel_um))[own])


@pytest.mark.parametrize("block", [(7, 9, 11), (64, 64, 64)])
def test_a_large_object_in_many_blocks_is_measured_as_one(block):
    reference, prediction = np.zeros((33, 75, 81), np.int32), np.zeros((33, 75, 81), np.uint32)
    reference[3:30, 4:70, 5:76] = 2**31 - 1
    prediction[5:31, 20:70, 5:62] = 2**32 - 1  # so far off that the ball finds nothing
    whole, cut = both(reference, prediction, block, (None, None))
    assert len(whole.overlap.match(0.5)) == 1
    assert equal(whole.surfaces("objects")[0], cut.surfaces("objects")[0])
    assert equal(whole.surfaces("objects")[0], whole.surfaces()[0])  # the only object is the foreground


def test_an_outline_that_the_other_side_lacks_is_infinitely_far_and_looked_for_nowhere():
    reference, nothing = boxes_field(1, (20, 31, 33), 3, 9), np.zeros((20, 31, 33), np.uint8)
    for pair in both(reference, nothing, (5, 7, 9), (None, None)):
        found = pair.surfaces()[0]
        assert found.reference.values_um.tolist() == [math.inf]
        assert (found.reference.n > 0, found.prediction.n, found.is_complete) == (True, 0, False)


def test_an_object_that_fills_the_image_has_no_outline_and_its_partner_is_infinitely_far():
    full, most = np.ones((9, 31, 33), np.int32), np.ones((9, 31, 33), np.int32)
    most[:, :, :4] = 0
    for pair in both(full, most, (5, 7, 9), (None, None)):
        found = pair.surfaces("objects")[0]
        assert found.reference.n == 0
        assert found.prediction.values_um.tolist() == [math.inf]


def test_a_block_that_is_read_is_small():
    largest = []

    class Watched(Stored):
        def __getitem__(self, key):
            part = super().__getitem__(key)
            largest.append(part.size)
            return part

    labels = boxes_field(3, (60, 70, 80), 30, 12)
    pair = LabelPair(Watched(labels), Watched(np.roll(labels, 1, 0)), work=BlockWork(block_px=(16, 16, 16)))
    for metric in OUTLINES:
        metric.measure(pair)
    assert max(largest) < 2 * 34**3  # a block and its margins


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [
        (-3, np.int16, "reference has the negative id -3"),
        (2**32, np.int64, "reference has the id 4294967296"),
    ],
)
def test_a_value_that_is_no_id_is_refused_when_its_block_is_read(value, dtype, message):
    labels = np.zeros((9, 10, 11), dtype)
    labels[7, 8, 9] = value
    pair = LabelPair(
        Stored(labels), Stored(np.zeros((9, 10, 11), np.uint8)), work=BlockWork(block_px=(4, 4, 4))
    )
    with pytest.raises(InputError, match=message):
        _ = pair.overlap


def test_floats_and_other_shapes_are_refused_before_anything_is_read():
    labels, other = Stored(np.zeros((4, 5), np.uint8)), Stored(np.zeros((4, 6), np.uint8))
    with pytest.raises(InputError, match="differ in shape"):
        LabelPair(labels, other)
    with pytest.raises(InputError, match="is float32"):
        LabelPair(labels, Stored(np.zeros((4, 5), np.float32)))
