"""Config: misspelt keys are errors that suggest, overrides reach any depth, values survive the round trip."""

import json
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import PositiveInt, ValidationError, field_validator

from cellsynth.core.config import Config, suggestion, with_overrides
from cellsynth.core.errors import RecipeError
from cellsynth.core.grid import Grid


class Optics(Config):
    """A part."""

    na: float = 0.8
    """Numerical aperture."""

    emission_nm: float = 520.0
    """Wavelength."""

    @field_validator("na")
    @classmethod
    def _check_na(cls, value: float) -> float:
        if value > 1.7:
            raise ValueError("no lens has it; give at most 1.7")
        return value


class Scope(Config):
    """A whole."""

    optics: Optics = Optics()
    channels: tuple[Optics, ...] = ()
    spare: Optics | None = None
    n_cells: PositiveInt = 50
    range_um: Annotated[tuple[float, float], "from, to"] = (4.0, 7.0)
    name: str


def failure(data: dict) -> str:
    with pytest.raises(RecipeError) as caught:
        Scope.parse(data, source="nuclei.yaml")
    return str(caught.value)


def test_misspelt_key_suggests_the_right_one():
    said = failure({"name": "a", "n_cell": 3})
    assert said == "nuclei.yaml: n_cell: unknown key 'n_cell'; did you mean 'n_cells'?"


def test_misspelt_key_of_a_part_is_named_by_its_path():
    assert "optics.emision_nm: unknown key 'emision_nm'; did you mean 'emission_nm'?" in failure(
        {"name": "a", "optics": {"emision_nm": 500}}
    )


@pytest.mark.parametrize("place", [{"spare": {"nna": 1}}, {"channels": [{}, {"nna": 1}]}])
def test_misspelt_key_of_an_optional_part_or_of_a_part_in_a_list_suggests_too(place):
    assert "did you mean 'na'?" in failure({"name": "a", **place})


def test_key_that_resembles_nothing_lists_what_there_is():
    assert "unknown key 'zzz'; known: channels, n_cells, name, optics, range_um, spare" in failure(
        {"name": "a", "zzz": 1}
    )


def test_every_wrong_key_is_named_at_once():
    said = failure({"n_cells": -1, "optics": {"na": 9}, "range_um": [1]})
    assert "name: is missing" in said
    assert "n_cells: Input should be greater than 0, saw -1" in said
    assert "optics.na: no lens has it; give at most 1.7" in said
    assert "range_um" in said


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_must_be_finite(value):
    assert "optics.na" in failure({"name": "a", "optics": {"na": value}})


def test_wrong_type_says_what_was_seen():
    assert "saw 'many'" in failure({"name": "a", "n_cells": "many"})


def test_configs_cannot_be_changed():
    scope = Scope(name="a")
    with pytest.raises(ValidationError, match="frozen"):
        scope.n_cells = 3


@given(st.floats(0.01, 1.7), st.integers(1, 10**6), st.tuples(st.floats(0, 9), st.floats(0, 9)), st.text())
def test_plain_values_make_the_same_config_again(na, n_cells, range_um, name):
    scope = Scope(optics=Optics(na=na), channels=(Optics(),), n_cells=n_cells, range_um=range_um, name=name)
    assert Scope.parse(json.loads(json.dumps(scope.to_dict()))) == scope


def test_fields_are_documented_by_the_string_under_them():
    assert Optics.model_fields["na"].description == "Numerical aperture."


DATA = {"labels": {"kind": "ellipsoids", "sizes": [1, 2, {"na": 3}]}, "seed": 0}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("seed", {**DATA, "seed": 9}),
        ("labels.kind", {"labels": {"kind": 9, "sizes": [1, 2, {"na": 3}]}, "seed": 0}),
        ("labels.sizes.1", {"labels": {"kind": "ellipsoids", "sizes": [1, 9, {"na": 3}]}, "seed": 0}),
        ("labels.sizes.2.na", {"labels": {"kind": "ellipsoids", "sizes": [1, 2, {"na": 9}]}, "seed": 0}),
        ("render.psf.na", {**DATA, "render": {"psf": {"na": 9}}}),
    ],
)
def test_overrides_reach_any_depth_and_leave_the_original_alone(path, expected):
    before = json.dumps(DATA)
    assert with_overrides(DATA, {path: 9}) == expected
    assert json.dumps(DATA) == before


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("seed.value", "seed is a single value"),
        ("seed.value.more", "single value"),
        ("labels.sizes.3", "'3' is not an index of a list of 3"),
        ("labels.sizes.first", "'first' is not an index"),
    ],
)
def test_override_of_something_that_has_no_parts_is_refused(path, said):
    with pytest.raises(RecipeError, match=f"override .*{said}"):
        with_overrides(DATA, {path: 1})


def test_suggestion_needs_some_likeness():
    assert suggestion("radius", ["radius_um", "n_cells"]) == "did you mean 'radius_um'?"
    assert suggestion("q", ["b", "a"]) == "known: a, b"


@pytest.mark.parametrize(
    ("shape_px", "said"),
    [
        ([0, 5], "grid: shape_px.0: Input should be greater than 0, saw 0"),
        ([64, "x", -1], "grid: shape_px.1: Input should be a valid integer, unable to parse string as an integer, "
         "saw 'x'; shape_px.2: Input should be greater than 0, saw -1"),
        ([64], "grid: shape_px: Tuple should have at least 2 items, not 1"),
        ([0], "grid: shape_px.0: Input should be greater than 0, saw 0; shape_px: Tuple should have at least 2 items, "
         "not 1"),
        ([1, 2, 3, 4], "grid: shape_px: Tuple should have at most 3 items, not 4"),
    ],
)  # fmt: skip
def test_a_bad_item_of_a_sequence_is_the_only_thing_said_of_it(shape_px, said):
    with pytest.raises(RecipeError) as caught:
        Grid.parse({"shape_px": shape_px}, source="grid")
    assert str(caught.value) == said


def test_a_misspelt_beginning_of_a_long_key_finds_it():
    known = ["intensity", "density_per_mm2", "n_cells"]
    assert suggestion("densty", known) == "did you mean 'density_per_mm2'?"
    assert suggestion("intensty", known) == "did you mean 'intensity'?"
    assert suggestion("zzz", known) == "known: density_per_mm2, intensity, n_cells"
