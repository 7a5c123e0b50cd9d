"""OME-Zarr stores as other software writes them, made with Zarr itself."""

import json

import numpy as np
import zarr


def write_store(
    path,
    labels,
    *,
    version="0.5",
    axes="zyx",
    scale=None,
    unit="micrometer",
    chunks=None,
    names=None,
    shards=None,
):
    """A multiscale image of one level; with `names` its labels of these names, all the same."""
    zarr_format = 3 if version == "0.5" else 2
    axes = axes[-labels.ndim :]
    kinds = {"t": "time", "c": "channel"}
    entries = [
        {"name": a, "type": kinds.get(a, "space"), **({"unit": unit} if unit and a in "zyx" else {})}
        for a in axes
    ]
    steps = [{"type": "scale", "scale": list(scale or [1.0] * labels.ndim)}]
    image = {"axes": entries, "datasets": [{"path": "0", "coordinateTransformations": steps}]}
    if version == "0.4":
        image["version"] = "0.4"
    write_array(path / "0", labels, zarr_format=zarr_format, chunks=chunks, shards=shards)
    write_group(path, {"multiscales": [image]}, version)
    if names is not None:
        write_group(path / "labels", {"labels": list(names)}, version)
        for name in names:
            write_store(
                path / "labels" / name,
                labels.astype(np.uint16),
                version=version,
                axes=axes,
                scale=scale,
                unit=unit,
                chunks=chunks,
            )
            attributes = {"multiscales": [image], "image-label": {"source": {"image": "../../"}}}
            write_group(path / "labels" / name, attributes, version)
    return path


def write_group(path, attributes, version="0.5"):
    path.mkdir(parents=True, exist_ok=True)
    if version == "0.5":
        inner = {"ome": {"version": "0.5", **attributes}}
        write_json(path / "zarr.json", {"zarr_format": 3, "node_type": "group", "attributes": inner})
    else:
        write_json(path / ".zgroup", {"zarr_format": 2})
        write_json(path / ".zattrs", attributes)


def write_array(path, values, *, zarr_format=3, chunks=None, shards=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    array = zarr.create_array(
        str(path),
        shape=values.shape,
        chunks=chunks or values.shape,
        shards=shards,
        dtype=values.dtype,
        zarr_format=zarr_format,
    )
    array[...] = values


def write_json(path, data):
    path.write_text(json.dumps(data))


def edit_json(path, **changes):
    """Change keys of a JSON file; None removes one."""
    data = json.loads(path.read_text())
    data |= changes
    write_json(path, {k: v for k, v in data.items() if v is not None})
