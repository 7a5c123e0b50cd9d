"""Recipe: the typed root of every YAML file, and the sample that it describes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Len
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, field_validator

from .core.config import Config, suggestion, with_overrides
from .core.errors import InputError, RecipeError
from .core.grid import Grid
from .core.rng import Key
from .core.sample import Sample
from .core.scene import Scene
from .core.tally import tally
from .core.types import Image
from .data.object_table import object_columns
from .data.split import split_of
from .io.yaml import parse_yaml, read_yaml
from .labels.base import AbstractLabelGenerator
from .labels.base import registry as label_generators
from .labels.ellipsoids import Ellipsoids
from .labels.parts.base import AbstractPart
from .labels.parts.base import registry as part_kinds
from .render.base import AbstractRenderer, AbstractTiledImage, in_memory
from .render.base import registry as renderers
from .render.microscope import Microscope


class Condition(Config):
    """One kind of image among several in a set: values that replace those of the recipe."""

    name: str
    """What it was made from, such as the name of a real image."""

    weight: PositiveFloat = 1.0
    """Share of the samples, relative to the other conditions."""

    values: dict[str, Any]
    """Dotted path to value, like overrides: `{labels.density_per_mm2: 800}`."""


class Recipe(Config):
    """All that is needed to make a dataset again."""

    name: Annotated[str, Len(1, 80)] = "cells"
    """Name of the dataset; samples are called `NAME_00000` and so on."""

    seed: Annotated[int, Ge(0)] = 0
    """Root of all random numbers."""

    n_samples: PositiveInt = 20
    """Images to make."""

    grid: Grid = Grid()
    """Shape and pixel size of an image."""

    labels: Annotated[AbstractLabelGenerator, *label_generators.field()] = Ellipsoids()
    """Where the cells are and what shape they have."""

    parts: dict[str, Annotated[AbstractPart, *part_kinds.field()]] = Field(default_factory=dict)
    """What is in or beside the cells, with labels of its own, by name: `{spots: {kind: spots, number: 5}}`."""

    render: Annotated[AbstractRenderer, *renderers.field()] = Microscope()
    """How they look."""

    conditions: tuple[Condition, ...] = ()
    """Kinds of image in the set; samples take turns by weight. Empty: all samples follow the recipe itself."""

    split: dict[str, PositiveFloat] = Field(default={"train": 1.0})
    """Shares of the samples by the name of the split, such as `{train: 0.8, val: 0.2}`."""

    first_sample: NonNegativeInt = 0
    """Index of the first sample: another start gives other samples of the same recipe."""

    digits: PositiveInt = 5
    """Digits of the index in a sample's name."""

    format: Literal["auto", "tiff", "ome_zarr"] = "auto"
    """How samples are stored: OME-TIFF; OME-Zarr, which is made block by block; or OME-Zarr for what is larger than
    2^28 values."""

    chunk_px: tuple[PositiveInt, ...] | None = None
    """Voxels of a chunk of OME-Zarr per axis; by default 64 x 128 x 128, in 2D 1024 x 1024. Does not change a value."""

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if not all(c.isalnum() or c in "-_" for c in name):
            raise ValueError(
                f"a name has letters, digits, - and _ only, as files are named after it; saw {name!r}"
            )
        return name

    @field_validator("parts")
    @classmethod
    def _check_parts(cls, parts: dict[str, Any]) -> dict[str, Any]:
        for name in parts:
            if not name or not all(c.isalnum() or c in "-_" for c in name):
                raise ValueError(
                    f"names of parts have letters, digits, - and _ only, as folders are named after them; saw {name!r}"
                )
        return parts

    @cached_property
    def variants(self) -> tuple["Recipe", ...]:
        """The recipe under each of its conditions, or itself."""
        if not self.conditions:
            return (self,)
        plain = {**self.to_dict(), "conditions": []}
        return tuple(
            Recipe.parse(with_overrides(plain, c.values), source=f"{self.name}: condition {c.name}")
            for c in self.conditions
        )

    @property
    def is_zarr(self) -> bool:
        """Whether the samples become OME-Zarr."""
        largest = max(v.grid.n_voxels * len(v.render.channel_names) for v in self.variants)
        is_tiled = all(v.render.is_tiled for v in self.variants)
        return self.format == "ome_zarr" or (self.format == "auto" and is_tiled and largest > _FITS)

    def check_builds(self) -> None:
        """Refuse what only shows when a method meets the grid, such as a volume for a 2D renderer.

        Raises
        ------
        RecipeError
            Says what does not go together.
        """
        for variant in self.variants:
            variant.labels.build(variant.grid)
            for part in variant.parts.values():
                part.build(variant.grid)
            variant.render.build(variant.grid)

    def condition_of(self, index: int) -> int:
        """Which condition a sample follows: by index alone, in proportion to the weights at every length."""
        if len(self.conditions) < 2:
            return 0
        # The golden ratio's multiples fill [0, 1) evenly, so any run of samples has the right mixture.
        position = (index + 1) * 0.6180339887498949 % 1 * sum(c.weight for c in self.conditions)
        for i, condition in enumerate(self.conditions):
            position -= condition.weight
            if position < 0:
                return i
        return len(self.conditions) - 1

    def sample_names(self) -> list[str]:
        """Names of all samples, in order."""
        return [self.sample_name(i) for i in self.sample_indices()]

    def sample_indices(self) -> range:
        """Indices of all samples."""
        return range(self.first_sample, self.first_sample + self.n_samples)

    def sample_name(self, index: int) -> str:
        """Name of one sample."""
        return f"{self.name}_{index:0{self.digits}d}"


