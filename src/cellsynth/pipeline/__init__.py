"""One function per verb: what the commands do, callable from Python.

The functions are imported when first used, and import the stages when called: listing the commands is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {
    "benchmark": "benchmark",
    "calibrate_images": "calibrate",
    "demo": "demo",
    "evaluate_labels": "evaluate",
    "segment_images": "segment",
    "synthesize": "synthesize",
    "write_report": "report",
}

if TYPE_CHECKING:
    from .benchmark import benchmark
    from .calibrate import calibrate_images
    from .demo import demo
    from .evaluate import evaluate_labels
    from .report import write_report
    from .segment import segment_images
    from .synthesize import synthesize

__all__ = [
    "benchmark",
    "calibrate_images",
    "demo",
    "evaluate_labels",
    "segment_images",
    "synthesize",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Import a verb at its first use."""
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
