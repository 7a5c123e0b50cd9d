"""Fluorescence of volumes: against a bare convolution by SciPy, and against the published simulator's time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy import fft

from cellsynth.core.grid import Box, Grid
from cellsynth.core.rng import Key
from cellsynth.core.scene import Scene
from cellsynth.labels.base import registry as generators
from cellsynth.recipe import Recipe, make_sample
from cellsynth.render._stack import Stack
from cellsynth.render.base import registry
from cellsynth.render.fluorescence import stack_of

from ._claim import Claim
from ._measure import compare, repeat

SHAPE_PX = (256, 512, 512)
GRID = Grid(shape_px=SHAPE_PX, voxel_um=(1.0, 0.5, 0.5))
BALL = {"kind": "ellipsoid", "semi_axes_um": [125.0, 125.0, 125.0]}
CELLS = {
    "kind": "cells",
    "n_cells": 4000,
    "region": BALL,
    "arrangement": "random",
    "populations": [{"radius_um": [4, 5]}],
}

PUBLISHED_S = 26.5
"""Seconds of the published simulator for 64x256x256 voxels with 247 nuclei, measured on two cores of such a machine."""


def claims() -> Iterator[Claim]:
    scene = generators.parse(CELLS).build(GRID)(Key.from_seed(0))
    one = [psf(0)]
    three = [{"path_um": 60.0 * k, **psf(k)} for k in range(3)]
    dimmed = {"attenuation": {"law": "f2p"}}
    for n, optics, more, limit in ((1, one, {}, 1.5), (3, three, dimmed, 3.0)):
        stack = stack_under(scene, optics, more)
        what = "one point spread function" if n == 1 else "three point spread functions and attenuation"
        yield against_bare(f"light of flat cells with {what}", stack, lambda s=stack: light(s), limit)
    stack = stack_under(scene, one, {"texture": {"contrast": 0.2, "dome": 0.0}})
    yield against_bare(
        "the whole image with one point spread function, texture and camera", stack, lambda: whole(stack), 1.5
    )
    yield published()


def psf(k: int) -> dict[str, object]:
    return {"psf": {"kind": "gaussian", "sigma_xy_um": 0.6 + 0.2 * k, "sigma_z_um": 1.2 + 0.4 * k}}


def stack_under(scene: Scene, optics: Sequence[Mapping[str, object]], more: Mapping[str, object]) -> Stack:
    plain = {"kind": "fluorescence", "texture": {"contrast": 0.0, "dome": 0.0}, "optics": list(optics)}
    return stack_of(registry.parse({**plain, **more}), GRID, scene, Key.from_seed(1))


def light(stack: Stack) -> np.ndarray:
    """Photons that reach each voxel, from the table of the objects on; one thread, as the other side."""
    seen = np.empty(SHAPE_PX, np.float32)
    for tile in stack.tiles:
        seen[tile.slices] = stack.expected_photons(tile)
    return seen


def whole(stack: Stack) -> np.ndarray:
    """The image, in two threads; the other side has two as well."""
    image = np.empty(SHAPE_PX, np.float32)

    def fill(tile: Box) -> None:
        image[tile.slices] = stack.render(tile)[0]

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(fill, stack.tiles))
    return image


def against_bare(what: str, stack: Stack, ours: Callable[[], object], limit: float) -> Claim:
    """Times that ours takes longer, so that less is better."""
    kernel = stack._layers[0][0][1]
    emitted = stack._emitted(GRID.box, GRID.box, None, 0, None)[tuple(slice(h, -h) for h in stack._halos[0])]
    n_threads = 2 if "whole" in what else 1

    def bare() -> np.ndarray:
        padded = [
            fft.next_fast_len(a + b - 1, real=True) for a, b in zip(SHAPE_PX, kernel.shape, strict=True)
        ]
        with fft.set_workers(n_threads):
            spectrum = fft.rfftn(emitted, padded)
            spectrum *= fft.rfftn(kernel, padded)
            return fft.irfftn(spectrum, padded)

    compared = compare(ours, bare, n_repeats=5)
    low, high = compared.interval
    return Claim(
        f"render: seconds of 256x512x512, {what}, over those of one bare scipy.fft convolution of the size, "
        f"{n_threads} thread{'s' if n_threads > 1 else ''} each",
        value=compared.ours_s,
        reference=compared.other_s,
        ratio=1 / compared.ratio,
        interval=(1 / high, 1 / low),
        target=limit,
        direction="at most",
    )


def published() -> Claim:
    """The volume that the published simulator was timed on: cells placed, labelled, rendered, tabulated."""
    recipe = Recipe.parse(
        {
            "name": "published",
            "grid": {"shape_px": [64, 256, 256], "voxel_um": [0.9, 0.122, 0.122]},
            "labels": {
                "kind": "cells",
                "n_cells": 247,
                "region": {"kind": "ellipsoid", "semi_axes_um": [27.0, 14.6, 14.6]},
                "arrangement": {"kind": "packed"},
                "populations": [{"radius_um": [1.6, 1.9]}],
            },
            "render": {
                "kind": "fluorescence",
                "attenuation": {"law": "f2p"},
                "optics": [{"psf": {"kind": "gaussian", "sigma_xy_um": 0.3, "sigma_z_um": 1.5}}],
            },
        },
        source="benchmark",
    )
    index = iter(range(1000))
    n_cells = len(make_sample(recipe, 0).objects or ())
    seconds, (low, high) = repeat(lambda: make_sample(recipe, next(index)), n_repeats=9)
    return Claim(
        f"render: seconds of 64x256x256 with {n_cells} nuclei, placed, drawn, rendered and tabulated; reference: the "
        "published simulator for 247 nuclei, measured before",
        value=seconds,
        reference=PUBLISHED_S,
        ratio=PUBLISHED_S / seconds,
        interval=(PUBLISHED_S / high, PUBLISHED_S / low),
        target=30,
    )
