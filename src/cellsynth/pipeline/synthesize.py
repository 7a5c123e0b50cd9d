"""Make a dataset from a recipe."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

BYTES_PER_PIXEL = 45
"""Memory that an image in the making takes at its peak, measured on 6144 x 6144 pixels, with some room."""

if TYPE_CHECKING:
    from ..core.blocks import BlockWork
    from ..core.parallel import WorkerPool
    from ..data.image_set import ImageSet
    from ..recipe import Recipe


def synthesize(
    recipe: Path | str,
    out: Path | str,
    overrides: Sequence[str] = (),
    *,
    workers: int | None = None,
    scheduler: str = "threads",
    resume: bool = False,
    preview: bool = False,
    save_interim: bool = False,
    quiet: bool = False,
) -> "ImageSet":
    """Make images with exact labels from a recipe.

    Parameters
    ----------
    recipe
        A YAML file, or the name of a packaged recipe.
    out
        Folder to make; must not hold anything yet.
    overrides
        Changes to the recipe, such as `n_samples=100 labels.n_cells=200 seed=3`.
    workers
        Processes or threads; by default one per core. The result does not depend on it.
    scheduler
        Who makes the blocks of OME-Zarr: `threads` of this machine, or the address of a Dask cluster, such as
        `tcp://host:8786`, whose workers see the same folder.
    resume
        Continue what an interrupted run of the same recipe left in the folder.
    preview
        Also write a picture of each sample with slices, projections and labels: OUT/preview/NAME.png.
    save_interim
        Also write what each image comes from, step by step, in photons: OUT/interim/NAME_STAGE.
    quiet
        Show no progress.
    """
    from ..core.blocks import BlockWork
    from ..core.parallel import limit_threads, worker_pool

    limit_threads(workers)
    work = BlockWork(scheduler, workers)
    with worker_pool(workers) as pool:
        pool.warm_up(
            "cellsynth.recipe", "cellsynth.data._sample_files"
        )  # while this process imports the same
        from ..recipe import load_recipe
        from ._progress import Progress

        loaded = load_recipe(recipe, overrides)
        progress = Progress(is_quiet=quiet)
        made = make_dataset(
            loaded,
            Path(out),
            pool=pool,
            progress=progress,
            is_resume=resume,
            work=work,
            with_stages=save_interim,
            with_preview=preview,
        )
    progress.say(f"dataset: {out}")
    return made


def make_dataset(
    recipe: "Recipe",
    out: Path,
    *,
    pool: "WorkerPool",
    progress: object,
    is_resume: bool = False,
    inputs: dict[str, str] | None = None,
    what: str = "synthesize",
    work: "BlockWork | None" = None,
    with_stages: bool = False,
    with_preview: bool = False,
) -> "ImageSet":
    """Write the samples of a recipe as a dataset folder; what is there already is kept when resuming."""
    from functools import partial

    from ..core.config import files_of
    from ..core.errors import RecipeError
    from ..data.dataset import DatasetWriter
    from ..data.image_set import sha256_of
    from ._progress import Progress

    assert isinstance(progress, Progress)
    # What cannot be made is refused before anything is written.
    recipe.check_builds()
    if not recipe.is_zarr or not all(variant.render.is_tiled for variant in recipe.variants):
        _check_memory(recipe, pool.n_workers)
    if with_stages and not all(variant.render.is_tiled for variant in recipe.variants):
        raise RecipeError(
            f"--save-interim keeps the stages of the renderer fluorescence; render.kind is {recipe.render.kind}, which "
            "has none"
        )
    if recipe.is_zarr:
        _check_disk(recipe, out)
    elif work is not None and not work.is_local:
        raise RecipeError("--scheduler is for OME-Zarr, which is made block by block; add format=ome_zarr")
    read = {str(path): sha256_of(path) for variant in recipe.variants for path in files_of(variant)}
    inputs = {**(inputs or {}), **read}
    writer = DatasetWriter.open(out, recipe.to_dict(), is_resume=is_resume, inputs=inputs)
    index = dict(zip(recipe.sample_names(), recipe.sample_indices(), strict=True))
    todo = [index[name] for name in writer.pending(list(index))]
    if recipe.is_zarr:
        from ..core.blocks import BlockWork
        from ._volume_sample import make_volume

        pool.close()
        for i in todo:
            make_volume(recipe, out, i, work=work or BlockWork(), progress=progress, with_stages=with_stages)
    else:
        make = partial(_make_and_write, recipe, out, with_stages=with_stages)
        for _ in progress.track(pool.map(make, todo), what, len(todo)):
            pass
    made = writer.finish(list(index))
    if with_preview:
        from ..data.manifest import read_manifest
        from ..report.preview import write_preview

        samples = read_manifest(out).samples
        for record in progress.track(samples, "preview", len(samples)):
            write_preview(out, record, out / "preview" / f"{record.name}.png")
    return made


def _check_memory(recipe: "Recipe", n_workers: int) -> None:
    """Refuse images that do not fit; a recipe takes no effort to ask for anything."""
    from ..core.errors import RecipeError
    from ..io.memory import available_bytes

    grid = max((variant.grid for variant in recipe.variants), key=lambda g: g.n_voxels)
    n_workers = max(min(n_workers, recipe.n_samples), 1)
    needed, available = grid.n_voxels * BYTES_PER_PIXEL * n_workers, available_bytes()
    can_be_tiled = all(variant.render.is_tiled for variant in recipe.variants) and recipe.format == "tiff"
    if needed > available:
        raise RecipeError(
            f"{recipe.name}: grid.shape_px is {list(grid.shape_px)}; {n_workers} of that size at a time need "
            f"{needed / 1e9:,.1f} GB of memory, and {available / 1e9:,.1f} GB are available. Make them smaller"
            + (", or block by block with format=ome_zarr" if can_be_tiled else "")
            + (", or use fewer --workers" if n_workers > 1 else "")
        )


_COMPRESSED = 0.3
"""Part of its size that an image takes on disk at the least; noise hardly gets smaller."""


def _check_disk(recipe: "Recipe", out: Path) -> None:
    """Refuse volumes that no disk here has room for, before the work of days."""
    import shutil

    from ..core.errors import StorageError

    folder = next(p for p in (out, *out.absolute().parents) if p.is_dir())
    free = shutil.disk_usage(folder).free
    size = max(
        v.grid.n_voxels * len(v.render.channel_names) * (2 if v.render.bit_depth > 8 else 1)
        for v in recipe.variants
    )
    needed = _COMPRESSED * size * recipe.n_samples
    if needed > free:
        raise StorageError(
            f"{out}: {recipe.n_samples} images of {list(recipe.grid.shape_px)} take at least {needed / 1e9:,.1f} GB of "
            f"disk, and {free / 1e9:,.1f} GB are free; make fewer or smaller ones, or choose another disk"
        )


def _make_and_write(recipe: "Recipe", out: Path, index: int, *, with_stages: bool = False) -> None:
    # Not from `dataset`: what only the parent needs takes a third of the time in which a worker starts.
    from ..data._sample_files import write_sample, write_stages
    from ..recipe import make_sample, make_stages

    write_sample(out, make_sample(recipe, index))
    if with_stages:
        write_stages(out, recipe.sample_name(index), *make_stages(recipe, index))
