"""From the recipe to synthetic images to tune on, and others to score on."""

from ...data.image_set import ImageSet
from ...recipe import Recipe
from ..synthesize import make_dataset
from .options import Work


def datasets(work: Work, recipe: Recipe, inputs: dict[str, str]) -> tuple[ImageSet, ImageSet]:
    """Images for tuning and for scoring; `inputs` are the checksums of what the recipe was made from."""
    tuning = recipe.model_copy(
        update={
            "name": "tuning",
            "n_samples": work.options.n_tuning,
            "first_sample": 500_000,
            "digits": 6,
        }
    )
    return _dataset(work, "tuning", tuning, inputs), _dataset(work, "synthetic", recipe, inputs)


def _dataset(work: Work, name: str, recipe: Recipe, inputs: dict[str, str]) -> ImageSet:
    path = work.run.path / name
    return make_dataset(
        recipe,
        path,
        pool=work.pool,
        progress=work.progress,
        # One that is there is checked by its checksums, and what is missing or damaged is made again.
        is_resume=path.exists(),
        inputs=inputs,
        what=f"synthesize: {name}",
    )
