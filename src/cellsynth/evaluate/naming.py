"""Metrics by the names that tables use."""

import re
from typing import Any

from ..core.config import suggestion
from ..core.errors import InputError, RecipeError
from ..core.registry import Registry
from ..io.yaml import parse_yaml
from .families import COMMANDS, COMPARED, FAMILIES
from .features import registry as features
from .scored import AbstractScored

_PARTS: dict[str, Registry[Any]] = {"features": features}
"""Field to what it is a method of: `frechet_distance[features=microscopy[n_rings=8]]`."""


def parse_metrics(text: str, family: str = "segmentation") -> list[Any]:
    """Metrics of a list: `dice, f1[iou=0.7], {kind: average_precision, iou: 0.9}`.

    Parameters
    ----------
    family
        Key of `FAMILIES`: what the metrics compare.

    Raises
    ------
    RecipeError
        If there is none, one is there twice, or one is not known.
    """
    parts = [part.strip() for part in _split(text)]
    if not all(parts):
        raise RecipeError(
            f"metrics {text!r}: give names separated by commas, such as dice,f1[iou=0.7]; "
            f"known: {', '.join(FAMILIES[family].names())}"
        )
    metrics = [parse_metric(part, family) for part in parts]
    names = [metric.name for metric in metrics]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated:
        raise RecipeError(f"metrics {text!r}: {repeated} is there twice")
    return metrics


def parse_metric(text: str, family: str = "segmentation") -> Any:
    """Metric of its name in tables, or of its fields as in a recipe.

    `dice`, `f1[iou=0.7]`, `mean_average_precision[ious=0.5/0.75]`, `{kind: f1, iou: 0.7}`.

    Raises
    ------
    RecipeError
        If it is no such name, or names a kind or a field that there is not; says where a metric of another family is
        computed.
    """
    registry = FAMILIES[family]
    if text.lstrip().startswith("{"):
        try:
            metric = registry.parse(parse_yaml(f"metric: {text}", source="metric")["metric"])
        except InputError as error:
            raise RecipeError(str(error)) from error
    else:
        metric = _parse_name(text, registry, family)
    assert isinstance(metric, AbstractScored)
    return metric


def _parse_name(text: str, registry: Registry[Any], family: str = "") -> Any:
    match = re.fullmatch(r"\s*(\w+)\s*(?:\[(.*)\])?\s*", text)
    if match is None:
        raise RecipeError(f"metric {text!r} is not of the form f1 or f1[iou=0.7]")
    if family and match[1] not in registry.names():
        _point_elsewhere(match[1], family)
    cls = registry.get(match[1])
    values: dict[str, Any] = {"kind": match[1]}
    for part in _split(match[2]) if match[2] else ():
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise RecipeError(
                f"metric {text!r}: {part!r} is not of the form field=value; "
                f"{suggestion(name, [f for f in cls.model_fields if f != 'kind'])}"
            )
        field = cls.model_fields.get(name)
        is_list = field is not None and isinstance(field.default, tuple)
        if name in _PARTS and field is not None:
            values[name] = _parse_name(value, _PARTS[name])
        else:
            values[name] = value.split("/") if is_list else value
    return registry.parse(values)


def _point_elsewhere(kind: str, family: str) -> None:
    """Raise where another family has a metric of this name."""
    others = [other for other, registry in FAMILIES.items() if kind in registry.names()]
    if others:
        raise RecipeError(
            f"{kind} compares {' or '.join(COMPARED[other] for other in others)}, and here are {COMPARED[family]}; "
            f"it is computed by `cellsynth {COMMANDS[others[0]]}`"
        )


def _split(text: str) -> list[str]:
    """Parts between the commas that stand in no bracket."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "[{") - (character in "]}")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
