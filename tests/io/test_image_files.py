"""Writing then reading returns the array, its axes and its scale."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cellsynth.core.errors import InputError
from cellsynth.io.formats import kind_of, read_header, read_pixels
from cellsynth.io.labels import as_stored, write_labels
from cellsynth.io.png import write_png
from cellsynth.io.tiff import write_tiff

SHAPE = (31, 47)
once_per_example = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def sides(n: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.tuples(*[st.integers(1, 40)] * n)


def ramp(dtype: str, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    rng = np.random.default_rng(0)
    if dtype.startswith("float"):
        return rng.random(shape).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


@once_per_example
@given(data=st.data(), dtype=st.sampled_from(["uint8", "uint16", "uint32", "float32"]))
def test_tiff_returns_the_pixels_that_were_written(tmp_path: Path, data: st.DataObject, dtype: str) -> None:
    axes = data.draw(st.sampled_from(["YX", "ZYX", "CYX", "CZYX"]))
    shape = data.draw(sides(len(axes)).map(lambda s: tuple(min(n, 5) for n in s[:-2]) + s[-2:]))
    elements = {"allow_nan": False} if dtype == "float32" else {}
    pixels = data.draw(hnp.arrays(dtype, shape, elements=elements or None))
    write_tiff(tmp_path / "a.tif", pixels, axes=axes)
    read = read_pixels(tmp_path / "a.tif")
    assert read.dtype == pixels.dtype
    np.testing.assert_array_equal(read, pixels.reshape(read.shape))
    assert read_header(tmp_path / "a.tif").shape == read.shape


@once_per_example
@given(
    pixels=st.one_of(
        hnp.arrays(st.sampled_from(["uint8", "uint16"]), sides(2)),
        hnp.arrays(
            st.sampled_from(["uint8", "uint16"]),
            st.tuples(sides(2), st.integers(2, 4)).map(lambda s: (*s[0], s[1])),
        ),
    )
)
def test_png_returns_the_pixels_that_were_written(tmp_path: Path, pixels: np.ndarray) -> None:
    write_png(tmp_path / "a.png", pixels)
    header = read_header(tmp_path / "a.png")
    assert (header.shape, header.dtype) == (pixels.shape, pixels.dtype)
    np.testing.assert_array_equal(read_pixels(tmp_path / "a.png"), pixels)


@once_per_example
@given(y_um=st.floats(1e-3, 20), x_um=st.floats(1e-3, 20))
def test_pixel_size_survives_in_tiff_exactly_and_in_png_to_six_digits(
    tmp_path: Path, y_um: float, x_um: float
) -> None:
    pixels = ramp("uint8")
    write_tiff(tmp_path / "a.tif", pixels, axes="YX", voxel_um=(y_um, x_um))
    assert read_header(tmp_path / "a.tif").voxel_um == (1.0, y_um, x_um)
    write_png(tmp_path / "a.png", pixels, (y_um, x_um))
    assert read_header(tmp_path / "a.png").voxel_um == pytest.approx((1.0, y_um, x_um), rel=1e-4)


def test_voxel_size_of_a_volume_survives(tmp_path: Path) -> None:
    write_tiff(tmp_path / "a.tif", ramp("uint16", (5, *SHAPE)), axes="ZYX", voxel_um=(1.5, 0.31, 0.3))
    header = read_header(tmp_path / "a.tif")
    assert (header.axes, header.voxel_um, header.n_bytes) == ("ZYX", (1.5, 0.31, 0.3), 5 * 31 * 47 * 2)


def test_readers_without_ome_find_the_pixel_size_in_the_tags(tmp_path: Path) -> None:
    write_tiff(tmp_path / "a.tif", ramp("uint8"), axes="YX", voxel_um=(0.5, 0.25))
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        x, y = (tiff.pages[0].tags[name].value for name in ("XResolution", "YResolution"))
        assert (x[0] / x[1], y[0] / y[1]) == (40000, 20000)
        assert tiff.pages[0].tags["ResolutionUnit"].value == 3


@pytest.mark.parametrize("name", ["a.tif", "a.png"])
def test_equal_pixels_give_equal_bytes(tmp_path: Path, name: str) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        if name.endswith("tif"):
            write_tiff(tmp_path / folder / name, ramp("uint16"), axes="YX", voxel_um=(0.3, 0.3))
        else:
            write_png(tmp_path / folder / name, ramp("uint16"), (0.3, 0.3))
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_large_array_is_written_as_bigtiff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cellsynth.io.tiff._PLAIN_TIFF_BYTES", 1000)
    write_tiff(tmp_path / "a.tif", ramp("uint16"), axes="YX", voxel_um=(0.3, 0.3))
    assert (tmp_path / "a.tif").read_bytes()[:4] == b"II+\0"
    assert read_header(tmp_path / "a.tif").voxel_um == (1.0, 0.3, 0.3)
    np.testing.assert_array_equal(read_pixels(tmp_path / "a.tif"), ramp("uint16"))


@pytest.mark.parametrize(
    ("unit", "size", "um"),
    [
        ("\u00b5m", 0.3, 0.3),
        ("nm", 300, 0.3),
        ("mm", 3e-4, 0.3),
        ("m", 3e-7, 0.3),
        ("pixel", 1, None),
        ("\u00b5m", 0, None),
    ],
)
def test_ome_sizes_are_converted_to_um(tmp_path: Path, unit: str, size: float, um: float | None) -> None:
    metadata = {"axes": "YX"} | {
        f"PhysicalSize{a}{s}": v for a, (s, v) in product("XY", [("", size), ("Unit", unit)])
    }
    tifffile.imwrite(tmp_path / "a.ome.tif", ramp("uint8"), ome=True, metadata=metadata)
    assert read_header(tmp_path / "a.ome.tif").voxel_um == (None if um is None else (1.0, um, um))


@pytest.mark.parametrize(
    ("unit", "per_unit", "um"),
    [
        ("um", 4, 0.25),
        ("micron", 4, 0.25),
        ("nm", 0.004, 0.25),
        ("mm", 4000, 0.25),
        ("inch", 72, None),
        ("pixel", 4, None),
        (None, 4, None),
    ],
)
def test_imagej_resolution_is_read_in_its_unit(
    tmp_path: Path, unit: str | None, per_unit: float, um: float | None
) -> None:
    metadata = {"axes": "ZYX", "spacing": 2.0} | ({"unit": unit} if unit else {})
    tifffile.imwrite(
        tmp_path / "a.tif",
        ramp("uint8", (5, *SHAPE)),
        imagej=True,
        resolution=(per_unit, per_unit),
        metadata=metadata,
    )
    header = read_header(tmp_path / "a.tif")
    assert header.axes == "ZYX"
    if um is None:
        assert header.voxel_um is None
    else:
        assert header.voxel_um is not None
        assert header.voxel_um[1:] == pytest.approx((um, um), rel=1e-5)


@pytest.mark.parametrize(
    ("resolution", "unit", "um"),
    [
        (72, "INCH", None),
        (96, "INCH", None),
        (300, "INCH", None),
        (28.35, "CENTIMETER", None),
        (118.11, "CENTIMETER", None),
        (1, "CENTIMETER", None),
        (40000, "CENTIMETER", 0.25),
        (101600, "INCH", 0.25),
        (40000, "NONE", None),
    ],
)
def test_plain_tiff_resolution_counts_only_where_it_is_no_print_size(
    tmp_path: Path, resolution: float, unit: str, um: float | None
) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif",
        ramp("uint8"),
        resolution=(resolution, resolution),
        resolutionunit=unit,
        metadata=None,
    )
    voxel_um = read_header(tmp_path / "a.tif").voxel_um
    assert voxel_um == (None if um is None else pytest.approx((1.0, um, um), rel=1e-5))


def test_colour_planes_and_colour_pixels_are_read_alike(tmp_path: Path) -> None:
    colour = ramp("uint8", (*SHAPE, 3))
    tifffile.imwrite(tmp_path / "pixels.tif", colour, photometric="rgb")
    tifffile.imwrite(
        tmp_path / "planes.tif", np.moveaxis(colour, 2, 0), photometric="rgb", planarconfig="separate"
    )
    for name in ("pixels.tif", "planes.tif"):
        assert read_header(tmp_path / name).axes == "YXS"
        np.testing.assert_array_equal(read_pixels(tmp_path / name), colour)


def test_channel_names_of_ome_are_known(tmp_path: Path) -> None:
    metadata = {"axes": "CYX", "Channel": {"Name": ["DAPI", "actin"]}}
    tifffile.imwrite(tmp_path / "a.tif", ramp("uint8", (2, *SHAPE)), ome=True, metadata=metadata)
    assert read_header(tmp_path / "a.tif").channel_names == ("DAPI", "actin")


def test_a_name_with_markup_stays_a_name(tmp_path: Path) -> None:
    write_tiff(tmp_path / "a.tif", ramp("uint8"), axes="YX", voxel_um=(0.3, 0.3), name='a"<b>&\u00b5')
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        assert tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]["Name"] == 'a"<b>&\u00b5'


@pytest.mark.parametrize("dtype", ["int16", "int64", "float64", "bool", "complex64"])
def test_types_that_would_be_cast_are_not_written(tmp_path: Path, dtype: str) -> None:
    with pytest.raises(TypeError, match=dtype):
        write_tiff(tmp_path / "a.tif", np.zeros(SHAPE, dtype), axes="YX")
    with pytest.raises(TypeError, match=dtype):
        write_png(tmp_path / "a.png", np.zeros(SHAPE, dtype))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("largest", "dtype"), [(0, "uint16"), (65535, "uint16"), (65536, "uint32"), (2**32 - 1, "uint32")]
)
def test_labels_take_the_smallest_type_that_holds_them(tmp_path: Path, largest: int, dtype: str) -> None:
    labels = np.zeros(SHAPE, np.int64)
    labels[3, 5] = largest
    write_labels(tmp_path / "a.tif", labels, voxel_um=(0.3, 0.3))
    read = read_pixels(tmp_path / "a.tif")
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, labels)


def test_labels_that_cannot_be_stored_are_refused() -> None:
    with pytest.raises(ValueError, match="go down to -1"):
        as_stored(np.full(SHAPE, -1))
    with pytest.raises(ValueError, match="4294967296"):
        as_stored(np.full(SHAPE, 2**32))
    with pytest.raises(TypeError):
        as_stored(np.zeros(SHAPE))


def test_an_image_larger_than_memory_is_refused_from_its_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tiff(tmp_path / "a.tif", ramp("uint16"), axes="YX")
    write_png(tmp_path / "a.png", ramp("uint16"))
    needed = 31 * 47 * (2 + 4)
    for name in ("a.tif", "a.png"):
        monkeypatch.setattr("cellsynth.io.memory.available_bytes", lambda: 2 * needed)
        read_pixels(tmp_path / name)
        monkeypatch.setattr("cellsynth.io.memory.available_bytes", lambda: 2 * needed - 1)
        with pytest.raises(InputError, match=rf"{name}.*31 x 47.*tiles"):
            read_pixels(tmp_path / name)


def test_formats_are_recognised_by_content(tmp_path: Path) -> None:
    write_png(tmp_path / "a.tif", ramp("uint8"))
    write_tiff(tmp_path / "b.png", ramp("uint8"), axes="YX")
    assert (kind_of(tmp_path / "a.tif"), kind_of(tmp_path / "b.png")) == ("png", "tiff")
    np.testing.assert_array_equal(read_pixels(tmp_path / "a.tif"), ramp("uint8"))
    np.testing.assert_array_equal(read_pixels(tmp_path / "b.png"), ramp("uint8"))


def test_a_damaged_tiff_gives_an_input_error_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_tiff(tmp_path / "a.tif", ramp("uint16"), axes="YX", voxel_um=(0.3, 0.3))
    tifffile.imwrite(tmp_path / "b.tif", ramp("uint16", (3, *SHAPE)), imagej=True, metadata={"axes": "ZYX"})
    rng = np.random.default_rng(1)
    for name in ("a.tif", "b.tif"):
        whole = np.frombuffer((tmp_path / name).read_bytes(), np.uint8)
        for _ in range(150):
            damaged = whole.copy()
            where = rng.integers(0, min(len(whole), 900), 4)
            damaged[where] = rng.integers(0, 256, 4)
            (tmp_path / "damaged.tif").write_bytes(damaged.tobytes())
            try:
                read_pixels(tmp_path / "damaged.tif")
            except InputError as error:
                assert "damaged.tif" in str(error)  # noqa: PT017 most damage is harmless
    assert not [record for record in caplog.records if record.name.startswith("tifffile")]


def test_a_damaged_png_gives_an_input_error_and_nothing_else(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", ramp("uint16"), (0.3, 0.3))
    whole = np.frombuffer((tmp_path / "a.png").read_bytes(), np.uint8)
    rng = np.random.default_rng(1)
    for _ in range(200):
        damaged = whole.copy()
        damaged[rng.integers(0, min(len(whole), 120), 2)] = rng.integers(0, 256, 2)
        (tmp_path / "damaged.png").write_bytes(damaged.tobytes())
        try:
            read_pixels(tmp_path / "damaged.png")
        except InputError as error:
            assert "damaged.png" in str(error)  # noqa: PT017 some damage is harmless
