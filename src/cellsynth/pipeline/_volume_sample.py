"""Make one sample as OME-Zarr, block by block; what is in memory is a few blocks."""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import add
from pathlib import Path
from typing import Any

import numpy as np

from ..core.blocks import BlockWork, cut
from ..core.grid import Box
from ..core.parallel import available_cores
from ..core.sample import Sample
from ..core.tally import Tally, tally
from ..data._volume_files import (
    VolumeDraft,
    begin_volume,
    finish_volume,
    pending_blocks,
    write_volume_block,
)
from ..data.object_table import object_columns
from ..io.memory import available_bytes
from ..recipe import Plan, Recipe, plan_sample
from ..render.base import check_tile
from ._progress import Progress

_SHARE = 0.6
"""Of the memory that is there, at most, for the blocks that are in work together."""


@dataclass(frozen=True, eq=False)
class _Task:
    """What every block needs."""

    plan: Plan
    volume: VolumeDraft


def make_volume(
    recipe: Recipe,
    out: Path,
    index: int,
    *,
    work: BlockWork,
    progress: Progress,
    with_stages: bool = False,
) -> None:
    """Write a sample of a dataset that `DatasetWriter.open` has begun; blocks that are there already are kept.

    The values are those of `make_sample`, whatever the chunks, the workers and their order.
    """
    plan = plan_sample(recipe, index)
    check_tile(plan.picture)
    volume = begin_volume(
        out,
        plan.name,
        plan.grid,
        n_channels=len(plan.channels),
        dtype="uint8" if plan.bit_depth <= 8 else "uint16",
        n_objects={name: len(layer.objects) for name, layer in plan.scene.layers.items()},
        tile_px=plan.picture.tile_px,
        chunk_px=recipe.chunk_px,
        stages=plan.picture.stage_names if with_stages else (),
    )
    blocks = pending_blocks(volume)
    stage = progress.stage(f"synthesize: {plan.name}")
    try:
        if blocks:
            fitting = _fitting(work, plan.picture.n_bytes + volume.block_bytes)
            fitting.reduce(
                _write_block,
                blocks,
                add,
                shared=_Task(plan, volume),
                on_done=lambda done: stage(done, len(blocks)),
            )
    finally:
        stage.close()

    def columns_of(layer: str, total: Tally) -> Mapping[str, Any]:
        return object_columns(plan.scene.layers[layer], total, plan.channels)

    empty = np.empty((0,) * (plan.grid.ndim + 1), np.float32)
    known = Sample(plan.name, plan.grid, empty, bit_depth=plan.bit_depth, provenance=plan.provenance)
    finish_volume(volume, known, columns_of, work)


def _fitting(work: BlockWork, n_bytes: int) -> BlockWork:
    """As many threads as memory has room for."""
    if not work.is_local:
        return work
    room = max(int(_SHARE * available_bytes() / max(n_bytes, 1)), 1)
    return BlockWork(work.scheduler, min(work.n_workers or available_cores(), room), work.block_px)


def _write_block(task: _Task, block: Box) -> int:
    """Draw and render a block, and write it; gives 1."""
    plan, volume = task.plan, task.volume
    grid = plan.grid
    image = np.empty((len(plan.channels), *block.shape), volume.image.dtype)
    stages = {name: np.empty(image.shape, np.float32) for name in volume.stage_names}
    for tile in _tiles(plan, block):
        inside = tuple(
            slice(a - s, b - s) for a, b, s in zip(tile.start, tile.stop, block.start, strict=True)
        )
        if stages:
            found = plan.picture.stages(tile)
            for name, kept in stages.items():
                kept[(slice(None), *inside)] = found[name]
            grey = found["image"]
        else:
            grey = plan.picture.render(tile)
        top = np.float32(2**plan.bit_depth - 1)
        image[(slice(None), *inside)] = np.rint(grey * top).astype(image.dtype)
    # One voxel more, for what the last voxels of the block touch.
    wide = Box(block.start, tuple(min(b + 1, n) for b, n in zip(block.stop, grid.shape_px, strict=True)))
    inner = tuple(slice(n) for n in block.shape)
    labels, tallies = {}, {}
    for name, layer in plan.scene.layers.items():
        drawn = layer.draw(wide)
        tallies[name] = tally(drawn, image, block.start)
        labels[name] = drawn[inner]
    write_volume_block(volume, block, image, labels, tallies, stages)
    return 1


def _tiles(plan: Plan, block: Box) -> list[Box]:
    """Tiles of the image that fill the block, which begins with one."""
    return [
        Box(
            tuple(a + s for a, s in zip(tile.start, block.start, strict=True)),
            tuple(b + s for b, s in zip(tile.stop, block.start, strict=True)),
        )
        for tile in cut(block.shape, plan.picture.tile_px)
    ]
