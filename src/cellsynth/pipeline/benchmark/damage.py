"""What is damaged in a finished benchmark is removed, with what its stage is known by."""

import shutil

from .._run_folder import RunFolder

_DATASETS = ("tuning", "synthetic")


def reopen_if_damaged(run: RunFolder) -> None:
    """Let the stages make again what is gone or not as it was written; then the run is not finished any more."""
    damaged = run.damaged() if run.is_finished else []
    if not damaged:
        return
    # A stage that finds what it writes last does nothing, so that goes as well.
    if any(name == "recipe.yaml" or name.startswith("calibration/") for name in damaged):
        run.path.joinpath("calibration", "calibration.json").unlink(missing_ok=True)
    for name in _DATASETS:
        # Images and labels are looked after by the checksums of the dataset, if these are there.
        if f"{name}/dataset.json" in damaged or f"{name}/objects.parquet" in damaged:
            shutil.rmtree(run.path / name)
    run.reopen(damaged)
