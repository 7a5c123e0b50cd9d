"""Numbers and names as a reader wants them."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

_METRICS = {
    "mean_average_precision": "mean AP (IoU 0.5 to 0.95)",
    "f1": "F1",
    "panoptic_quality": "panoptic quality",
    "detection_quality": "detection quality",
    "segmentation_quality": "segmentation quality",
    "aggregated_jaccard": "aggregated Jaccard",
    "average_precision": "AP",
    "dice": "Dice",
    "count_error": "count error",
    "precision": "precision",
    "recall": "recall",
}

LEVEL = "95\N{NO-BREAK SPACE}%"
"""Of every interval."""

NOTHING = "\N{EN DASH}"
"""In place of a number that is not defined."""


def metric_name(name: str) -> str:
    """`average_precision[iou=0.5]` to `AP at IoU 0.5`."""
    kind, _, options = name.partition("[")
    said = _METRICS.get(kind, kind.replace("_", " "))
    key, _, value = options.rstrip("]").partition("=")
    return f"{said} at IoU {value}" if key == "iou" else said if not key else f"{said} ({key} {value})"


def is_number(value: Any) -> TypeGuard[float]:
    """Tell whether a value is there and finite."""
    return isinstance(value, int | float) and math.isfinite(value)


def score(value: Any, digits: int = 2) -> str:
    """Fixed digits, with a real minus sign."""
    if not is_number(value):
        return NOTHING
    text = f"{value:.{digits}f}"
    return (text.lstrip("-") if float(text) == 0 else text).replace("-", "\N{MINUS SIGN}")


def signed(value: Any, digits: int = 2) -> str:
    """With its sign, also where it is positive."""
    text = score(value, digits)
    return f"+{text}" if is_number(value) and text[0] != "\N{MINUS SIGN}" and float(text) > 0 else text


def number(value: Any, digits: int = 3, *, is_padded: bool = False) -> str:
    """Significant digits, without an exponent where a person would write none.

    Parameters
    ----------
    is_padded
        Keep zeros at the end, as numbers in a column do.
    """
    if not is_number(value):
        return NOTHING
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e6:
        return f"{value:.{digits - 1}e}".replace("-", "\N{MINUS SIGN}")
    places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:,.{places}f}"
    if "." in text and not is_padded:
        text = text.rstrip("0").rstrip(".")
    return text.replace("-", "\N{MINUS SIGN}").replace(",", "\N{NARROW NO-BREAK SPACE}")


def interval(row: Mapping[str, Any], digits: int = 2) -> str:
    """`0.91 to 0.96`, or nothing where there are too few images to say."""
    low, high = row.get("low"), row.get("high")
    if not (is_number(low) and is_number(high)):
        return ""
    return f"{score(low, digits)} to {score(high, digits)}"


def rank_interval(row: Mapping[str, Any]) -> str:
    """`1 to 3`, one number where both ends are equal, nothing where it is unknown."""
    low, high = row.get("rank_low"), row.get("rank_high")
    if not (is_number(low) and is_number(high)):
        return ""
    return f"{low:.0f}" if low == high else f"{low:.0f} to {high:.0f}"


def percent(share: Any) -> str:
    """Share as whole per cent; neither 0 % nor 100 % where it is not quite."""
    if not is_number(share):
        return NOTHING
    if 0 < share < 0.01:
        return "<1\N{NO-BREAK SPACE}%"
    if 0.99 < share < 1:
        return ">99\N{NO-BREAK SPACE}%"
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"


def seconds(value: Any) -> str:
    """Time of one image."""
    if not is_number(value):
        return NOTHING
    return f"{1000 * value:.0f} ms" if value < 0.9995 else f"{number(value, 2)} s"


def typeset(text: str) -> str:
    """Units as they are printed: `um` and `mm2` of keys and notes become `µm` and `mm²`."""
    return re.sub(r"\bum\b", "µm", text).replace("mm2", "mm²")


def megabytes(value: Any) -> str:
    """Memory of a method; what is below one megabyte is noise of the system."""
    if not is_number(value):
        return NOTHING
    return "<1 MB" if value < 1 else f"{number(value)} MB"


def p_value(p: Any) -> str:
    """p-value with its sign of comparison."""
    if not is_number(p):
        return NOTHING
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def listing(names: Sequence[str], joint: str = "and") -> str:
    """`a, b and c`."""
    return f" {joint} ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def plural(n: int, what: str) -> str:
    """`1 image`, `2 images`."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def shortened(name: str, longest: int = 40) -> str:
    """A long name without its middle."""
    half = (longest - 1) // 2
    return name if len(name) <= longest else f"{name[:half]}…{name[-half:]}"
