"""Noise of the camera: the right distributions, and a function of the place."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtri

from cellsynth.render._noise import normal_quantile, poisson_of, record

KEY = np.uint64(12345)


@pytest.mark.parametrize("mean", [0.0, 0.05, 3.0, 9.99, 10.01, 37.5, 400.0, 20000.0])
def test_numbers_are_poisson(mean):
    numbers = poisson_of(np.full(200_000, mean, np.float32), KEY)
    assert np.array_equal(numbers, np.floor(numbers))
    if mean == 0:
        assert not numbers.any()
        return
    assert numbers.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / 200_000))
    assert numbers.var() == pytest.approx(mean, rel=0.02)
    edges = np.unique(stats.poisson.ppf(np.linspace(0.001, 0.999, 40), mean))
    counts = np.histogram(numbers, np.concatenate([[-0.5], edges + 0.5, [np.inf]]))[0]
    shares = np.diff(np.concatenate([[0], stats.poisson.cdf(edges, mean), [1]]))
    kept = shares > 1e-9
    assert stats.chisquare(counts[kept], shares[kept] / shares[kept].sum() * counts[kept].sum()).pvalue > 1e-4


def test_quantiles_are_those_of_the_normal_distribution():
    for p in np.concatenate([np.linspace(1e-4, 1 - 1e-4, 501), 10.0 ** -np.arange(5, 16)]):
        assert normal_quantile(p) == pytest.approx(ndtri(p), rel=2e-7, abs=2e-7)


def recorded(light, start=(0, 0, 0), read=3.0):
    dark = np.zeros(light.shape[1:], np.float32)
    out = light.copy()
    record(out, 0.8, dark, 1, read, 2.0, 100.0, 65535.0, KEY, np.array(start))
    return out * 65535


def test_read_noise_is_gaussian():
    grey = recorded(np.full((2, 301, 311), 0.0, np.float32), read=15.0)
    values = (grey.ravel()[:20_000] - 100 + np.random.default_rng(0).uniform(-0.5, 0.5, 20_000)) / 30
    inside = values[values > -3]  # below is cut at 0
    assert stats.kstest(inside, stats.truncnorm(-3, np.inf).cdf).pvalue > 1e-3


def test_noise_belongs_to_the_place_and_neighbours_are_independent():
    light = np.full((5, 41, 37), 90.0, np.float32)
    whole = recorded(light)
    part = recorded(light[2:4, 7:30, 5:20].copy(), (2, 7, 5))
    assert np.array_equal(part, whole[2:4, 7:30, 5:20])
    noise = whole - whole.mean()
    for axis in range(3):
        a, b = np.moveaxis(noise, axis, 0)[:-1], np.moveaxis(noise, axis, 0)[1:]
        assert abs((a * b).mean() / noise.var()) < 4 / np.sqrt(a.size)


def test_very_bright_light_is_normal_and_endless_light_ends(key):
    means = np.full(20_000, 4e10, np.float32)
    drawn = poisson_of(means, np.uint64(key.uint64()))
    assert drawn.mean() == pytest.approx(4e10, abs=4 * 2e5 / np.sqrt(20_000))
    assert drawn.std() == pytest.approx(2e5, rel=0.03)
    assert np.isposinf(poisson_of(np.array([np.inf], np.float32), np.uint64(1))).all()
