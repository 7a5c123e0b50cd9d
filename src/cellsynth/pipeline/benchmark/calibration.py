"""From the real images to a recipe, and to the size and polarity that every method is told."""

from typing import Any

from ...data.image_set import ImageSet
from ...io.tables import read_json
from ...io.yaml import write_yaml
from ...recipe import Recipe, load_recipe, overridden
from ..calibrate import fit_recipe, write_calibration
from .options import Work
from .real_images import without_labels


def calibrated(work: Work, images: ImageSet) -> tuple[Recipe, dict[str, Any]]:
    """Fit a recipe to the images alone; gives it with `diameter_um` and `polarity` of the cells."""
    run, options = work.run, work.options
    if not run.has("calibration", "calibration.json"):
        fitted = fit_recipe(
            without_labels(images),
            work.pool,
            work.progress,
            polarity=options.polarity,
            seed=options.seed,
            n_samples=options.n_images,
        )
        recipe = overridden(fitted.recipe, options.overrides)
        write_yaml(run.path / "recipe.yaml", recipe.to_dict())
        write_calibration(fitted, run.folder("calibration"), images)
    known = read_json(run.path / "calibration" / "calibration.json")
    return load_recipe(run.path / "recipe.yaml"), {
        "diameter_um": known["diameter_um"],
        "polarity": known["polarity"],
    }
