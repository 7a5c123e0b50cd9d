"""The metrics against published implementations: stored values of piq 0.8.0, piq itself where it is, scikit-image."""

import numpy as np
import pytest
from skimage.metrics import normalized_root_mse, peak_signal_noise_ratio, structural_similarity

from cellsynth.evaluate.image_quality import ImagePair, registry
from tests.evaluate.image_fields import waves


def score(kind, pair):
    metric = registry.parse(kind)
    return metric.score(metric.measure(pair))


CHROMATIC = {"kind": "ms_gmsd", "is_chromatic": True}

# piq 0.8.0 with torch 2.13.0 in float64 on `waves(shape, n_channels)`; `ssim` with downsample=False. Sizes are
# multiples of 16 where a metric halves the image: piq pads odd sizes with zeros.
PIQ = {
    ("ssim", (193, 211), 1): 0.722165694,
    ("ssim", (193, 211), 3): 0.730574538,
    ("ms_ssim", (192, 208), 1): 0.938355683,
    ("ms_ssim", (384, 416), 3): 0.942087039,
    ("ms_gmsd", (192, 208), 1): 0.070655157,
    ("ms_gmsd", (384, 416), 3): 0.066530756,
    ("ms_gmsdc", (192, 208), 3): 0.065453145,
    ("ms_gmsdc", (384, 416), 3): 0.060658284,
    ("mdsi", (193, 211), 1): 0.411708065,
    ("mdsi", (193, 211), 3): 0.420648325,
    ("mdsi", (384, 416), 3): 0.256680859,
    ("haarpsi", (192, 208), 1): 0.803598664,
    ("haarpsi", (384, 416), 3): 0.850857418,
}


@pytest.mark.parametrize(("kind", "shape", "n_channels"), list(PIQ))
def test_equals_stored_values_of_piq(kind, shape, n_channels):
    pair = ImagePair(*waves(shape, n_channels), 1.0)
    ours = score(CHROMATIC if kind == "ms_gmsdc" else kind, pair)
    assert ours == pytest.approx(PIQ[kind, shape, n_channels], rel=2e-8)


@pytest.mark.parametrize("n_channels", [1, 3])
def test_equals_piq_where_it_is_installed(n_channels):
    piq = pytest.importorskip("piq", exc_type=ImportError)
    torch = pytest.importorskip("torch")
    arrays = waves((208, 320), n_channels)
    x, y = (torch.from_numpy(array)[None] for array in arrays)
    pair = ImagePair(*arrays, 1.0)
    assert score("psnr", pair) == pytest.approx(float(piq.psnr(x, y)), rel=2e-6)  # piq adds 1e-8 to the error
    assert score("ssim", pair) == pytest.approx(float(piq.ssim(x, y, downsample=False)), rel=1e-9)
    assert score("ms_ssim", pair) == pytest.approx(float(piq.multi_scale_ssim(x, y)), rel=1e-9)
    assert score("ms_gmsd", pair) == pytest.approx(float(piq.multi_scale_gmsd(x, y)), rel=1e-7)
    assert score("haarpsi", pair) == pytest.approx(float(piq.haarpsi(x, y)), rel=1e-7)
    if n_channels == 3:
        assert score("mdsi", pair) == pytest.approx(float(piq.mdsi(x, y)), rel=1e-7)
        chromatic = float(piq.multi_scale_gmsd(x, y, chromatic=True))
        assert score(CHROMATIC, pair) == pytest.approx(chromatic, rel=1e-7)


@pytest.mark.parametrize(("dtype", "data_range"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)])
def test_equals_scikit_image(dtype, data_range):
    x, y = (
        np.round(a * data_range).astype(dtype) if data_range > 1 else a.astype(dtype)
        for a in waves((31, 47), 3)
    )
    pair = ImagePair(x, y, data_range)
    assert score("psnr", pair) == pytest.approx(peak_signal_noise_ratio(x, y, data_range=data_range))
    assert score("nrmse", pair) == pytest.approx(normalized_root_mse(x.astype(float), y.astype(float)))
    expected = structural_similarity(
        *(a.astype(float) for a in (x, y)),
        data_range=data_range,
        channel_axis=0,
        gaussian_weights=True,
        use_sample_covariance=False,
        truncate=3.5,
    )
    assert score("ssim", pair) == pytest.approx(expected)
