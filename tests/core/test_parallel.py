"""WorkerPool: same results in the same order with any number of processes; errors surface; it closes."""

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cellsynth.core.errors import RecipeError, WorkerError
from cellsynth.core.parallel import WorkerPool, _cgroup_quota, available_cores, worker_pool


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


def die(signal_number: int) -> int:
    if signal_number:
        time.sleep(0.1)
        os.kill(os.getpid(), signal_number)
    return signal_number


def write_after(work: tuple[float, str]) -> None:
    seconds, path = work
    time.sleep(seconds)
    Path(path).touch()


def interrupt_disposition(_: int) -> bool:
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_killed_worker_is_an_error_that_says_so_and_the_pool_lives_on(two_workers):
    with pytest.raises(WorkerError, match=r"ended by SIGKILL .*memory.*--workers 1.*--resume"):
        list(two_workers.map(die, [0, 0, signal.SIGKILL, 0]))
    assert list(two_workers.map(die, [0, 0])) == [0, 0]


def end(how: str) -> str:
    """Bring the process down in one of the ways in which foreign code does."""
    if how.startswith("exit"):
        os._exit(int(how[4:]))
    if how.startswith("SIG"):
        os.kill(os.getpid(), signal.Signals[how])
    if how == "stop":
        sys.exit("no licence")
    return how


@pytest.mark.parametrize("n_workers", [1, 2])
def test_an_item_that_ends_its_process_is_told_from_the_others(n_workers):
    items = ["a", "SIGSEGV", "b", "exit0", "exit3", "c", "stop", "SIGKILL", *"defg", "SIGTERM"]
    with worker_pool(n_workers) as pool:
        found = list(pool.map(end, items, lambda item, how: f"{item} {how}"))
        assert list(pool.map(end, ["h", "i"])) == ["h", "i"]
    assert found == [
        "a",
        "SIGSEGV was ended by SIGSEGV",
        "b",
        "exit0 ended with exit code 0",
        "exit3 ended with exit code 3",
        "c",
        "stop was to end with exit code no licence",
        "SIGKILL was ended by SIGKILL",
        *"defg",
        "SIGTERM was ended by SIGTERM",
    ]


@pytest.mark.parametrize("n_workers", [1, 2])
def test_what_may_crash_never_runs_in_this_process(n_workers):
    with worker_pool(n_workers) as pool:
        found = list(pool.map(process_id, [0], lambda item, how: 0))
    assert found[0] not in (0, os.getpid())


def test_results_that_nobody_wants_any_more_are_not_computed_where_work_may_crash(two_workers):
    results = two_workers.map(end, ["a", "exit3", "b"], lambda item, how: how)
    assert next(results) == "a"
    results.close()
    assert list(two_workers.map(end, ["b", "c"], lambda item, how: how)) == ["b", "c"]


def test_workers_leave_ctrl_c_to_the_parent(two_workers):
    assert all(two_workers.map(interrupt_disposition, range(6)))
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def fail_while_they_work(work: list[tuple[float, str]]) -> None:
    with worker_pool(2) as pool:
        list(pool.map(threads_allowed, range(4)))  # the processes are up
        for item in work:
            pool._submit(write_after, item)
        time.sleep(0.5)
        raise ZeroDivisionError


def test_an_error_in_the_block_lets_short_work_end_and_drops_the_rest(tmp_path):
    seconds = {"short": 1.0, "long": 60.0, "queued": 0.0, "queued_too": 0.0}
    begun = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        fail_while_they_work([(s, str(tmp_path / name)) for name, s in seconds.items()])
    assert time.monotonic() - begun < 15
    assert [path.name for path in tmp_path.iterdir()] == ["short"]


def test_workers_do_not_outlive_a_parent_that_was_killed():
    script = (
        "import os, time\n"
        "from cellsynth.core.parallel import WorkerPool\n"
        "pool = WorkerPool(2)\n"
        "pool.warm_up('os')\n"
        "print(*pool.map(len, ['', 'a', 'bc']), *[p.pid for p in pool._processes()], flush=True)\n"
        "time.sleep(30)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    *lengths, first, second = map(int, parent.stdout.readline().split())
    parent.kill()
    parent.communicate()
    assert lengths == [0, 1, 2]
    deadline = time.monotonic() + 10
    while any(is_running(pid) for pid in (first, second)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(is_running(pid) for pid in (first, second))


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_script_needs_no_main_guard(tmp_path):
    script = tmp_path / "as a beginner writes it.py"
    script.write_text(
        "print('once')\n"
        "from cellsynth.core.parallel import worker_pool\n"
        "with worker_pool(2) as pool:\n"
        "    print(list(pool.map(abs, [-1, -2, -3])))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert done.stdout == "once\n[1, 2, 3]\n"
    assert done.stderr == ""


@pytest.mark.parametrize("n_workers", [0, -2])
def test_a_number_of_workers_that_is_not_positive_is_refused(n_workers):
    with pytest.raises(RecipeError, match=f"workers is {n_workers}; at least 1"), worker_pool(n_workers):
        pass


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 0.5),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu.max": "nonsense"}, None),
        ({}, None),
    ],
)
def test_the_quota_of_a_container_is_read(tmp_path, files, cores):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert _cgroup_quota(tmp_path) == cores


def test_a_pool_that_dies_while_its_work_is_dropped_says_nothing(capfd):
    code = (
        "import threading, concurrent.futures.process as p\n"
        "from concurrent.futures import InvalidStateError\n"
        "from cellsynth.core.parallel import WorkerPool\n"
        "pool = WorkerPool(2); list(pool.map(abs, [1, 2, 3])); pool.close()\n"
        "class Manager(p._ExecutorManagerThread):\n"
        "    def __init__(self): threading.Thread.__init__(self)\n"
        "    def run(self): raise InvalidStateError('CANCELLED')\n"
        "Manager.__module__ = 'concurrent.futures.process'\n"
        "thread = Manager(); thread.start(); thread.join()\n"
        "other = threading.Thread(target=lambda: 1 / 0); other.start(); other.join()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    said = capfd.readouterr().err
    assert "InvalidStateError" not in said
    assert "ZeroDivisionError" in said


def _complain(item):
    logging.getLogger("cellsynth.labels.cells").warning("labels: %d of 9", item)
    logging.getLogger("cellsynth.io").warning("of a file")
    return item


def test_what_workers_say_of_what_they_made_is_heard(caplog):
    with worker_pool(2) as pool:
        assert list(pool.map(_complain, [1, 2, 3])) == [1, 2, 3]
    assert [record.getMessage() for record in caplog.records] == [f"labels: {i} of 9" for i in (1, 2, 3)]
