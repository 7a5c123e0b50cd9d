"""One array of a Zarr store on disk, of format 2 or 3: its metadata checked, its parts read, nothing in it trusted.

The metadata are read here and not by Zarr, so that sizes, types and codecs are known to be harmless before any chunk is
opened; and a look at a store costs no import of Zarr.
"""

import json
import lzma
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ..core.errors import InputError

LARGEST_CHUNK_BYTES = 2**30
"""Of one chunk, decoded; what is read together must fit the memory many times over."""

LARGEST_ARRAY_VOXELS = 2**42
"""A petabyte-sized array is a damaged number, or nothing that one machine gets through."""

_LARGEST_METADATA_BYTES = 2**24
_METADATA = ("zarr.json", ".zarray", ".zgroup")

_CODECS = frozenset(
    "bytes transpose sharding_indexed blosc gzip zstd crc32c zlib bz2 lzma lz4 shuffle delta crc32 adler32 fletcher32 "
    "packbits".split()
)
"""None of them runs code that the file holds, as `pickle` would."""

_TYPES = frozenset("bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64".split())

# What the decoders raise on damaged chunks; errors of Zarr are among them.
_DAMAGE = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    RuntimeError,
    MemoryError,
    EOFError,
    OSError,
    NotImplementedError,
    ImportError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
)


@dataclass(frozen=True)
class Node:
    """A group or an array of a store, as its metadata say."""

    root: Path
    """Folder that nothing may lead out of, without links in its path."""

    name: str
    """Path below the root: empty, or such as `labels/cells/0`."""

    is_array: bool
    metadata: Mapping[str, Any]
    attributes: Mapping[str, Any]

    @property
    def path(self) -> Path:
        """Its folder."""
        return self.root / self.name

    def child(self, name: str) -> "Node":
        """A node below this one, by a path that was read from a file.

        Raises
        ------
        InputError
            If the path leads elsewhere, or there is no such node.
        """
        parts = PurePosixPath(name).parts
        if not name or not parts or any(part in ("/", "..", ".") or "\\" in part for part in parts):
            raise InputError(
                f"{self.path}: its metadata name the path {name!r}; only paths inside of the store are followed"
            )
        return read_node(self.root, "/".join([*([self.name] if self.name else []), *parts]))

    def has(self, name: str) -> bool:
        """Tell whether there is a group or an array of this name right below."""
        return is_zarr(self.path / name)


def is_zarr(path: Path) -> bool:
    """Tell whether a folder is a Zarr group or array."""
    return any((path / name).is_file() for name in _METADATA)


def read_node(root: Path, name: str = "") -> Node:
    """Read the metadata of a group or an array.

    Raises
    ------
    InputError
        If there is none, or its metadata are damaged or lie outside of the store.
    """
    root = Path(root).resolve()
    path = root / name
    if (path / "zarr.json").is_file():
        found = _read_json(root, path / "zarr.json")
        kind = found.get("node_type")
        if found.get("zarr_format") != 3 or kind not in ("array", "group"):
            raise _damaged(path / "zarr.json", f"is format {found.get('zarr_format')!r}, node type {kind!r}")
        return Node(
            root, name, kind == "array", found, _mapping(path, "attributes", found.get("attributes", {}))
        )
    is_array = (path / ".zarray").is_file()
    if not is_array and not (path / ".zgroup").is_file():
        raise InputError(f"{path}: is no Zarr group or array; it has no zarr.json, .zarray or .zgroup")
    found = _read_json(root, path / (".zarray" if is_array else ".zgroup"))
    if found.get("zarr_format") != 2:
        raise _damaged(path, f"is format {found.get('zarr_format')!r}")
    attributes = _read_json(root, path / ".zattrs") if (path / ".zattrs").is_file() else {}
    return Node(root, name, is_array, found, attributes)


