import numpy as np
import pytest

from cellsynth.core.halved import mean_of_steps


def by_numpy(pixels, steps):
    padded = np.pad(pixels, [(0, -n % s) for n, s in zip(pixels.shape, steps, strict=True)], mode="edge")
    lengths = [part for n, s in zip(padded.shape, steps, strict=True) for part in (n // s, s)]
    means = padded.reshape(lengths).mean(axis=tuple(range(1, 2 * len(steps), 2)), dtype=np.float64)
    return (np.rint(means) if pixels.dtype.kind == "u" else means).astype(pixels.dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize(
    ("shape", "steps"),
    [
        ((7, 10), (2, 2)),
        ((5, 1), (2, 1)),
        ((5, 7, 9), (1, 2, 2)),
        ((4, 6, 3), (2, 2, 2)),
        ((2, 5, 6, 7), (1, 2, 1, 2)),
    ],
)
def test_means_are_those_of_numpy(dtype, shape, steps):
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 255, shape).astype(dtype)
    found = mean_of_steps(pixels, steps)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, by_numpy(pixels, steps))


def test_ties_go_to_even_and_large_values_stay():
    assert mean_of_steps(np.array([[0, 1, 1, 2, 65535]], np.uint16), (1, 2)).tolist() == [[0, 2, 65535]]
