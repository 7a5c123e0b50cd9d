"""Microscopy images of cells with perfect labels, to train and to judge cell segmentation.

The public names are imported when they are first used, so `import cellsynth` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Recipe": "recipe",
    "export_labels": "pipeline.export",
    "load_recipe": "recipe",
    "add_spots": "pipeline.spots",
    "benchmark": "pipeline.benchmark",
    "calibrate_images": "pipeline.calibrate",
    "composite_images": "pipeline.composite",
    "cut_prototypes": "pipeline.prototypes",
    "demo": "pipeline.demo",
    "evaluate_images": "pipeline.evaluate.images",
    "evaluate_labels": "pipeline.evaluate.labels",
    "evaluate_points": "pipeline.evaluate.points",
    "evaluate_sets": "pipeline.evaluate.sets",
    "extract_mask": "pipeline.sample_mask",
    "segment_images": "pipeline.segment",
    "show_metrics": "pipeline.metrics",
    "synthesize": "pipeline.synthesize",
    "threshold_images": "pipeline.threshold",
    "write_report": "pipeline.report",
}

if TYPE_CHECKING:
    from .pipeline.benchmark import benchmark
    from .pipeline.calibrate import calibrate_images
    from .pipeline.composite import composite_images
    from .pipeline.demo import demo
    from .pipeline.evaluate.images import evaluate_images
    from .pipeline.evaluate.labels import evaluate_labels
    from .pipeline.evaluate.points import evaluate_points
    from .pipeline.evaluate.sets import evaluate_sets
    from .pipeline.export import export_labels
    from .pipeline.metrics import show_metrics
    from .pipeline.prototypes import cut_prototypes
    from .pipeline.report import write_report
    from .pipeline.sample_mask import extract_mask
    from .pipeline.segment import segment_images
    from .pipeline.spots import add_spots
    from .pipeline.synthesize import synthesize
    from .pipeline.threshold import threshold_images
    from .recipe import Recipe, load_recipe

__all__ = [
    "Recipe",
    "__version__",
    "add_spots",
    "benchmark",
    "calibrate_images",
    "composite_images",
    "cut_prototypes",
    "demo",
    "evaluate_images",
    "evaluate_labels",
    "evaluate_points",
    "evaluate_sets",
    "export_labels",
    "extract_mask",
    "load_recipe",
    "segment_images",
    "show_metrics",
    "synthesize",
    "threshold_images",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Import a public name at its first use."""
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module 'cellsynth' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names without importing them."""
    return sorted(__all__)
