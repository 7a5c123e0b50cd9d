"""WorkerPool: same results in the same order with any number of processes; errors surface; it closes."""

import os
import time

import pytest

from cellsynth.core.parallel import WorkerPool, available_cores, worker_pool


def last_first(i: int) -> int:
    """Take longer for earlier items, so that completion order differs from the order asked for."""
    time.sleep(0.02 * (6 - i))
    return i * i


def process_id(_: int) -> int:
    time.sleep(0.05)
    return os.getpid()


def threads_allowed(_: int) -> str | None:
    return os.environ.get("OMP_NUM_THREADS")


def fail_at_three(i: int) -> int:
    if i == 3:
        raise ValueError("item 3 cannot be done")
    return i


@pytest.fixture(scope="module")
def two_workers():
    with worker_pool(2) as pool:
        yield pool


def test_results_come_in_the_order_of_the_work(two_workers):
    assert list(two_workers.map(last_first, range(6))) == [0, 1, 4, 9, 16, 25]


def test_one_worker_gives_the_same_and_stays_in_this_process(two_workers):
    with worker_pool(1) as pool:
        assert list(pool.map(last_first, range(6))) == list(two_workers.map(last_first, range(6)))
        assert set(pool.map(process_id, range(3))) == {os.getpid()}


def test_two_workers_are_two_other_processes(two_workers):
    assert len(set(two_workers.map(process_id, range(12))) - {os.getpid()}) == 2


def test_each_worker_keeps_to_one_thread(two_workers):
    assert set(two_workers.map(threads_allowed, range(4))) == {"1"}


@pytest.mark.parametrize("n_workers", [1, 2])
def test_an_error_surfaces_where_its_result_is_due_and_the_pool_lives_on(n_workers):
    with worker_pool(n_workers) as pool:
        results = pool.map(fail_at_three, range(9))
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(ValueError, match="item 3 cannot be done"):
            next(results)
        assert list(pool.map(fail_at_three, [4, 5, 6])) == [4, 5, 6]


def test_results_that_nobody_wants_any_more_are_not_computed(two_workers):
    results = two_workers.map(last_first, range(6))
    next(results)
    results.close()
    assert list(two_workers.map(last_first, [5, 4])) == [25, 16]


@pytest.mark.parametrize("n_workers", [1, 2])
def test_no_work_is_no_result(n_workers):
    with worker_pool(n_workers) as pool:
        assert list(pool.map(last_first, [])) == []


def test_closing_twice_and_closing_unused_are_fine():
    pool = WorkerPool(2)
    pool.close()
    assert list(pool.map(last_first, [5, 5])) == [25, 25]
    pool.close()
    pool.close()


def test_default_is_one_worker_per_available_core():
    with worker_pool() as pool:
        assert pool.n_workers == available_cores() >= 1
