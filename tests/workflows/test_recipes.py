"""Every packaged recipe: it validates, says what it shows, and a tiny run of it goes end to end."""

import numpy as np
import pytest

from cellsynth import synthesize
from cellsynth.cli import main
from cellsynth.core.errors import RecipeError
from cellsynth.data.dataset import open_dataset, verify
from cellsynth.io.formats import read_pixels
from cellsynth.io.yaml import read_yaml, write_yaml
from cellsynth.labels.ellipsoids import Ellipsoids
from cellsynth.recipe import Recipe, load_recipe, overridden, packaged_recipes
from tests.workflows.commands import assert_same

every_recipe = pytest.mark.parametrize("name", packaged_recipes())
TINY = ["n_samples=2", "grid.shape_px=[121, 143]"]
TINY_IN_3D = {
    "spheroid_dense": ["grid.shape_px=[23, 81, 95]", "labels.region.semi_axes_um=[15, 18, 20]"],
    "spheroid_2023": ["grid.shape_px=[23, 81, 95]", "labels.region.semi_axes_um=[15, 18, 20]"],
    "cyst": ["grid.shape_px=[23, 81, 95]", "labels.region.semi_axes_um=[9, 13, 14]"],
    "monolayer": ["grid.shape_px=[21, 81, 95]"],
}
"""Recipes of volumes."""


def test_there_are_recipes():
    assert {"nuclei_2d", "nuclei_adgan_masks"} <= set(packaged_recipes())


@every_recipe
def test_a_recipe_says_in_one_line_what_it_shows_and_is_named_after_its_file(name):
    text = packaged_recipes()[name].read_text()
    assert text.startswith("# ")
    assert text.splitlines()[0].endswith(".")
    assert not text.splitlines()[1].startswith("#")
    assert load_recipe(name).name == name


@every_recipe
def test_a_recipe_survives_its_way_through_plain_values(name):
    recipe = load_recipe(name)
    assert Recipe.parse(recipe.to_dict()) == recipe


@every_recipe
def test_a_tiny_run_goes_end_to_end(name, tmp_path):
    overrides = ["n_samples=2", *TINY_IN_3D.get(name, TINY)]
    made = synthesize(name, tmp_path / "out", overrides, workers=1, quiet=True)
    assert len(made) == 2
    assert verify(tmp_path / "out").n_samples == 2
    for i, sample in enumerate(open_dataset(tmp_path / "out")):
        assert sample.image.shape == (len(load_recipe(name).render.channel_names), *sample.grid.shape_px)
        assert sample.labels.max() >= 1
        # Where cells leave no background, what shines in the first channel are their membranes.
        shining = sample.labels
        if shining.all():
            shining = read_pixels(sorted((tmp_path / "out" / "labels_membranes").iterdir())[i])
        inside, outside = (sample.image[0][(shining > 0) == part].mean() for part in (True, False))
        bright = "contrast" not in read_yaml(packaged_recipes()[name])["render"]
        assert (inside > outside) == bright
        assert len(np.unique(sample.image)) > 50


def test_the_resolved_recipe_in_the_folder_makes_the_same_dataset_again(tmp_path):
    synthesize("nuclei_2d", tmp_path / "first", TINY, workers=1, quiet=True)
    synthesize(tmp_path / "first" / "recipe.yaml", tmp_path / "again", workers=1, quiet=True)
    assert_same(tmp_path / "first", tmp_path / "again")


def test_two_workers_give_the_bytes_of_one_and_so_does_the_command(tmp_path):
    overrides = ["n_samples=5", "grid.shape_px=[61, 83]", "split={train: 0.5, test: 0.5}"]
    synthesize("nuclei_2d", tmp_path / "one", overrides, workers=1, quiet=True)
    synthesize("nuclei_2d", tmp_path / "two", overrides, workers=2, quiet=True)
    command = ["synthesize", "nuclei_2d", str(tmp_path / "command"), *overrides, "--workers=1", "--quiet"]
    assert main(command) == 0
    assert_same(tmp_path / "one", tmp_path / "two")
    assert_same(tmp_path / "one", tmp_path / "command")


def test_a_sample_does_not_depend_on_how_many_are_made(tmp_path):
    few, many = (
        synthesize("nuclei_2d", tmp_path / str(n), [*TINY, f"n_samples={n}"], workers=1, quiet=True)
        for n in (1, 3)
    )
    assert np.array_equal(few.load(0).image, many.load(0).image)
    assert np.array_equal(few.load(0).labels, many.load(0).labels)


def test_an_override_wins_over_what_conditions_say_of_the_same_key():
    conditions = "conditions=[{name: a, values: {labels.touching: 0.5, labels.density_per_mm2: 900}}]"
    recipe = load_recipe("nuclei_2d", [conditions])
    assert recipe.variants[0].labels.touching == 0.5
    changed = overridden(recipe, ["labels.touching=0.1"])
    assert changed.variants[0].labels.touching == 0.1
    assert changed.variants[0].labels.density_per_mm2 == 900


def test_conditions_take_turns_in_proportion_to_their_weights():
    conditions = "conditions=[{name: a, weight: 1, values: {}}, {name: b, weight: 3, values: {}}]"
    recipe = load_recipe("nuclei_2d", [conditions])
    for n in (8, 20, 100):
        share = np.mean([recipe.condition_of(i) for i in range(n)])
        assert share == pytest.approx(0.75, abs=1.5 / n)


def test_giving_one_of_two_alternatives_replaces_the_other():
    by_count = load_recipe("nuclei_2d", ["labels.n_cells=7"]).labels
    assert isinstance(by_count, Ellipsoids)
    assert (by_count.n_cells, by_count.density_per_mm2) == (7, None)
    by_density = load_recipe("nuclei_2d", ["labels.density_per_mm2=70"]).labels
    assert isinstance(by_density, Ellipsoids)
    assert (by_density.n_cells, by_density.density_per_mm2) == (None, 70)


def test_a_mistake_in_a_condition_names_the_file(tmp_path):
    recipe = load_recipe("nuclei_2d").to_dict()
    recipe["conditions"] = [{"name": "dim", "weight": 1, "values": {"render.photon": 3}}]
    write_yaml(tmp_path / "mine.yaml", recipe)
    with pytest.raises(RecipeError, match=r"mine.yaml: .*condition dim: .*did you mean 'photons'"):
        load_recipe(tmp_path / "mine.yaml")