_FITS = 2**28
"""Values of an image above which it is made block by block."""

ALTERNATIVES = ("n_cells", "density_per_mm2", "density", "fraction")
"""Keys of `labels` of which one excludes the others: overriding one sets the others to null."""


@dataclass(frozen=True, eq=False)
class Plan:
    """A sample whose objects are placed, and of which any part can be drawn and rendered."""

    name: str
    scene: Scene
    picture: AbstractTiledImage
    bit_depth: int
    channels: tuple[str, ...]
    provenance: dict[str, Any]

    @property
    def grid(self) -> Grid:
        """Sampling of the image and of all labels."""
        return self.scene.grid


def plan_sample(recipe: Recipe, index: int) -> Plan:
    """Place the objects of one sample under the microscope.

    The result is a function of the recipe (without `n_samples`) and the index, whatever else is made.
    """
    i = recipe.condition_of(index)
    variant = recipe.variants[i]
    key = Key.from_seed(recipe.seed).child("sample", index)
    scene = variant.labels.build(variant.grid)(key.child("labels"))
    for part, config in variant.parts.items():
        if part in scene.layers:
            raise RecipeError(
                f"parts.{part}: the scene has labels of that name already ({', '.join(scene.layers)}); choose another"
            )
        made = replace(config.build(variant.grid)(scene, key.child("part", part)), name=part)
        scene = replace(scene, parts={**scene.parts, part: made})
    name = recipe.sample_name(index)
    return Plan(
        name=name,
        scene=scene,
        picture=variant.render.tiled(variant.grid, scene, key.child("render")),
        bit_depth=variant.render.bit_depth,
        channels=variant.render.channel_names,
        provenance={
            "condition": recipe.conditions[i].name if recipe.conditions else "",
            "index": index,
            "split": split_of(name, recipe.split, recipe.seed),
        },
    )


