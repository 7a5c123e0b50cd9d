"""From images to a recipe and back."""

import math
from pathlib import Path

import numpy as np
import pytest

from cellsynth.calibrate._conditions import choose_conditions
from cellsynth.calibrate.first_look import first_impression
from cellsynth.calibrate.fit import Calibration, calibrate
from cellsynth.calibrate.measure import STATISTICS
from cellsynth.calibrate.parameters import PARAMETERS, Corrector, first_guess
from cellsynth.calibrate.to_recipe import Population, population_of, recipe_values
from cellsynth.core.errors import InputError
from cellsynth.core.grid import Grid
from cellsynth.core.parallel import WorkerPool
from cellsynth.data.dataset import DatasetWriter, write_sample
from cellsynth.data.image_set import ImageSet
from cellsynth.recipe import Recipe, make_sample

NO_SHAPE = Population(None, None, 0.0)

TRUTH = Recipe.parse(
    {
        "name": "pseudo_real",
        "seed": 3,
        "n_samples": 5,
        "grid": {"shape_px": [200, 230], "voxel_um": [0.5, 0.5]},
        "labels": {
            "kind": "ellipsoids",
            "n_cells": None,
            "density_per_mm2": 2400,
            "radius_um": {"median": 4.5, "log_sd": 0.12},
            "axis_ratio": {"median": 0.75, "log_sd": 0.12, "low": 0.3, "high": 1.0},
            "intensity": {"median": 1.0, "log_sd": 0.2},
        },
        "render": {
            "kind": "microscope",
            "photons": 700,
            "background": {"photons": 150},
            "psf": {"na": None, "blur_um": 0.6},
            "camera": {"bit_depth": 8, "gain_counts_per_electron": 0.1, "offset_counts": 0},
        },
    }
)


def write(recipe: Recipe, folder: Path) -> ImageSet:
    writer = DatasetWriter.open(folder, recipe.to_dict())
    for index in recipe.sample_indices():
        write_sample(folder, make_sample(recipe, index))
    return writer.finish(recipe.sample_names())


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    return write(TRUTH, tmp_path_factory.mktemp("pseudo_real") / "set")


@pytest.fixture(scope="module")
def calibration(images: ImageSet) -> Calibration:
    return calibrate(images, seed=1, n_samples=3)


def test_what_made_the_images_is_found_within_a_few_percent(calibration: Calibration) -> None:
    found = {p.name: p.interval.value for p in calibration.parameters}
    assert found["radius"] == pytest.approx(4.5, rel=0.06)
    assert found["density"] == pytest.approx(2400, rel=0.2)
    assert found["axis_ratio"] == pytest.approx(0.75, rel=0.1)
    assert found["blur"] == pytest.approx(0.6, rel=0.35)
    assert found["photons"] * found["gain"] == pytest.approx(700 * 0.8 * 0.1, rel=0.15)
    assert calibration.polarity == "bright"
    assert calibration.diameter_um == pytest.approx(9, rel=0.06)


def test_every_parameter_has_an_interval_around_its_value(calibration: Calibration) -> None:
    assert [p.name for p in calibration.parameters] == [p.name for p in PARAMETERS]
    for p in calibration.parameters:
        assert p.interval.low <= p.interval.value <= p.interval.high


def test_units_are_physical_where_the_scale_is_known(calibration: Calibration) -> None:
    units = {p.name: p.unit for p in calibration.parameters}
    assert units["radius"] == "um"
    assert units["density"] == "per mm2"
    assert calibration.recipe.grid.voxel_um == (0.5, 0.5)


def test_the_recipe_makes_images_with_the_statistics_of_the_real_ones(calibration: Calibration) -> None:
    for name in ("radius", "contrast", "edge", "background"):
        real, synthetic = (
            np.median([m.statistics[name] for m in side])
            for side in (calibration.real, calibration.synthetic)
        )
        assert synthetic == pytest.approx(real, rel=0.15), name


def test_the_recipe_survives_its_own_yaml(calibration: Calibration) -> None:
    assert Recipe.parse(calibration.recipe.to_dict()) == calibration.recipe


def test_calibration_does_not_depend_on_the_number_of_workers(images: ImageSet) -> None:
    few = images.take(range(2))
    pool = WorkerPool(2)
    try:
        parallel = calibrate(few, seed=1, pool=pool)
    finally:
        pool.close()
    assert parallel.recipe.to_dict() == calibrate(few, seed=1).recipe.to_dict()


def test_dark_cells_are_calibrated_as_dark(tmp_path: Path) -> None:
    data = TRUTH.to_dict()
    data["n_samples"] = 2
    data["render"] |= {"contrast": "dark", "photons": 900}
    data["render"]["background"]["photons"] = 1500
    found = calibrate(write(Recipe.parse(data), tmp_path / "dark"))
    assert found.polarity == "dark"
    assert found.diameter_um == pytest.approx(9, rel=0.15)
    image = make_sample(found.recipe, 0)
    assert image.labels is not None
    assert image.image[0][image.labels > 0].mean() < image.image[0][image.labels == 0].mean()


def test_one_image_is_cut_into_tiles_and_the_notes_say_so(tmp_path: Path) -> None:
    data = TRUTH.to_dict()
    data["n_samples"] = 1
    found = calibrate(write(Recipe.parse(data), tmp_path / "one"))
    assert "one image" in found.notes[0]
    assert len(found.real) in (4, 9)


