"""LPIPS: the files that weights come from, and what is refused."""

import re
import sys

import numpy as np
import pytest

from cellsynth.core.errors import InputError, MissingToolError
from cellsynth.evaluate.image_quality import ImagePair, registry
from tests.evaluate.image_fields import waves
from tests.network_weights import lpips_file

torch = pytest.importorskip("torch", reason='pip install "cellsynth[learn]"')

SHAPE = (41, 53)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return lpips_file(tmp_path_factory.mktemp("weights") / "alex.npz")


@pytest.fixture(scope="module")
def arrays(weights):
    with np.load(weights) as found:
        return {name: found[name] for name in found.files}


def score(pair=None, **fields):
    metric = registry.parse({"kind": "lpips", **fields})
    return metric.score(metric.measure(pair or ImagePair(*waves(SHAPE, 3), 1.0)))


def save(path, arrays):
    torch.save({name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}, path)
    return path


def test_every_published_form_gives_the_same_score(weights, arrays, tmp_path):
    expected = score(weights=weights)
    trunk = {name: array for name, array in arrays.items() if name.startswith("features.")}
    heads = {
        f"lin{name[6]}.model.1.weight": array for name, array in arrays.items() if name.startswith("heads.")
    }

    torchvision = save(tmp_path / "alexnet.pth", {**trunk, "classifier.1.weight": np.zeros((3, 2))})
    assert score(weights=torchvision, heads=save(tmp_path / "alex.pth", heads)) == expected

    slices = {0: 1, 3: 2, 6: 3, 8: 4, 10: 5}
    whole = {
        re.sub(r"features\.(\d+)", lambda m: f"net.slice{slices[int(m[1])]}.{m[1]}", name): array
        for name, array in trunk.items()
    }
    constants = {"scaling_layer.shift": np.zeros((1, 3, 1, 1)), "lins.0.model.1.weight": np.zeros(1)}
    assert score(weights=save(tmp_path / "lpips.pth", {**whole, **heads, **constants})) == expected

    numbers = {0: 0, 3: 1, 6: 2, 8: 3, 10: 4}
    jax = {}
    for name, array in arrays.items():
        kind, number, part = name.split(".")
        place = (
            f"AlexNet_0.Conv_{numbers[int(number)]}" if kind == "features" else f"NetLinLayer_{number}.Conv_0"
        )
        last = array.transpose(2, 3, 1, 0) if array.ndim == 4 else array
        jax[f"{place}.{'kernel' if part == 'weight' else part}"] = last
    np.savez(tmp_path / "jax.npz", **jax)
    assert score(weights=tmp_path / "jax.npz") == expected


def test_a_file_that_was_replaced_is_read_again(arrays, tmp_path):
    path = tmp_path / "w.npz"
    np.savez(path, **arrays)
    before = score(weights=path)
    np.savez(
        path, **{n: 2 * a if n.startswith("heads.") else a for n, a in arrays.items()}, allow_pickle=False
    )
    assert score(weights=path) == pytest.approx(2 * before)


def test_grey_stands_for_equal_channels(weights):
    reference, candidate = waves(SHAPE)
    rgb = [np.repeat(side, 3, axis=0) for side in (reference, candidate)]
    assert score(ImagePair(reference, candidate, 1.0), weights=weights) == pytest.approx(
        score(ImagePair(*rgb, 1.0), weights=weights)
    )


@pytest.mark.parametrize(("net", "smallest"), [("alex", 31), ("vgg", 16)])
def test_what_is_too_small_is_told_the_smallest_size(net, smallest):
    pair = ImagePair(*waves((smallest - 1, 99), 3), 1.0)
    with pytest.raises(InputError, match=f"too small for LPIPS with net {net}, which needs {smallest}"):
        score(pair, net=net)


def test_volumes_and_other_channels_have_a_way_out(weights):
    volume, two = np.zeros((1, 5, 41, 53)), np.zeros((2, 41, 53))
    with pytest.raises(InputError, match="slice by slice"):
        score(ImagePair(volume, volume, 1.0), weights=weights)
    with pytest.raises(InputError, match="2 channels"):
        score(ImagePair(two, two, 1.0), weights=weights)


def test_missing_weights_say_how_to_get_them(arrays, tmp_path):
    with pytest.raises(
        MissingToolError, match=r"lpips: weights=FILE.*lpips: weights=fetch.*alexnet-owt-7be5be79"
    ):
        score()
    with pytest.raises(MissingToolError, match="vgg16-397923af.pth, BSD-3-Clause"):
        score(net="vgg")
    trunk = {name: array for name, array in arrays.items() if name.startswith("features.")}
    with pytest.raises(
        InputError, match=r"holds no heads of LPIPS, 10 other arrays.*heads=FILE.*v0.1/alex.pth"
    ):
        score(weights=save(tmp_path / "trunk.pth", trunk))
    with pytest.raises(InputError, match="no.pth: cannot be read"):
        score(weights=tmp_path / "no.pth")


def test_weights_of_the_other_net_are_refused(weights):
    with pytest.raises(InputError, match="not the weights of LPIPS with net vgg: .*are missing"):
        score(net="vgg", weights=weights)


def test_missing_torch_says_how_to_install_it(monkeypatch, weights):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingToolError, match=r'pip install "cellsynth\[learn\]"'):
        score(weights=weights)


def test_a_name_has_the_file_and_no_folder(weights):
    assert registry.parse("lpips").name == "lpips[net=alex]"
    assert registry.parse({"kind": "lpips", "weights": weights}).name == "lpips[net=alex,weights=alex.npz]"
    odd = registry.parse({"kind": "lpips", "net": "vgg", "weights": "my folder/a, [b].pth"})
    assert odd.name == "lpips[net=vgg,weights=a___b_.pth]"
