"""Read a pickle that holds nested dictionaries of NumPy arrays, and know nothing else.

A pickle is a program. This reader refuses every instruction that such a file does not need, before any is run, and
lends the program no function of Python or NumPy: names of NumPy stand for the small classes below, which only keep
what they are given. Arrays are views of bytes that are in the file, so a short file makes no large array.
"""

import io
import pickle
import pickletools
from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

_INSTRUCTIONS = frozenset(
    "PROTO FRAME STOP MARK NONE NEWTRUE NEWFALSE "
    "EMPTY_DICT SETITEM SETITEMS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 "
    "BINUNICODE SHORT_BINUNICODE BINBYTES SHORT_BINBYTES BININT BININT1 BININT2 "
    "BINPUT LONG_BINPUT MEMOIZE BINGET LONG_BINGET "
    "GLOBAL STACK_GLOBAL REDUCE BUILD".split()
)

_MOST_INSTRUCTIONS = 100_000
_MOST_ENTRIES = 10_000
_DEEPEST = 8
_LONGEST_NAME = 200

_TYPES = frozenset(f"{kind}{size}" for kind in "fiu" for size in (1, 2, 4, 8)) - {"f1"}


class PickleRefused(Exception):  # noqa: N818 - it is no fault of the reader
    """The pickle holds something else."""


def read_array_pickle(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays by their keys, joined by dots.

    Raises
    ------
    PickleRefused
        If the pickle needs anything but what dictionaries of arrays need; says what.
    """
    data = path.read_bytes()
    _check_instructions(data)
    try:
        loaded = _Unpickler(io.BytesIO(data)).load()
    except RecursionError:
        raise PickleRefused("is a pickle that is nested too deep") from None
    if not isinstance(loaded, dict):
        raise PickleRefused(f"is a pickle of a {type(loaded).__name__.strip('_')}, not of named arrays")
    return dict(_flattened(loaded))


def _check_instructions(data: bytes) -> None:
    for n, (instruction, argument, position) in enumerate(pickletools.genops(data), start=1):
        if instruction.name not in _INSTRUCTIONS:
            raise PickleRefused(
                f"is a pickle with the instruction {instruction.name} at byte {position}, which named arrays do without"
            )
        # Room for places of the memo is made up to the highest, whether there are others or not.
        is_far = instruction.name in ("BINPUT", "LONG_BINPUT") and int(argument or 0) > _MOST_INSTRUCTIONS
        if n > _MOST_INSTRUCTIONS or is_far:
            raise PickleRefused(f"is a pickle of more than {_MOST_INSTRUCTIONS} instructions")


class _Stub:
    """What a pickle gets in place of a name of NumPy; nothing can be set on it."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        raise PickleRefused("is a pickle that changes what it was lent")


class _ArrayClass(_Stub):
    """Stands for `numpy.ndarray`; only handed on to `_Reconstruct`."""

    __slots__ = ()


class _Reconstruct(_Stub):
    """Stands for `numpy.core.multiarray._reconstruct`, which makes an empty array to be filled."""

    __slots__ = ()

    def __call__(self, *arguments: Any) -> "_Array":
        if not (len(arguments) == 3 and isinstance(arguments[0], _ArrayClass)):
            raise PickleRefused("is a pickle of a subclass of array")
        return _Array()


class _TypeClass(_Stub):
    """Stands for `numpy.dtype`."""

    __slots__ = ()

    def __call__(self, *arguments: Any) -> "_Type":
        name = arguments[0] if arguments else None
        if not isinstance(name, str) or name not in _TYPES:
            raise PickleRefused(f"is a pickle of arrays of type {str(name)[:20]!r}, not of numbers")
        return _Type(name)


class _Type:
    """A type of numbers; its state says the order of bytes."""

    __slots__ = ("name", "order")

    def __init__(self, name: str) -> None:
        self.name, self.order = name, "="

    def __setstate__(self, state: Any) -> None:
        # Version, order of bytes, then what compound types have.
        order, *compound = state[1:5] if isinstance(state, tuple) and len(state) >= 5 else (None,)
        if order not in ("<", ">", "|", "=") or compound != [None, None, None]:
            raise PickleRefused("is a pickle of arrays of a compound type")
        self.order = order

    def made(self) -> np.dtype:
        """The type itself."""
        return np.dtype(self.order + self.name)


class _Array:
    """An array; its state says shape, type and values."""

    __slots__ = ("values",)

    values: np.ndarray | None

    def __init__(self) -> None:
        self.values = None

    def __setstate__(self, state: Any) -> None:
        if not (isinstance(state, tuple) and len(state) == 5):
            raise PickleRefused("is a pickle of an array of unknown form")
        _, shape, kind, is_fortran, data = state
        is_known = isinstance(shape, tuple) and isinstance(kind, _Type) and isinstance(data, bytes)
        if not is_known or not all(type(n) is int and n >= 0 for n in shape) or len(shape) > 32:
            raise PickleRefused("is a pickle of an array of unknown form")
        dtype = kind.made()
        n_bytes = prod(shape) * dtype.itemsize
        if n_bytes != len(data):
            raise PickleRefused(
                f"is a pickle of an array of {n_bytes} bytes {shape} that has {len(data)} bytes"
            )
        order = "F" if is_fortran is True else "C"
        self.values = np.frombuffer(data, dtype).reshape(shape, order=order)


class _Unpickler(pickle.Unpickler):
    """Unpickler that finds three names, and none of them is what it says."""

    _LENT: ClassVar[Mapping[tuple[str, str], _Stub]] = {
        ("numpy.core.multiarray", "_reconstruct"): _Reconstruct(),
        ("numpy._core.multiarray", "_reconstruct"): _Reconstruct(),
        ("numpy", "ndarray"): _ArrayClass(),
        ("numpy", "dtype"): _TypeClass(),
    }

    def find_class(self, module_name: str, global_name: str) -> Any:
        """Give a stand-in for a name of NumPy, and refuse all others."""
        lent = self._LENT.get((module_name, global_name))
        if lent is None:
            raise PickleRefused(f"is a pickle that asks for {module_name}.{global_name}")
        return lent


def _flattened(nested: dict[Any, Any]) -> Iterator[tuple[str, np.ndarray]]:
    """Arrays with their names; a dictionary that holds another many times is counted as often as it would be walked."""
    n = 0
    waiting: list[tuple[tuple[str, ...], Any]] = [((), nested)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, _Array) and (values := value.values) is not None:
            yield ".".join(path), values
        elif isinstance(value, dict):
            n += len(value)
            if n > _MOST_ENTRIES or len(path) > _DEEPEST:
                raise PickleRefused(f"is a pickle of more than {_MOST_ENTRIES} entries, or nested too deep")
            for key in reversed(value):
                if not isinstance(key, str) or len(key) > _LONGEST_NAME:
                    raise PickleRefused("is a pickle with a key that is no name")
                waiting.append(((*path, key), value[key]))
        else:
            raise PickleRefused(f"is a pickle with {'.'.join(path)!r}, which is no array")