@dataclass(frozen=True)
class ZarrArray:
    """An array on disk, read part by part; cheap to send to another process."""

    root: Path
    name: str
    zarr_format: int
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    """Values per axis that are compressed together."""

    dtype: np.dtype
    dimension_names: tuple[str | None, ...]
    largest_file_bytes: int

    @classmethod
    def of(cls, node: Node) -> "ZarrArray":
        """Array of a node.

        Raises
        ------
        InputError
            If it is a group, or something in its metadata is damaged, too large, or of a kind that is not read.
        """
        path, found = node.path, node.metadata
        if not node.is_array:
            raise InputError(f"{path}: is a Zarr group, and an array is needed")
        zarr_format = int(found["zarr_format"])
        shape = _lengths(path, "shape", found.get("shape"))
        stored, chunks, codecs = _chunks_v3(path, found) if zarr_format == 3 else _chunks_v2(path, found)
        if not len(shape) == len(stored) == len(chunks):
            raise _damaged(path, f"has the shape {shape} and chunks of {stored}, which differ in their axes")
        if prod(shape) > LARGEST_ARRAY_VOXELS:
            raise _damaged(path, f"announces {' x '.join(map(str, shape))} values")
        dtype = _dtype(path, found.get("data_type" if zarr_format == 3 else "dtype"))
        _check_codecs(path, codecs)
        if prod(chunks) * dtype.itemsize > LARGEST_CHUNK_BYTES:
            raise InputError(
                f"{path}: its chunks of {' x '.join(map(str, chunks))} values of {dtype} take more than "
                f"{LARGEST_CHUNK_BYTES / 2**30:g} GiB each; store it in smaller chunks, such as 128 along each axis"
            )
        names = found.get("dimension_names") or [None] * len(shape)
        if not isinstance(names, list) or len(names) != len(shape):
            raise _damaged(path, f"has {len(shape)} axes and the dimension names {names!r}")
        # Compression may make noise a little larger; a shard holds an index besides.
        largest = prod(stored) * dtype.itemsize
        return cls(
            root=node.root,
            name=node.name,
            zarr_format=zarr_format,
            shape=shape,
            chunks=tuple(min(c, max(n, 1)) for c, n in zip(chunks, shape, strict=True)),
            dtype=dtype,
            dimension_names=tuple(n if isinstance(n, str) else None for n in names),
            largest_file_bytes=largest + largest // 4 + 2**20,
        )

    @property
    def path(self) -> Path:
        """Its folder."""
        return self.root / self.name

    def __getitem__(self, key: Any) -> np.ndarray:
        """Read a part; chunks that were never written hold the fill value.

        Raises
        ------
        InputError
            If a chunk is damaged, or lies outside of the store.
        """
        try:
            opened = _opened(self.root, self.name, self.zarr_format, self.largest_file_bytes, self._stamp())
            if opened.shape != self.shape or opened.dtype.newbyteorder("=") != self.dtype:
                raise InputError(f"{self.path}: changed while it was read; start again")
            return np.asarray(opened[key]).astype(self.dtype, copy=False)
        except InputError:
            raise
        except _DAMAGE as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise _damaged(self.path, f"holds a chunk that cannot be read ({reason})") from error

    def has_chunks(self) -> bool:
        """Whether any chunk was ever written; without one every value is the fill value."""
        return any(
            file.is_file() and not file.name.endswith(_METADATA) and not file.name.startswith(".")
            for file in self.path.rglob("*")
        )

    def _stamp(self) -> int:
        name = "zarr.json" if self.zarr_format == 3 else ".zarray"
        return (self.path / name).stat().st_mtime_ns


@lru_cache(maxsize=64)
def _opened(root: Path, name: str, zarr_format: int, largest_file_bytes: int, _stamp: int) -> Any:
    import zarr

    store = _guarded_store()(root, largest_file_bytes)
    return zarr.open_array(store, path=name, mode="r", zarr_format=zarr_format)  # pyright: ignore[reportArgumentType] an int that was checked


@lru_cache(maxsize=1)
def _guarded_store() -> Any:
    """Class of stores that refuse to read outside of their folder, or files larger than their content could be."""
    from zarr.storage import LocalStore

    class GuardedStore(LocalStore):
        def __init__(self, root: Path, largest_file_bytes: int) -> None:
            super().__init__(root, read_only=True)
            self._largest_file_bytes = largest_file_bytes

        async def get(self, key: str, *arguments: Any, **options: Any) -> Any:
            self._check(key)
            return await super().get(key, *arguments, **options)

        def get_sync(self, key: str, **options: Any) -> Any:  # of newer versions of Zarr
            self._check(key)
            return super().get_sync(key, **options)

        def _check(self, key: str) -> None:
            path = self.root / key
            check_inside(self.root, path)
            if not key.endswith(_METADATA) and path.is_dir() and key.rsplit("/", 1)[-1] != "c":
                raise _damaged(path, "is a folder, and a chunk is a file")
            if not key.endswith(_METADATA) and path.is_file():
                n_bytes = path.stat().st_size
                if n_bytes > self._largest_file_bytes:
                    raise _damaged(path, f"has {n_bytes:,} bytes, more than its chunk could have")

    return GuardedStore


