"""Files that cannot be used give an InputError that names the file, what it is, and what is accepted."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile

from cellsynth.core.errors import InputError
from cellsynth.data.folder import read_folder

SHAPE = (31, 47)
RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 255, SHAPE, np.uint8)
COLOUR = RNG.integers(0, 255, (*SHAPE, 3), np.uint8)


def png(pixels: np.ndarray = GREY) -> bytes:
    return bytes(imagecodecs.png_encode(pixels))


def tif(pixels: np.ndarray = GREY, **options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, **options)
    return buffer.getvalue()


def png_of_size(width: int, height: int, bits: int = 8, colour: int = 0) -> bytes:
    """A small file whose header claims any size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


def tiff_of_size(width: int, height: int) -> bytes:
    """A small TIFF whose first page claims any size."""
    data = bytearray(tif(GREY, metadata=None, compression="zlib"))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as tiff:
        for name, value in (("ImageWidth", width), ("ImageLength", height), ("RowsPerStrip", height)):
            tag = tiff.pages[0].tags[name]
            struct.pack_into("<I" if tag.dtype == 4 else "<H", data, tag.valueoffset, value)
    return bytes(data)


def two_series() -> bytes:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(GREY)
        writer.write(GREY[:20])
    return buffer.getvalue()


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a.png", png())
    return buffer.getvalue()


def npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, GREY)
    return buffer.getvalue()


def with_value(value: float) -> np.ndarray:
    pixels = RNG.random(SHAPE).astype(np.float32)
    pixels[3, 5] = value
    return pixels


def ome_with_entities() -> bytes:
    xml = (
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0" Name="&b;">'
        '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="47" SizeY="31" SizeZ="1" SizeC="1" '
        'SizeT="1"><Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData/></Pixels></Image></OME>'
    )
    return tif(GREY, description=xml, metadata=None)


