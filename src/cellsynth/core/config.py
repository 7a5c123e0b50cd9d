"""Config: frozen, strict, documented by its own fields; errors that suggest the right key."""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from .errors import RecipeError


class Config(BaseModel):
    """Base of every config: immutable, unknown keys refused, fields documented by the string under them."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False, validate_default=True
    )

    @classmethod
    def parse(cls, data: Mapping[str, Any], source: str = "recipe") -> Self:
        """Make the config from plain values.

        Raises
        ------
        RecipeError
            Names every key that is wrong, in `source`, with the nearest right key where one was misspelt.
        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            items = error.errors()
            lines = [_explain(cls, item) for item in items if not _is_echo(item, items)]
            raise RecipeError(f"{source}: " + "; ".join(lines)) from None

    def to_dict(self) -> dict[str, Any]:
        """Plain values (numbers, strings, lists, dictionaries) that `parse` takes back."""
        return self.model_dump(mode="json")


def files_of(value: Any) -> Iterator[Path]:
    """Files that a configuration names, in order."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from files_of(getattr(value, name))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from files_of(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from files_of(item)


def with_overrides(data: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Copy nested plain values with some replaced.

    Parameters
    ----------
    overrides
        Dotted path to value, e.g. `{"labels.n_cells": 200}`; a number in the path indexes a list.
    """
    result = deepcopy(dict(data))
    for path, value in overrides.items():
        *parents, last = path.split(".")
        node: Any = result
        for depth, part in enumerate(parents):
            node = _descend(node, part, ".".join(parents[: depth + 1]))
        if isinstance(node, list):
            node[_index(node, last, path)] = value
        elif isinstance(node, dict):
            node[last] = value
        else:
            raise RecipeError(f"override {path}: {'.'.join(parents)} is a single value and has no parts")
    return result


def suggestion(word: str, known: Iterable[str]) -> str:
    """`did you mean ...` where something similar exists, else the list of what there is."""
    known = sorted(known)
    # The beginnings of a name count as well: `densty` is nearer to `density_per_mm2` than to `intensity`.
    beginnings = {part: name for name in reversed(known) for part in _beginnings(name)}
    near = get_close_matches(word, beginnings, n=1, cutoff=0.6)
    return f"did you mean {beginnings[near[0]]!r}?" if near else f"known: {', '.join(known)}"


def _beginnings(name: str) -> Iterator[str]:
    """A name, and what stands before each of its underscores."""
    parts = name.split("_")
    yield from ("_".join(parts[:n]) for n in range(1, len(parts) + 1))


def _descend(node: Any, part: str, path: str) -> Any:
    if isinstance(node, list):
        return node[_index(node, part, path)]
    if not isinstance(node, dict):
        raise RecipeError(f"override {path}: the part before it is a single value")
    if node.get(part) is None:
        node[part] = {}
    return node[part]


def _index(node: list[Any], part: str, path: str) -> int:
    if not part.isdigit() or int(part) >= len(node):
        raise RecipeError(f"override {path}: {part!r} is not an index of a list of {len(node)}")
    return int(part)


def _is_echo(item: Any, items: list[Any]) -> bool:
    """Whether a sequence is called too short only because items of it were refused, each with an error of its own."""
    if item["type"] != "too_short" or len(item["input"]) < item["ctx"]["min_length"]:
        return False
    place = item["loc"]
    return any(len(other["loc"]) > len(place) and other["loc"][: len(place)] == place for other in items)


def _explain(model: type[BaseModel], item: Any) -> str:
    """Turn one pydantic error into a sentence that says the key, the value seen, and the way out."""
    where = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        key = str(item["loc"][-1])
        known = _fields_at(model, item["loc"][:-1])
        return f"{where}: unknown key {key!r}" + (f"; {suggestion(key, known)}" if known else "")
    if item["type"] == "missing":
        return f"{where}: is missing"
    message = item["msg"].removeprefix("Value error, ").replace(" after validation", "")
    seen = item["input"]
    if item["type"] == "too_short":  # what was given counts, not what was left of it
        message = f"{message.rpartition(', not ')[0]}, not {len(seen)}"
    if where:
        message = f"{where}: {message}"
    if isinstance(seen, dict | list | BaseModel) or isinstance(item.get("ctx", {}).get("error"), ValueError):
        return message
    return f"{message}, saw {seen!r}"


def _fields_at(model: type[BaseModel], path: tuple[Any, ...]) -> list[str]:
    """Names of the fields of the model that stands at `path`; empty where it is not known."""
    for part in path:
        if isinstance(part, int):
            continue  # an index: the parts of a list are all of one kind
        field = model.model_fields.get(str(part))
        inner = next(_models_in(getattr(field, "annotation", None)), None)
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Models that an annotation names, at any depth: itself, or in `X | None`, `tuple[X, ...]`, `dict[str, X]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
