"""What every metric says of itself: definition, range, direction, edge cases, source."""

import inspect
import math
import re
import textwrap
from dataclasses import dataclass
from typing import Any

from ..core.config import suggestion
from ..core.errors import RecipeError
from ..core.registry import Plugin
from .families import FAMILIES
from .scored import variant_name

_MARK = re.compile(r" \[\d+\]_")
_REFERENCE = re.compile(r"^\.\. \[\d+\] ", re.MULTILINE)


@dataclass(frozen=True)
class Parameter:
    """A field of a metric."""

    name: str
    default: Any
    text: str


@dataclass(frozen=True)
class MetricCard:
    """A metric in words and numbers; read from its class, never written twice."""

    family: str
    """Key of `FAMILIES`."""

    kind: str
    definition: str
    """First sentences: the formula."""

    notes: tuple[str, ...]
    """What to know when reading the score, a paragraph each; may be empty."""

    edge_cases: str
    """Range, and what the score is where the formula has no value."""

    value_range: tuple[float, float]
    higher_is_better: bool
    both_empty: float | None
    """Score where neither side has an object; NaN where that is undefined, None where there is no such case."""

    unit: str
    """Empty for a plain number; `um` is voxels where the voxel size is not known."""

    needs_classes: bool
    parameters: tuple[Parameter, ...]
    sources: tuple[str, ...]
    """Publications, and deviations from them."""

    @property
    def direction(self) -> str:
        """`higher is better` or `lower is better`."""
        return "higher is better" if self.higher_is_better else "lower is better"

    def to_text(self, width: int = 100) -> str:
        """The card for a terminal."""
        low, high = self.value_range
        unit = f" {self.unit}" if self.unit else ""
        facts = [("range", f"{low:g} to {high:g}{unit}, {self.direction}")]
        if self.both_empty is not None:
            empty = "undefined (NaN)" if math.isnan(self.both_empty) else f"{self.both_empty:g}"
            facts.append(("both empty", empty))
        facts += [
            *([("edge cases", self.edge_cases)] if self.edge_cases else []),
            *((p.name, f"{p.text} Default: {_shown(p.default)}.") for p in self.parameters),
            *(("source", source) for source in self.sources),
        ]
        column = max(len(label) for label, _ in facts) + 2
        title = f"{self.kind} ({self.family})"
        lines = [title, "=" * len(title)]
        for paragraph in (self.definition, *self.notes):
            lines += [*textwrap.wrap(paragraph, width, break_on_hyphens=False), ""]
        for label, text in facts:
            first, further = label.ljust(column), " " * column
            lines += textwrap.wrap(
                text, width, initial_indent=first, subsequent_indent=further, break_on_hyphens=False
            )
        return "\n".join(lines) + "\n"


def metric_cards(name: str | None = None) -> tuple[MetricCard, ...]:
    """Cards of all metrics, by family and name; or those of one kind, such as `f1` or `detection/f1`.

    Raises
    ------
    RecipeError
        If there is no such metric; suggests the nearest.
    """
    known = [(family, kind) for family, registry in FAMILIES.items() for kind in registry.names()]
    chosen = [(f, k) for f, k in known if name in (None, k, f"{f}/{k}")]
    if not chosen:
        names = sorted({k for _, k in known} | {f"{f}/{k}" for f, k in known})
        raise RecipeError(f"no metric is called {name!r}; {suggestion(str(name), names)}")
    return tuple(_card(family, kind) for family, kind in chosen)


def _card(family: str, kind: str) -> MetricCard:
    cls = FAMILIES[family].get(kind)
    body, _, sources = inspect.getdoc(cls).partition("\n\nReferences\n----------\n")  # pyright: ignore[reportOptionalMemberAccess] the contract of metrics asks for one
    definition, *others = [_flat(paragraph) for paragraph in body.split("\n\n")]
    unit = getattr(cls, "unit", "")
    return MetricCard(
        family=family,
        kind=kind,
        definition=definition,
        notes=tuple(text for text in others if not text.startswith("Range ")),
        edge_cases=next((text for text in others if text.startswith("Range ")), ""),
        value_range=cls.value_range,
        higher_is_better=cls.higher_is_better,
        both_empty=getattr(cls, "both_empty", None),
        unit=unit if isinstance(unit, str) else "",
        needs_classes=getattr(cls, "needs_classes", False),
        parameters=tuple(
            Parameter(name, field.default, _flat(field.description or ""))
            for name, field in cls.model_fields.items()
            if name != "kind"
        ),
        sources=tuple(_flat(text) for text in _REFERENCE.split(sources) if text.strip()),
    )


def _flat(text: str) -> str:
    return " ".join(_MARK.sub("", text).split())


def _shown(default: Any) -> str:
    """A default as a recipe or a name would have it."""
    return variant_name(default) if isinstance(default, Plugin) else str(default)