def check_inside(root: Path, path: Path) -> None:
    """Refuse a path that leads out of `root`, which has no links in it.

    Raises
    ------
    InputError
        If so.
    """
    if not path.resolve().is_relative_to(root):
        raise InputError(
            f"{path}: is a link that leads out of the store {root}; links are followed inside of it only, so copy the "
            "data into it"
        )


def _read_json(root: Path, path: Path) -> dict[str, Any]:
    check_inside(root, path)
    try:
        if path.stat().st_size > _LARGEST_METADATA_BYTES:
            raise _damaged(path, f"has more than {_LARGEST_METADATA_BYTES:,} bytes of metadata")
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check that you may open it") from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"is no valid JSON ({error})") from error
    return _mapping(path, "its content", found)


def _mapping(path: Path, what: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _damaged(path, f"has {value!r:.60} where {what} should be a mapping")
    return value


def _lengths(path: Path, what: str, value: Any, *, least: int = 0) -> tuple[int, ...]:
    is_fine = isinstance(value, list) and value and len(value) <= 8
    if not is_fine or not all(type(n) is int and least <= n <= LARGEST_ARRAY_VOXELS for n in value):
        raise _damaged(path, f"has the {what} {value!r:.60}")
    return tuple(value)


def _chunks_v2(path: Path, found: Mapping[str, Any]) -> tuple[tuple[int, ...], tuple[int, ...], list[Any]]:
    chunks = _lengths(path, "chunks", found.get("chunks"), least=1)
    filters = found.get("filters") or []
    if not isinstance(filters, list):
        raise _damaged(path, f"has the filters {filters!r:.60}")
    compressor = found.get("compressor")
    return chunks, chunks, [*filters, *([compressor] if compressor is not None else [])]


def _chunks_v3(path: Path, found: Mapping[str, Any]) -> tuple[tuple[int, ...], tuple[int, ...], list[Any]]:
    """What is stored in one file, what is compressed together, and all codecs, those inside of shards too."""
    grid = _mapping(path, "the chunk grid", found.get("chunk_grid"))
    settings = _mapping(path, "the chunk grid", grid.get("configuration", {}))
    if grid.get("name") != "regular":
        raise InputError(f"{path}: has chunks on a {grid.get('name')!r:.60} grid; regular ones are read")
    stored = chunks = _lengths(path, "chunk shape", settings.get("chunk_shape"), least=1)
    if found.get("storage_transformers"):
        raise InputError(f"{path}: has storage transformers, which are not read; save it without")
    codecs, waiting = [], found.get("codecs")
    while waiting:
        if not isinstance(waiting, list) or len(codecs) > 20:
            raise _damaged(path, f"has the codecs {waiting!r:.60}")
        codecs += waiting
        inner: list[Any] = []
        for codec in waiting:
            if isinstance(codec, dict) and codec.get("name") == "sharding_indexed":
                settings = _mapping(path, "the sharding", codec.get("configuration"))
                chunks = _lengths(path, "chunk shape in its shards", settings.get("chunk_shape"), least=1)
                for key in ("codecs", "index_codecs"):
                    part = settings.get(key, [])
                    inner += part if isinstance(part, list) else [part]
        waiting = inner
    return stored, chunks, codecs


def _check_codecs(path: Path, codecs: Sequence[Any]) -> None:
    for codec in codecs:
        name = codec.get("name", codec.get("id")) if isinstance(codec, dict) else codec
        if not isinstance(name, str) or name.removeprefix("numcodecs.") not in _CODECS:
            raise InputError(
                f"{path}: is stored with the codec {name!r:.60}, which is not read; accepted are "
                f"{', '.join(sorted(_CODECS))}, so save it with one of these"
            )


def _dtype(path: Path, name: Any) -> np.dtype:
    try:
        dtype = np.dtype(name) if isinstance(name, str) else None
    except (TypeError, ValueError):
        dtype = None
    if dtype is None or dtype.name not in _TYPES:
        raise InputError(f"{path}: its values are of type {name!r:.60}; numbers are read, so save it as such")
    return dtype.newbyteorder("=")


def _damaged(path: Path, what: str) -> InputError:
    return InputError(f"{path}: is of a Zarr store and {what}; it is damaged, so copy or save it again")