def test_images_without_cells_are_refused_in_words(tmp_path: Path) -> None:
    data = TRUTH.to_dict()
    data["labels"]["density_per_mm2"] = 0
    data["n_samples"] = 2
    with pytest.raises(InputError, match="polarity"):
        calibrate(write(Recipe.parse(data), tmp_path / "empty"))


def test_a_first_look_finds_the_size_of_cells(images: ImageSet) -> None:
    look = first_impression(images, WorkerPool(1))
    assert look.polarity == "bright"
    assert look.diameter_um == pytest.approx(9, rel=0.25)


# The parts ---------------------------------------------------------------------------------------------------


def typical() -> dict[str, float]:
    values = dict.fromkeys(STATISTICS, 0.2)
    return values | {"density": 500.0, "radius": 10.0, "contrast": 50.0, "edge": 3.0, "background": 10.0}


def test_nothing_is_corrected_where_simulation_and_image_agree() -> None:
    guess = first_guess(typical())
    assert Corrector(typical()).move(guess, typical()) == guess


def test_every_parameter_moves_towards_the_image_and_stays_in_bounds() -> None:
    guess = first_guess(typical())
    for p in PARAMETERS:
        smaller = typical() | {p.statistic: typical()[p.statistic] * 0.5}
        moved = Corrector(typical()).move(guess, smaller)  # the simulation shows too little of it
        direction = 1 if p.step > 0 else -1
        assert (moved[p.name] - guess[p.name]) * direction >= 0, p.name
        assert p.low <= moved[p.name] <= p.high
        assert {k for k in guess if moved[k] != guess[k]} <= {p.name}


def test_an_undefined_statistic_moves_nothing() -> None:
    guess = first_guess(typical())
    assert Corrector(typical() | {"radius": math.nan}).move(guess, typical()) == guess


@pytest.mark.parametrize("slope", [0.15, 0.6, 1.0, 1.6])
def test_statistics_that_follow_little_or_too_much_are_reached_all_the_same(slope: float) -> None:
    # Texture and haze answer in proportion to their parameters; the others agree from the start.
    target = typical() | {"texture": slope * 0.3, "haze": slope * 0.2}
    corrector, values = Corrector(target), first_guess(typical())
    for _ in range(12):
        shown = {"texture": slope * values["texture"], "haze": slope * values["haze"]}
        values = corrector.move(values, typical() | shown)
    assert values["texture"] == pytest.approx(0.3, rel=0.05)
    assert values["haze"] == pytest.approx(0.2, rel=0.05)


def test_light_that_would_be_noisier_than_the_image_becomes_an_offset() -> None:
    grid = Grid(shape_px=(64, 64))
    values = first_guess(typical()) | {"gain": 1.0, "background": 100.0, "read_noise": 3.0, "photons": 50.0}
    made = recipe_values(values, NO_SHAPE, grid, "bright", 12)
    # Noise of 3 grey levels at gain 1 is shot noise of 9 electrons; the other 91 grey levels are offset.
    assert made["render.background.photons"] == pytest.approx(9)
    assert made["render.camera.offset_counts"] == pytest.approx(91)
    assert made["render.camera.read_noise_electrons"] == 0


def test_noise_that_light_does_not_explain_is_read_noise() -> None:
    grid = Grid(shape_px=(64, 64))
    values = first_guess(typical()) | {"gain": 2.0, "background": 8.0, "read_noise": 5.0}
    made = recipe_values(values, NO_SHAPE, grid, "bright", 12)
    assert made["render.background.photons"] == pytest.approx(4)
    assert made["render.camera.read_noise_electrons"] == pytest.approx(np.sqrt(25 - 16) / 2, rel=1e-3)
    assert made["render.camera.offset_counts"] == 0


def test_pooled_cells_keep_the_shape_of_their_distribution(rng: np.random.Generator) -> None:
    brightness = [np.where(rng.random(400) < 0.1, 5.0, 1.0) * rng.lognormal(0, 0.1, 400) * s for s in (1, 7)]
    size = [10 * rng.lognormal(0, 0.15, 400) for _ in range(2)]
    found = population_of(size, brightness)
    assert found.brightness is not None
    top, bottom = found.brightness[-1], found.brightness[0]
    assert top > 3 * abs(bottom)  # a tenth of the cells is five times as bright
    assert abs(found.correlation) < 0.15


def test_few_cells_tell_no_shape() -> None:
    assert population_of([np.full(5, 9.0)], [np.full(5, 1.0)]) == NO_SHAPE


def test_like_images_share_a_condition() -> None:
    small = [typical() | {"radius": 5 + 0.1 * i, "density": 900.0} for i in range(4)]
    large = [typical() | {"radius": 25 + 0.5 * i, "density": 100.0} for i in range(3)]
    groups = choose_conditions([*small, *large], [(64, 64)] * 7, 2)
    assert sorted(g.members for g in groups) == [(0, 1, 2, 3), (4, 5, 6)]


def test_few_images_have_a_condition_each() -> None:
    groups = choose_conditions([typical()] * 3, [(64, 64)] * 3, 12)
    assert [g.members for g in groups] == [(0,), (1,), (2,)]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)
