"""Blocks: cut along chunks, of bounded size, and results that add up the same whoever works."""

from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellsynth.core.blocks import BlockWork, add_evenly, cut, grown, suitable_block
from cellsynth.core.errors import InputError, RecipeError, WorkerError
from cellsynth.core.grid import Box

lengths = st.integers(1, 40)
shapes = st.lists(lengths, min_size=2, max_size=3).map(tuple)


@given(st.data(), shapes)
def test_boxes_fill_the_volume_once(data, shape):
    block = tuple(data.draw(st.integers(1, 45)) for _ in shape)
    seen = np.zeros(shape, int)
    for box in cut(shape, block):
        assert max(np.subtract(box.shape, block)) <= 0
        seen[box.slices] += 1
    assert (seen == 1).all()


@given(st.data(), shapes, st.integers(1, 5000))
def test_a_block_is_whole_chunks_of_both_volumes_unless_they_are_too_large(data, shape, n_voxels):
    chunks = [tuple(data.draw(st.integers(1, n)) for n in shape) for _ in range(2)]
    block = suitable_block(shape, chunks, n_voxels)
    assert prod(block) <= n_voxels
    assert all(1 <= b <= n for b, n in zip(block, shape, strict=True))
    for b, n, first, second in zip(block, shape, *chunks, strict=True):
        if (
            prod(map(max, *chunks)) * 4 ** len(shape) <= n_voxels
            and max(first, second) % min(first, second) == 0
        ):
            assert b == n or b % max(first, second) == 0


@pytest.mark.parametrize(
    ("shape", "chunks", "expected"),
    [
        ((1024, 1024, 1024), [(128, 128, 128)], (256, 256, 256)),
        ((1024, 1024, 1024), [(64, 64, 64), (128, 32, 32)], (256, 256, 256)),
        ((100, 2048, 2048), [(1, 2048, 2048)], (4, 2048, 2048)),
        ((1024, 1024, 1024), [(1024, 1024, 1024)], (256, 256, 256)),
        ((5, 31, 47), [None], (5, 31, 47)),
        ((20_000, 20_000), [(1000, 1000)], (4000, 4000)),
    ],
)
def test_blocks_for_usual_chunks(shape, chunks, expected):
    assert suitable_block(shape, chunks) == expected


def test_a_box_grows_up_to_the_border():
    assert grown(Box((0, 4), (3, 8)), (2, 1), (4, 20)) == Box((0, 3), (4, 9))


@given(st.lists(st.integers(), min_size=1, max_size=40))
def test_parts_are_added_evenly(parts):
    depths = add_evenly(lambda a, b: (a[0] + b[0], max(a[1], b[1]) + 1), [(part, 0) for part in parts])
    assert depths[0] == sum(parts)
    assert depths[1] <= 2 * len(parts).bit_length()


def square(x):
    return x * x


def plus(a, b):
    return a + b


def refuse(x):
    raise InputError(f"{x} is damaged")


@pytest.mark.parametrize("n_workers", [1, 2, None])
@pytest.mark.parametrize("n", [1, 2, 16, 17, 300])
def test_threads_give_the_sum(n_workers, n):
    assert BlockWork(n_workers=n_workers).reduce(square, range(n), plus) == sum(x * x for x in range(n))


def test_an_error_of_a_block_comes_out_as_it_is():
    with pytest.raises(InputError, match="is damaged"):
        BlockWork().reduce(refuse, [1, 2], plus)


def test_a_cluster_gives_the_sum_and_its_errors_come_out_as_they_are():
    distributed = pytest.importorskip("distributed", reason='pip install "cellsynth[cluster]"')
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options, protocol="tcp://") as cluster:
        work = BlockWork(cluster.scheduler_address)
        assert not work.is_local
        assert work.reduce(square, range(20), plus) == sum(x * x for x in range(20))
        with pytest.raises(InputError, match="is damaged"):
            work.reduce(refuse, [1, 2], plus)


def test_a_cluster_that_is_not_there_is_said():
    pytest.importorskip("distributed", reason='pip install "cellsynth[cluster]"')
    work = BlockWork("tcp://127.0.0.1:9", connect_s=0.5)
    with pytest.raises(WorkerError, match="no Dask scheduler answers there"):
        work.reduce(square, [1], plus)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scheduler": "localhost:8786"}, "--scheduler is 'localhost:8786'"),
        ({"scheduler": "processes"}, "--scheduler is 'processes'"),
        ({"n_workers": 0}, "--workers is 0"),
        ({"block_px": (0, 4)}, "block_px is"),
    ],
)
def test_who_cannot_work_is_refused(options, message):
    with pytest.raises(RecipeError, match=message):
        BlockWork(**options)
