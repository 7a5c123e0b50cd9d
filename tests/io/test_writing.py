"""A file is written whole or not at all, and a disk that cannot be written says so."""

import errno
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellsynth.core.errors import InputError, StorageError
from cellsynth.io.atomic import make_folder, remove_leftovers, replacing, write_bytes
from cellsynth.io.tables import read_json, read_parquet, to_json, write_json, write_parquet
from cellsynth.io.tiff import write_tiff

PIXELS = np.random.default_rng(0).integers(0, 65535, (31, 47), np.uint16)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")

    def fail() -> None:
        with replacing(path) as file:
            file.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "may not write"),
    ],
)
def test_a_disk_that_cannot_be_written_is_a_storage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageError, match=rf"a\.bin.*{words}") as caught:
        write_bytes(tmp_path / "a.bin", b"new")
    assert caught.value.errno == number
    assert "MB are free" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_in_the_middle_of_an_image_leaves_nothing(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys, numpy as np\n"
        "from pathlib import Path\n"
        "from cellsynth.core.errors import StorageError\n"
        "from cellsynth.io.tiff import write_tiff\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))\n"
        "pixels = np.random.default_rng(0).integers(0, 65535, (310, 470), np.uint16)\n"
        "try:\n"
        "    write_tiff(Path(sys.argv[1]), pixels, axes='YX')\n"
        "except StorageError as error:\n"
        "    print(error)\n"
    )
    out = tmp_path / "a.tif"
    done = subprocess.run([sys.executable, "-c", code, str(out)], capture_output=True, text=True, check=True)
    assert "a.tif: could not be written" in done.stdout
    assert "larger than this system" in done.stdout
    assert not list(tmp_path.iterdir())
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 20_000


def test_a_missing_folder_and_a_file_in_the_way_are_storage_errors(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="does not exist"):
        write_tiff(tmp_path / "no" / "a.tif", PIXELS, axes="YX")
    write_bytes(tmp_path / "file", b"")
    with pytest.raises(StorageError, match="part of the path is a file"):
        write_bytes(tmp_path / "file" / "a.bin", b"")
    with pytest.raises(StorageError, match="is a file"):
        make_folder(tmp_path / "file")


def test_files_have_the_permissions_that_the_user_set(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_bytes(tmp_path / "a.bin", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.bin").stat().st_mode) == 0o640


def test_leftovers_of_a_killed_process_are_removed_and_other_files_stay(tmp_path: Path) -> None:
    (tmp_path / ".cellsynth-0123456789abcdef.tmp").write_bytes(b"half")
    (tmp_path / "mine.tmp").write_bytes(b"whole")
    assert remove_leftovers(tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mine.tmp"]


def test_tables_come_back_and_equal_tables_give_equal_bytes(tmp_path: Path) -> None:
    table = pd.DataFrame({"name": ["a", "b"], "score": [0.5, float("nan")], "n": [1, 2]})
    write_parquet(tmp_path / "a.parquet", table)
    write_parquet(tmp_path / "b.parquet", table.copy())
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    pd.testing.assert_frame_equal(read_parquet(tmp_path / "a.parquet"), table)


def test_json_takes_numpy_and_writes_undefined_numbers_as_null(tmp_path: Path) -> None:
    data = {
        "a": np.float32(0.5),
        "b": np.arange(3),
        "c": float("nan"),
        "d": (np.int64(2), Path("x/y")),
        "e": "\u00b5m",
    }
    write_json(tmp_path / "a.json", data)
    assert read_json(tmp_path / "a.json") == {
        "a": 0.5,
        "b": [0, 1, 2],
        "c": None,
        "d": [2, "x/y"],
        "e": "\u00b5m",
    }


def test_sorted_json_does_not_depend_on_the_order_of_keys() -> None:
    assert to_json({"a": 1, "b": {"c": 2, "d": 3}}, is_sorted=True) == to_json(
        {"b": {"d": 3, "c": 2}, "a": 1}, is_sorted=True
    )


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b"\xff\xfe", b"[" * 100_000])
def test_damaged_json_is_an_input_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.json"):
        read_json(tmp_path / "a.json")


def test_damaged_parquet_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    for name in ("a.parquet", "missing.parquet"):
        with pytest.raises(InputError, match=name):
            read_parquet(tmp_path / name)
