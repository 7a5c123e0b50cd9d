"""Edge degradation and Wasserstein similarity with depth: plain formulas, edge cases, published mistakes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.stats import wasserstein_distance
from skimage.filters import sobel

from cellsynth.core.errors import InputError
from cellsynth.evaluate.features import PictureSet
from cellsynth.evaluate.realism import registry
from cellsynth.evaluate.realism._depth import thirds_of
from cellsynth.evaluate.realism._edges import edge_quantiles
from cellsynth.evaluate.realism._regions import regions_of
from cellsynth.evaluate.realism._slices import Volume, similarities
from cellsynth.evaluate.realism.depth_wasserstein import DepthWasserstein
from cellsynth.evaluate.realism.edge_degradation import EdgeDegradation
from tests.evaluate.picture_fields import stacks


@pytest.mark.parametrize(
    ("shape", "column", "smoothing"), [((3, 60, 60), 20, 3.0), ((4, 61, 75), 20, 2.0), ((2, 33, 47), 33, 0.0)]
)
def test_sharpness_equals_blur_gradient_and_quantile_in_turn(shape, column, smoothing):
    volume = np.random.default_rng(0).random(shape).astype(np.float32)
    ny, nx = shape[1] // column, shape[2] // column
    top, left = (shape[1] - ny * column) // 2, (shape[2] - nx * column) // 2
    cropped = volume[:, top : top + ny * column, left : left + nx * column].astype(float)
    edges = [sobel(plane) for plane in ndimage.gaussian_filter(cropped, (0, smoothing, smoothing))]
    expected = [
        [
            [np.quantile(e[i * column :][:column, j * column :][:, :column], 0.95) for j in range(nx)]
            for i in range(ny)
        ]
        for e in edges
    ]
    np.testing.assert_allclose(edge_quantiles(volume, column, smoothing, 0.95), expected, rtol=2e-5)


def column_of(sharpness, size=10):
    """Volume of one column whose slices have stripes of the given strength."""
    stripes = np.tile([0.0, 0.0, 1.0, 1.0], size)[:size]
    return np.array(sharpness)[:, None, None] * np.broadcast_to(stripes, (size, size))


def test_a_column_is_followed_from_its_sharpest_slice():
    metric = EdgeDegradation(column_px=10, smoothing_px=0, quantile=0.5, n_slices_min=3, faintest=0.01)
    curve = metric.curve(column_of([0.1, 0.4, 0.8, 0.4, 0.2, 0.1]))
    assert len(curve) == 4
    np.testing.assert_allclose(curve / curve[0], [1, 0.5, 0.25, 0.125], rtol=1e-5)


def test_columns_that_are_short_or_faint_are_left_out():
    deep, faint = column_of([0.8, 0.4, 0.2, 0.1]), column_of([1e-3] * 4)
    short, volume = (
        column_of([0.1, 0.1, 0.1, 0.8]),
        EdgeDegradation(column_px=10, smoothing_px=0, quantile=0.5, n_slices_min=3, faintest=0.01),
    )
    alone = volume.curve(deep)
    # Each column is seen alone but for the gradient at its side, which a median does not notice.
    together = volume.curve(np.concatenate([deep, faint, short], axis=2))
    np.testing.assert_allclose(together, alone, rtol=1e-5)
    assert len(volume.curve(faint)) == len(volume.curve(short)) == 0


@pytest.mark.parametrize("shape", [(52, 100, 100), (52, 100, 203), (52, 203, 100), (52, 150, 100)])
def test_sizes_that_are_multiples_of_the_column_or_not_both_work(shape):
    # The published script crops to nothing where there is no remainder, and takes that of y for x.
    fading = np.linspace(1, 0.5, shape[0])[:, None, None]
    curve = EdgeDegradation().curve(fading * (np.indices(shape[1:]).sum(axis=0) % 20 < 10))
    assert len(curve) == shape[0]


def test_no_usable_column_is_undefined_and_no_error():
    flat = PictureSet([np.full((1, 60, 100, 100), 0.5, np.float32)], data_range=1.0)
    metric = EdgeDegradation()
    measured = metric.measure(flat, flat)
    assert math.isnan(metric.score(measured))
    assert all(math.isnan(value) for value in metric.parts(measured).values())


def test_blur_is_seen_and_is_worse_the_stronger_it_is():
    metric = EdgeDegradation(n_slices_min=10, faintest=0.005)
    sharp = stacks(2)
    values = [metric.score(metric.measure(sharp, stacks(2, blur))) for blur in (0.0, 1.0, 3.0)]
    assert values[0] == 0
    assert 0 < values[1] < values[2]


@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 65535), (np.float64, 1.0)])
def test_grey_levels_of_any_dtype_give_the_same_scores(dtype, top):
    levels = [np.round(image * 255) / 255 for image in (*stacks(1).images, *stacks(1, 1.0).images)]
    labels = stacks(1).labels

    def sets(dtype, top):
        images = [np.round(image * top).astype(dtype) if top > 1 else image.astype(dtype) for image in levels]
        return [PictureSet([image], labels, data_range=top) for image in images]

    for metric in (EdgeDegradation(n_slices_min=10, faintest=0.005), DepthWasserstein()):
        expected = metric.score(metric.measure(*sets(np.float32, 1.0)))
        assert metric.score(metric.measure(*sets(dtype, top))) == pytest.approx(expected, rel=1e-4)


def plain_regions(cells, closing, margin):
    """Repeated dilation and erosion, as published; cells are never background."""

    def repeat(step, mask, n):
        return step(mask, iterations=n) if n else mask

    pad = closing + 1
    cells = np.pad(cells, ((pad, pad), (0, 0), (0, 0)))
    closed = repeat(ndimage.binary_erosion, repeat(ndimage.binary_dilation, cells, closing), closing)
    regions = np.full(cells.shape, 3)
    regions[repeat(ndimage.binary_erosion, ~closed, margin)] = 2
    regions[repeat(ndimage.binary_erosion, closed & ~cells, margin)] = 1
    regions[cells] = 0
    return regions[pad:-pad]


@settings(max_examples=20)
@given(
    seed=st.integers(0, 2**32 - 1),
    density=st.sampled_from([0.0, 0.02, 0.3, 1.0]),
    closing=st.sampled_from([0, 1, 3, 9]),
    margin=st.integers(0, 3),
)
def test_regions_equal_repeated_dilation_and_erosion(seed, density, closing, margin):
    cells = np.random.default_rng(seed).random((7, 19, 23)) < density
    np.testing.assert_array_equal(regions_of(cells, closing, margin), plain_regions(cells, closing, margin))


def test_sideways_padding_keeps_the_cluster_whole():
    cells = np.zeros((15, 11, 13), bool)
    cells[:, :, ::4] = True
    cut, whole = (regions_of(cells, 3, 0, is_padded_sideways=is_padded) for is_padded in (False, True))
    assert (whole[7, 5] != 2).all()
    assert (cut[7, 5, 1:3] == 2).all()
    assert (cut[7, 5, 5:8] == whole[7, 5, 5:8]).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_similarity_equals_scipy(dtype):
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, high, (4, 15, 17)) for high in (200, 150))
    top = 255 if dtype == np.uint8 else 1.0
    a, b = ((v if top == 255 else v / 255).astype(dtype) for v in (a, b))
    regions = [rng.integers(0, 4, (4, 15, 17)).astype(np.uint8) for _ in range(2)]
    ours = similarities(*(Volume(v, r, (0.0, float(top))) for v, r in zip((a, b), regions, strict=True)))
    for region in range(3):
        for z in range(4):
            x, y = a[z][regions[0][z] == region] / top, b[z][regions[1][z] == region] / top
            expected = 1 - wasserstein_distance(x, y) / x.mean()
            assert ours[region, z] == pytest.approx(expected, rel=1e-6)


def test_black_is_0_twice_as_bright_is_0_and_equal_is_1():
    volume = np.full((1, 5, 40, 40), 0.25, np.float32)
    labels = np.zeros((5, 40, 40), np.int32)
    labels[1:4, 10:20, 10:20] = 1
    reference = PictureSet([volume], [labels], data_range=1.0)
    metric = DepthWasserstein()
    for factor, expected in ((1, 1.0), (0, 0.0), (2, 0.0), (4, -2.0)):
        candidate = PictureSet([volume * factor], [labels], data_range=1.0)
        assert metric.score(metric.measure(reference, candidate)) == pytest.approx(expected)


def test_regions_that_are_absent_or_black_are_undefined():
    labels = np.zeros((3, 40, 40), np.int32)
    black = PictureSet([np.zeros((1, 3, 40, 40), np.float32)], [labels], data_range=1.0)
    metric = DepthWasserstein()
    assert math.isnan(metric.score(metric.measure(black, black)))
    grey = PictureSet([np.full((1, 3, 40, 40), 0.5, np.float32)], [labels], data_range=1.0)
    parts = metric.parts(metric.measure(grey, grey))
    assert math.isnan(parts["foreground/upper"])
    assert parts["background_outside/middle"] == 1


def test_a_candidate_with_fewer_slices_is_compared_where_both_are():
    # The published script asks for a slice that is not there.
    reference, candidate = stacks(1), stacks(1, 1.0, shape=(40, 103, 121))
    for metric in (DepthWasserstein(), EdgeDegradation(n_slices_min=10, faintest=0.005)):
        assert math.isfinite(metric.score(metric.measure(reference, candidate)))
        assert math.isfinite(metric.score(metric.measure(candidate, reference)))


def test_thirds_are_split_at_a_rounded_third():
    np.testing.assert_allclose(thirds_of(np.arange(8.0)[None]), [[1, 4, 6.5]])
    np.testing.assert_allclose(thirds_of(np.array([[1.0]])), [[np.nan, np.nan, 1]])
    assert np.isnan(thirds_of(np.zeros((2, 0)))).all()


def test_what_is_no_pair_of_volumes_is_refused():
    metric, volume = EdgeDegradation(), stacks(1)
    flat = PictureSet([np.zeros((60, 103, 121), np.float32)], data_range=1.0)
    with pytest.raises(InputError, match=r"images of the reference are \(60, 103, 121\).*volume\[None\]"):
        metric.measure(flat, volume)
    with pytest.raises(InputError, match="reference has 1 and the candidate 2"):
        metric.measure(volume, stacks(2))
    with pytest.raises(InputError, match="has no column of 150 by 150"):
        EdgeDegradation(column_px=150).measure(volume, volume)
    unlabelled = PictureSet(volume.images, data_range=1.0)
    with pytest.raises(InputError, match="needs the labels of every volume"):
        DepthWasserstein().measure(volume, unlabelled)


def test_registry_has_the_published_defaults():
    edges, values = registry.parse("edge_degradation"), registry.parse("depth_wasserstein")
    assert edges.to_dict() == {
        "kind": "edge_degradation", "column_px": 100, "smoothing_px": 3.0, "quantile": 0.95, "n_slices_min": 50,
        "faintest": 0.026,
    }  # fmt: skip
    assert (values.closing_px, values.margin_px) == (15, 2)
