"""What a benchmark was asked for, checked before any work, and what each of its stages is handed."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ...core.parallel import WorkerPool
    from ...core.rng import Key
    from ...data.image_set import ImageSet
    from ...segment.base import AbstractSegmenter
    from .._progress import Progress
    from .._run_folder import RunFolder


@dataclass(frozen=True)
class Options:
    """Options that have an influence on the result; `benchmark` says what they mean."""

    overrides: tuple[str, ...] = ()
    n_images: int = 24
    n_tuning: int = 6
    budget: int = 24
    methods: str = "all"
    metric: str = "average_precision[iou=0.5]"
    polarity: Literal["bright", "dark"] | None = None
    seed: int = 0

    def check(self) -> None:
        """Refuse what cannot be done.

        Raises
        ------
        RecipeError
            Names the option and what it may be.
        """
        from ...core.config import suggestion
        from ...core.errors import RecipeError
        from ..calibrate import check_overrides
        from .scores import scored_metrics

        for name, least in (("n_images", 2), ("n_tuning", 1), ("budget", 1), ("seed", 0)):
            value = getattr(self, name)
            if value < least:
                raise RecipeError(f"--{name.replace('_', '-')} is {value}; at least {least} is needed")
        check_overrides(self.overrides)
        if any(text.replace(" ", "").startswith("n_samples=") for text in self.overrides):
            raise RecipeError("the number of synthetic images is --n-images here; leave out n_samples")
        metrics = [m.name for m in scored_metrics()]
        if self.metric not in metrics:
            raise RecipeError(f"no metric is called {self.metric!r}; {suggestion(self.metric, metrics)}")
        _segmenters(self.methods)

    @cached_property
    def chosen_methods(self) -> list[dict[str, Any]]:
        """Segmenters by name, with the line that installs what is missing."""
        return [
            {
                "kind": name,
                "headline": cls.headline(),
                "status": "not installed" if cls.missing() else "ok",
                "install": cls.missing(),
            }
            for name, cls in _segmenters(self.methods).items()
        ]

    def settings(self, images: "ImageSet") -> dict[str, Any]:
        """What must be the same when a run is continued."""
        return {
            "command": "benchmark",
            "n_images": self.n_images,
            "n_tuning": self.n_tuning,
            "budget": self.budget,
            "methods": [m["kind"] for m in self.chosen_methods],
            "metric": self.metric,
            "voxel_um": images.grid(0).voxel_um if images.grid(0).is_scale_known else None,
            "polarity": self.polarity,
            "seed": self.seed,
            "overrides": list(self.overrides),
        }


@dataclass(frozen=True)
class Work:
    """What every stage is handed beside its data."""

    run: "RunFolder"
    """Stages write what they made here, and skip what an interrupted run left."""

    options: Options
    pool: "WorkerPool"
    progress: "Progress"

    def key(self, stage: str) -> "Key":
        """Random numbers of one stage."""
        from ...core.rng import Key

        return Key.from_seed(self.options.seed).child("benchmark", stage)


def _segmenters(methods: str) -> "dict[str, type[AbstractSegmenter]]":
    """Segmenters by name, as `--methods` lists them."""
    from ...core.errors import RecipeError
    from ...segment.base import registry

    given = dict.fromkeys(n.strip() for n in methods.split(",") if n.strip())
    names = registry.names() if methods == "all" else list(given)
    if not names:
        raise RecipeError(
            f"--methods is {methods!r}; give names separated by commas: {', '.join(registry.names())}"
        )
    return {name: registry.get(name) for name in names}