def make_sample(recipe: Recipe, index: int) -> Sample:
    """Make one sample: draw its scene, label it, and take its picture; see `plan_sample`."""
    plan = plan_sample(recipe, index)
    image = in_memory(plan.picture, plan.grid, len(plan.channels))
    labels = {name: layer.draw() for name, layer in plan.scene.layers.items()}
    sample = Sample(
        name=plan.name,
        grid=plan.grid,
        image=image,
        labels=labels[plan.scene.name],
        parts={name: part for name, part in labels.items() if name in plan.scene.parts},
        bit_depth=plan.bit_depth,
        objects=plan.scene.objects,
        provenance=plan.provenance,
    )
    counts, start = sample.counts, (0,) * plan.grid.ndim
    tables = {
        name: object_columns(layer, tally(labels[name], counts, start), plan.channels)
        for name, layer in plan.scene.layers.items()
    }
    return replace(sample, tables=tables)


def make_stages(recipe: Recipe, index: int) -> tuple[Grid, dict[str, Image]]:
    """What the image of a sample comes from, step by step: its sampling, and (C, Z, Y, X) in photons by name."""
    plan = plan_sample(recipe, index)
    stages = {
        name: np.empty((len(plan.channels), *plan.grid.shape_px), np.float32)
        for name in plan.picture.stage_names
    }
    for tile in plan.grid.boxes(plan.picture.tile_px):
        found = plan.picture.stages(tile)
        for name, image in stages.items():
            image[(slice(None), *tile.slices)] = found[name]
    return plan.grid, stages


def load_recipe(source: Path | str, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe and apply overrides.

    Parameters
    ----------
    source
        A YAML file, or the name of a packaged recipe.
    overrides
        `key=value` with a dotted key and a YAML value, such as `labels.n_cells=200`.

    Raises
    ------
    RecipeError
        If a key is unknown (the nearest is suggested), a value is not accepted, or the file is no YAML.
    """
    path = Path(source)
    packaged = packaged_recipes()
    if not path.exists():
        if str(source) not in packaged:
            raise RecipeError(
                f"{source}: there is no such file, and no recipe of that name in the package; "
                f"{suggestion(str(source), packaged)}"
            )
        path = packaged[str(source)]
    if path.is_dir():
        raise RecipeError(f"{source}: is a folder; give a YAML file, such as the recipe.yaml of a dataset")
    try:
        data = read_yaml(path)
    except InputError as error:
        raise RecipeError(str(error)) from error
    recipe = Recipe.parse(data, source=str(source))
    try:
        _ = recipe.variants
    except RecipeError as error:
        raise RecipeError(f"{source}: {error}") from None
    return overridden(recipe, overrides)


def overridden(recipe: Recipe, overrides: Sequence[str]) -> Recipe:
    """Apply `key=value` overrides; they win over what the conditions say of the same key or a part of it."""
    values = parse_overrides(overrides)
    data = recipe.to_dict()
    if any(values.get(f"labels.{name}") is not None for name in ALTERNATIVES):
        # Who gives the one means it instead of the others.
        for name in ALTERNATIVES:
            if name in data["labels"]:
                values.setdefault(f"labels.{name}", None)
    for condition in data["conditions"]:
        condition["values"] = {
            path: value
            for path, value in condition["values"].items()
            if not any(path == key or path.startswith(f"{key}.") for key in values)
        }
    return Recipe.parse(with_overrides(data, values), source="override")


def parse_overrides(overrides: Sequence[str]) -> dict[str, Any]:
    """`["seed=3", "grid.shape_px=[64, 64]"]` to a dictionary of plain values."""
    values: dict[str, Any] = {}
    for text in overrides:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise RecipeError(f"override {text!r} is not of the form key=value, such as labels.n_cells=200")
        try:
            parsed = parse_yaml(f"value: {value}", source=f"override {key.strip()}")
        except InputError as error:
            raise RecipeError(str(error)) from error
        if len(parsed) > 1:
            raise RecipeError(f"override {key.strip()}: the value must stand in one line, saw {value!r}")
        values[key.strip()] = parsed["value"]
    return values


def packaged_recipes() -> dict[str, Path]:
    """Recipes that the package carries, by name."""
    folder = Path(__file__).parent / "recipes"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}
