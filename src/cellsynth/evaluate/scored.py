"""What every metric has beside its formula: a name in tables, a direction, a range."""

import math
import re
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from ..core.registry import Plugin


class AbstractScored(Plugin, ABC):
    """Base of the metrics of one family; the family says what is measured and how it is scored."""

    higher_is_better: ClassVar[bool] = True
    """Direction of the score."""

    value_range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    """Smallest and largest score there can be."""

    always_named: ClassVar[tuple[str, ...]] = ()
    """Fields that stand in `name` even at their default, because no one is without saying which."""

    never_named: ClassVar[tuple[str, ...]] = ()
    """Fields that do not stand in `name`, because the score does not depend on them."""

    @abstractmethod
    def score(self, measured: Any, /) -> float:
        """Number made of what was measured on one image or set, or of the sum over several; undefined is NaN."""

    @property
    def name(self) -> str:
        """Name in tables, one for each variant: `f1[radius=12,radius_unit=px]`."""
        return variant_name(self, self.always_named)

    @property
    def best(self) -> float:
        """Score of a perfect candidate; may be infinite."""
        return self.value_range[1 if self.higher_is_better else 0]

    @property
    def worst(self) -> float | None:
        """Score of a method that failed: the bad end of the range, None where that end is infinite."""
        end = self.value_range[0 if self.higher_is_better else 1]
        return end if math.isfinite(end) else None


def variant_name(method: Plugin, always_named: tuple[str, ...] = ()) -> str:
    """Kind of a method with those of its fields that are not at their default: `kind[field=value]`."""
    never_named = getattr(method, "never_named", ())
    defaults = {key: field.default for key, field in type(method).model_fields.items() if key != "kind"}
    shown = [
        f"{key}={_plain(getattr(method, key))}"
        for key, default in defaults.items()
        if key in always_named or (key not in never_named and getattr(method, key) != default)
    ]
    return f"{method.kind}[{','.join(shown)}]" if shown else method.kind


def _plain(value: object) -> str:
    """Write a field's value without blanks, so that a name is one word; of a path, the name of the file."""
    if isinstance(value, Plugin):
        return variant_name(value)
    if isinstance(value, Path):
        return re.sub(r"[^\w.+-]", "_", value.name)
    if isinstance(value, tuple):
        return "/".join(_plain(part) for part in value)
    return f"{value:.12g}" if isinstance(value, float) else str(value)
