"""Write a file whole or not at all."""

import errno
import logging
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ..core.errors import StorageError

_log = logging.getLogger(__name__)

_PREFIX = ".cellsynth-"
_SUFFIX = ".tmp"

_WAY_OUT = {
    errno.ENOSPC: "the disk is full; free some space or choose a folder on another disk",
    errno.EDQUOT: "your quota is used up; free some space or choose a folder on another disk",
    errno.EFBIG: "the file is larger than this system lets you write; choose another disk or raise the limit",
    errno.EROFS: "the disk is read-only; choose a folder on another disk",
    errno.EACCES: "you may not write there; choose another folder or ask for the permission",
    errno.EPERM: "you may not write there; choose another folder or ask for the permission",
    errno.ENOTDIR: "a part of the path is a file; choose another folder",
    errno.EISDIR: "a folder of that name is in the way; choose another name",
    errno.ENOENT: "the folder does not exist (any more); make it first",
    errno.ENAMETOOLONG: "the name is too long for this disk; shorten it",
}


@contextmanager
def replacing(path: Path, *, is_synced: bool = True) -> Iterator[BinaryIO]:
    """Give a file to write that takes the place of `path` when the block ends well.

    The bytes go to a temporary name in the same folder, reach the disk, and are renamed. If the block fails or
    is interrupted, the temporary file is removed and `path` is as it was; after a kill it may stay behind, see
    `remove_leftovers`.

    Parameters
    ----------
    is_synced
        Wait until the disk has the bytes. Without it a power failure, not a kill, may leave the file empty: for one
        of many files whose checksums are kept, see `sync_files`.

    Raises
    ------
    StorageError
        If the disk is full, read-only, or may not be written.
    """
    path = Path(path)
    temporary = path.parent / f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
    try:
        try:
            with temporary.open("xb") as file:
                yield file
                file.flush()
                if is_synced:
                    os.fsync(file.fileno())
            os.replace(temporary, path)
        except OSError as error:
            raise storage_error(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes, *, is_synced: bool = True) -> None:
    """Write `data` to `path`, whole or not at all; `is_synced` as in `replacing`.

    Raises
    ------
    StorageError
        If the disk is full, read-only, or may not be written.
    """
    with replacing(path, is_synced=is_synced) as file:
        file.write(data)


def sync_files(paths: Iterable[Path]) -> None:
    """Wait until the disk has files that were written without; quick where it has them already.

    Raises
    ------
    StorageError
        If the disk is full, or a file is gone.
    """
    for path in paths:
        try:
            with path.open("rb") as file:
                os.fsync(file.fileno())
        except OSError as error:
            raise storage_error(path, error) from error


def make_folder(path: Path) -> Path:
    """Make a folder and its parents; one that exists is fine.

    Raises
    ------
    StorageError
        If it cannot be made.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise StorageError(f"{path}: is a file, and a folder is to be made; choose another name") from error
    except OSError as error:
        raise storage_error(path, error) from error
    return Path(path)


def remove_leftovers(folder: Path) -> int:
    """Remove what a killed process left half-written in `folder` (not below it); gives their number."""
    leftovers = sorted(folder.glob(f"{_PREFIX}*{_SUFFIX}"))
    for leftover in leftovers:
        leftover.unlink(missing_ok=True)
        _log.info("removed the half-written %s", leftover)
    return len(leftovers)


def storage_error(path: Path, error: OSError) -> StorageError:
    """Say what could not be written, how much space is left, and the way out."""
    if isinstance(error, StorageError):
        return error
    way_out = _WAY_OUT.get(error.errno or 0, "check the disk, then run again")
    result = StorageError(
        f"{path}: could not be written ({error.strerror or error}); {_free_space(path)}{way_out}. "
        "Files that were finished before are valid"
    )
    result.errno = error.errno
    return result


def _free_space(path: Path) -> str:
    folder = next((p for p in path.absolute().parents if p.is_dir()), None)
    if folder is None:
        return ""
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return ""
    return f"{free / 1e6:,.1f} MB are free; "
