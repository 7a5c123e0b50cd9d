"""The main job on the images that the package carries."""

from pathlib import Path


def demo(
    out: Path | str = "cellsynth_demo",
    *,
    workers: int | None = None,
    resume: bool = False,
    quiet: bool = False,
) -> Path:
    """Run the main job on ten real images of nuclei that come with the package; four have human labels.

    Parameters
    ----------
    out
        Folder to make; must not hold anything yet.
    workers
        Processes or threads; by default one per core. The result does not depend on it.
    resume
        Continue what an interrupted demo left in the folder.
    quiet
        Show no progress.
    """
    import dataclasses

    from ..data.folder import read_folder
    from ..demo_data import demo_images, demo_labels
    from .benchmark import run_benchmark

    paths, labels = demo_images(), {path.stem: path for path in demo_labels()}
    found = read_folder(paths[0].parent, only=[path.stem for path in paths])
    entries = tuple(dataclasses.replace(e, labels=labels.get(e.name)) for e in found.entries)
    found = dataclasses.replace(found, entries=entries)
    return run_benchmark(found, Path(out), workers=workers, resume=resume, quiet=quiet)