CASES: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "zero bytes as png": ("a.png", bytes, "empty.*PNG and TIFF"),
    "zero bytes as tif": ("a.tif", bytes, "empty.*PNG and TIFF"),
    "text as tif": ("a.tif", lambda: b"these are no pixels\n" * 40, "text file.*PNG and TIFF"),
    "text as png": ("a.png", lambda: b"<html></html>", "text file.*PNG and TIFF"),
    "jpeg as png": (
        "a.png",
        lambda: bytes(imagecodecs.jpeg_encode(COLOUR)),
        "JPEG.*changes grey values.*export",
    ),
    "jpeg as jpg": ("a.jpg", lambda: bytes(imagecodecs.jpeg_encode(GREY)), "JPEG.*export"),
    "jpeg without a name": ("picture", lambda: bytes(imagecodecs.jpeg_encode(GREY)), "JPEG.*export"),
    "webp": ("a.png", lambda: bytes(imagecodecs.webp_encode(COLOUR)), "WebP"),
    "gif": ("a.tif", lambda: bytes(imagecodecs.gif_encode(GREY)), "GIF.*save it as PNG"),
    "bmp": ("a.png", lambda: bytes(imagecodecs.bmp_encode(GREY)), "BMP.*save it as PNG"),
    "numpy array": ("a.npy", npy, "NumPy.*imwrite"),
    "zip as tif": ("a.tif", archive, "ZIP.*unpack"),
    "gzip as tif": ("a.tif", lambda: b"\x1f\x8b\x08" + bytes(60), "gzip.*unpack"),
    "pdf as png": ("a.png", lambda: b"%PDF-1.7\n" + bytes(60), "PDF"),
    "hdf5 as tif": ("a.tif", lambda: b"\x89HDF\r\n\x1a\n" + bytes(60), "HDF5.*export"),
    "czi": ("a.czi", lambda: b"ZISRAWFILE" + bytes(60), "CZI.*OME-TIFF"),
    "nd2": ("a.nd2", lambda: b"\xda\xce\xbe\x0a" + bytes(60), "ND2.*OME-TIFF"),
    "lif": ("a.lif", lambda: b"\x70\0\0\0" + bytes(60), "LIF.*OME-TIFF"),
    "dicom": ("a.dcm", lambda: bytes(128) + b"DICM" + bytes(60), "DICOM"),
    "git lfs pointer": (
        "a.tif",
        lambda: b"version https://git-lfs.github.com/spec/v1\noid x",
        "git lfs pull",
    ),
    "random bytes": ("a.tif", lambda: RNG.bytes(4000), "not an image that can be read"),
    "unknown binary": ("a.xyz", lambda: b"\0\1\2\3" * 30, "not an image that can be read"),
    "png signature only": ("a.png", lambda: png()[:8], "ends early"),
    "png cut in the header": ("a.png", lambda: png()[:20], "ends early"),
    "png cut in the pixels": ("a.png", lambda: png()[:700], "ends early"),
    "png without its last byte": ("a.png", lambda: png()[:-1], "ends early"),
    "png with damaged pixels": ("a.png", lambda: png()[:200] + bytes(60) + png()[260:], "cannot be decoded"),
    "png with too few pixels": ("a.png", lambda: png_of_size(47, 31), "cannot be decoded"),
    "png of no width": ("a.png", lambda: png_of_size(0, 31), "impossible header"),
    "png of 3 bits": ("a.png", lambda: png_of_size(47, 31, bits=3), "impossible header"),
    "png bomb": ("a.png", lambda: png_of_size(100_000, 100_000), r"100000 x 100000.*GB.*tiles"),
    "png bomb of 2**31 pixels a side": ("a.png", lambda: png_of_size(2**31 - 1, 2**31 - 1, 16, 6), "GB"),
    "animated png": (
        "a.png",
        lambda: bytes(imagecodecs.apng_encode(np.stack([GREY, GREY // 2]))),
        "animated",
    ),
    "black and white png": ("a.png", lambda: png_of_size(47, 31, bits=1), "black and white"),
    "tiff signature only": ("a.tif", lambda: tif()[:8], "damaged"),
    "tiff cut in half": ("a.tif", lambda: tif()[: len(tif()) // 2], "ends early"),
    "tiff without its last bytes": ("a.tif", lambda: tif()[:-40], "ends early"),
    "compressed tiff cut": ("a.tif", lambda: tif(compression="zlib")[:-40], "damaged"),
    "tiff with damaged pixels": (
        "a.tif",
        lambda: tif(compression="zlib")[:-400] + bytes(400),
        "cannot be read",
    ),
    "tiff bomb": ("a.tif", lambda: tiff_of_size(2_000_000, 1_000_000), r"1000000 x 2000000.*GB.*tiles"),
    "tiff without pages": ("a.tif", lambda: b"II*\0\0\0\0\0", "damaged"),
    "tiff that refers to itself": ("a.tif", lambda: b"II*\0\x08\0\0\0\0\0\x08\0\0\0", "damaged"),
    "tiff of two images": ("a.tif", two_series, "holds 2 images.*one image per file"),
    "tiff with a palette": (
        "a.tif",
        lambda: tif(photometric="palette", colormap=np.zeros((3, 256), np.uint16)),
        "palette",
    ),
    "tiff with white as zero": ("a.tif", lambda: tif(photometric="miniswhite"), "inverted"),
    "ome with entities": ("a.tif", ome_with_entities, "entities"),
    "stack": (
        "a.tif",
        lambda: tif(np.stack([GREY] * 5), ome=True, metadata={"axes": "ZYX"}),
        "Z-stack.*Project",
    ),
    "time series": (
        "a.tif",
        lambda: tif(np.stack([GREY] * 5), imagej=True, metadata={"axes": "TYX"}),
        "TYX.*time",
    ),
    "pages without a name": ("a.tif", lambda: tif(np.stack([GREY] * 5)), "QYX.*single planes"),
    "colours tagged as columns": (
        "a.tif",
        lambda: tif(COLOUR, photometric="minisblack"),
        "photometric='rgb'",
    ),
    "colour tagged as a stack": (
        "a.tif",
        lambda: tif(COLOUR, ome=True, photometric="minisblack", metadata={"axes": "ZYX"}),
        r"ZYX \(31, 47, 3\).*photometric",
    ),
    "four dimensions": (
        "a.tif",
        lambda: tif(np.zeros((2, 3, *SHAPE), np.uint8), ome=True, metadata={"axes": "TZYX"}),
        "TZYX.*2D",
    ),
    "several channels": ("a.png", lambda: png(COLOUR), "red, green, blue.*--channel"),
    "transparent": (
        "a.png",
        lambda: png(np.dstack([GREY, GREY, GREY, GREY])),
        "transparent in parts.*--channel 0 to 2",
    ),
    "constant colours": ("a.png", lambda: png(np.full_like(COLOUR, 7)), "same value"),
    "bool": ("a.tif", lambda: tif(GREY > 100), "black and white"),
    "int16": ("a.tif", lambda: tif(GREY.astype(np.int16)), "int16; uint8, uint16 and floating"),
    "int32": ("a.tif", lambda: tif(GREY.astype(np.int32)), "int32; uint8, uint16 and floating"),
    "uint32": ("a.tif", lambda: tif(GREY.astype(np.uint32)), "uint32; uint8, uint16 and floating"),
    "complex": ("a.tif", lambda: tif(GREY.astype(np.complex64)), "complex64; uint8, uint16 and floating"),
    "nan": ("a.tif", lambda: tif(with_value(np.nan)), "1 values are NaN and 0 are infinite"),
    "infinite": ("a.tif", lambda: tif(with_value(np.inf)), "0 values are NaN and 1 are infinite"),
    "float above one": ("a.tif", lambda: tif(with_value(255)), "to 255.*0 to 1.*Divide"),
    "float below zero": ("a.tif", lambda: tif(with_value(-0.5)), "from -0.5.*0 to 1"),
    "constant": ("a.png", lambda: png(np.full_like(GREY, 9)), r"same value \(9\)"),
    "constant float": ("a.tif", lambda: tif(np.zeros(SHAPE, np.float32)), "same value"),
}

LABEL_CASES: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "colour picture": ("a.png", lambda: png(COLOUR), "colour picture.*no cell numbers.*grey"),
    "negative": ("a.tif", lambda: tif(GREY.astype(np.int16) - 3), "negative, down to -3.*whole numbers"),
    "fractions": ("a.tif", lambda: tif(GREY / np.float32(7)), "fractions, such as.*nearest neighbour"),
    "whole floats": ("a.tif", lambda: tif(GREY.astype(np.float32)), "float32, though whole.*16 or 32 bit"),
    "nan": ("a.tif", lambda: tif(with_value(np.nan)), "NaN or infinite"),
    "too large": ("a.tif", lambda: tif(GREY.astype(np.uint64) + 2**32), "4294967295"),
    "complex": ("a.tif", lambda: tif(GREY.astype(np.complex64)), "complex64"),
    "mask of 0 and 255": (
        "a.png",
        lambda: png(blobs() * np.uint8(255)),
        "besides 0 are 255, on 6 separate regions.*mask",
    ),
    "mask of 0 and 1": ("a.png", lambda: png(blobs()), "besides 0 are 1, on 6 separate regions.*mask"),
    "mask of booleans": ("a.tif", lambda: tif(blobs() > 0), "separate regions"),
    "class map": (
        "a.png",
        lambda: png(blobs() * blobs_class()),
        "besides 0 are 1, 2, on 6 separate.*classes",
    ),
    "grey image": ("a.png", lambda: png(), "is a grey image and no labels.*label images that belong"),
    "grey image of 16 bits": ("a.tif", lambda: tif(noise(2**16)), "is a grey image and no labels"),
    "dim grey image": (
        "a.png",
        lambda: png(noise(9).astype(np.uint8)),
        "is a grey image and no labels: 8 values",
    ),
    "stack": ("a.tif", lambda: tif(np.stack([GREY] * 5), ome=True, metadata={"axes": "ZYX"}), "same shape"),
    "other shape": ("a.png", lambda: png(GREY.T.copy()), r"YX \(47, 31\).*\(31, 47\).*same shape"),
    "text": ("a.tif", lambda: b"no labels\n" * 9, "text file"),
    "zero bytes": ("a.tif", bytes, "empty"),
    "cut": ("a.tif", lambda: tif()[:-40], "ends early"),
    "bomb": ("a.png", lambda: png_of_size(100_000, 100_000), "GB"),
    "jpeg": ("a.png", lambda: bytes(imagecodecs.jpeg_encode(GREY)), "JPEG"),
}


def noise(n_values: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, n_values, SHAPE).astype(np.uint16)


def blobs() -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    for y in (3, 18):
        for x in (2, 17, 33):
            mask[y : y + 9, x : x + 9] = 1
    return mask


def blobs_class() -> np.ndarray:
    return np.where(np.arange(SHAPE[0]) < 15, 1, 2).astype(np.uint8)[:, None]


@pytest.mark.parametrize("case", CASES)
def test_an_image_that_cannot_be_used_is_refused(tmp_path: Path, case: str) -> None:
    name, content, words = CASES[case]
    (tmp_path / name).write_bytes(content())
    with pytest.raises(InputError, match=f"(?s){words}") as caught:
        read_folder(tmp_path).load(0)
    assert name in str(caught.value)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize("case", LABEL_CASES)
def test_labels_that_cannot_be_used_are_refused(tmp_path: Path, case: str) -> None:
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    name, content, words = LABEL_CASES[case]
    (tmp_path / "images" / "a.png").write_bytes(png())
    (tmp_path / "labels" / name).write_bytes(content())
    with pytest.raises(InputError, match=f"(?s){words}") as caught:
        read_folder(tmp_path / "images", tmp_path / "labels").load(0)
    assert f"labels/{name}" in str(caught.value)


def points() -> np.ndarray:
    """A pixel per cell, with gaps in the ids."""
    labels = np.zeros(SHAPE, np.uint16)
    labels[::4, ::5] = np.arange(8 * 10).reshape(8, 10) * 7 + 1
    return labels


def tiles() -> np.ndarray:
    """No background at all."""
    rows, columns = np.indices(SHAPE) // 4
    return (rows * 12 + columns + 1).astype(np.uint16)


def crumbs() -> np.ndarray:
    """As many single pixels of some cells beside them as there are cells."""
    labels = blobs() * (np.cumsum(blobs_class() * 0 + 1, axis=0) // 16 * 3 + np.arange(SHAPE[1]) // 16 + 1)
    labels[0, ::16] = np.unique(labels)[1:4]
    return labels.astype(np.uint8)


@pytest.mark.parametrize("labels", [points(), tiles(), crumbs()], ids=["points", "tiles", "crumbs"])
def test_labels_that_are_odd_are_no_grey_image(tmp_path: Path, labels: np.ndarray) -> None:
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    (tmp_path / "images" / "a.png").write_bytes(png())
    (tmp_path / "labels" / "a.tif").write_bytes(tif(labels))
    read = read_folder(tmp_path / "images", tmp_path / "labels").load(0).labels
    assert read is not None
    assert read.max() == len(np.unique(labels[labels > 0]))


def test_gaps_in_the_ids_are_told_once_per_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from cellsynth.data.label_file import read_label_file

    for name in ("a.tif", "b.tif"):
        (tmp_path / name).write_bytes(tif(points()))
    for name in ("a.tif", "b.tif", "a.tif", "b.tif"):
        read_label_file(tmp_path / name)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert "a.tif: the ids of its 80 cells have gaps (largest 554)" in said[0]


def test_the_way_out_of_a_label_set_is_to_accept_masks_only_for_predictions(tmp_path: Path) -> None:
    from cellsynth.data.label_set import read_labels

    (tmp_path / "a.png").write_bytes(png(blobs()))
    assert read_labels(tmp_path).load("a").max() == 1


def test_labels_are_told_from_images() -> None:
    from cellsynth.data.label_file import looks_like_labels
    from cellsynth.demo_data import demo_images, demo_labels
    from cellsynth.io.formats import read_pixels

    assert all(looks_like_labels(read_pixels(path)) for path in demo_labels())
    assert not any(looks_like_labels(read_pixels(path)) for path in demo_images())
