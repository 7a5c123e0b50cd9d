"""The families of metrics, by what they compare."""

from typing import Any

from ..core.registry import Registry
from .detection import registry as detection
from .image_quality import registry as image_quality
from .realism import registry as realism
from .segmentation import registry as segmentation

FAMILIES: dict[str, Registry[Any]] = {
    "segmentation": segmentation,
    "detection": detection,
    "image_quality": image_quality,
    "realism": realism,
}
"""Labels against labels, points against points, an aligned image against an image, a set of images against a set."""

COMPARED = {
    "segmentation": "labels",
    "detection": "points",
    "image_quality": "aligned images",
    "realism": "sets of images",
}
"""Family to what its metrics compare, in words."""

COMMANDS = {
    "segmentation": "evaluate",
    "detection": "evaluate-points",
    "image_quality": "evaluate-images",
    "realism": "evaluate-sets",
}
"""Family to the command that computes it."""
