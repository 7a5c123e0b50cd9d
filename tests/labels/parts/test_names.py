"""Names of parts: folders are named after them, and none replaces another."""

import pytest

from cellsynth.core.errors import RecipeError
from cellsynth.recipe import Recipe, plan_sample

LABELS = {"kind": "cells", "n_cells": 4, "populations": [{"radius_um": [4, 6]}]}
SPOTS = {"kind": "spots", "number": 2}


def test_a_part_may_not_take_the_name_of_other_labels():
    grid = {"shape_px": [64, 70], "voxel_um": [1.0, 1.0]}
    recipe = Recipe.parse(
        {"grid": grid, "labels": LABELS, "parts": {"cells": SPOTS}, "render": {"kind": "fluorescence"}}
    )
    with pytest.raises(RecipeError, match="the scene has labels of that name already"):
        plan_sample(recipe, 0)


@pytest.mark.parametrize("name", ["../evil", "a/b", "", "a b"])
def test_a_part_is_named_as_a_folder_may_be(name):
    with pytest.raises(RecipeError, match="names of parts"):
        Recipe.parse({"labels": LABELS, "parts": {name: SPOTS}})
