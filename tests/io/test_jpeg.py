"""JPEG pictures: what is read of them, and what a damaged one gives."""

import imagecodecs
import numpy as np
import pytest

from cellsynth.core.errors import InputError
from cellsynth.data.grey_images import read_grey_images
from cellsynth.io.jpeg import is_jpeg, read_jpeg, read_jpeg_header


@pytest.fixture
def smooth():
    y, x = np.indices((131, 147))
    return (128 + 100 * np.sin(y / 17) * np.cos(x / 23)).astype(np.uint8)


def write(path, pixels, **options):
    path.write_bytes(imagecodecs.jpeg_encode(pixels, **options))
    return path


def test_pixels_come_back_but_for_what_compression_changes(tmp_path, smooth):
    path = write(tmp_path / "a.jpg", smooth, level=95)
    header = read_jpeg_header(path)
    assert (header.axes, header.shape, header.bits, header.is_lossy) == ("YX", (131, 147), 8, True)
    assert np.abs(read_jpeg(path).astype(int) - smooth).max() <= 3
    colours = np.stack([smooth, 255 - smooth, smooth // 2], -1)
    path = write(tmp_path / "b.jpg", colours, level=95)
    assert read_jpeg_header(path).channel_names == ("red", "green", "blue")
    assert read_jpeg(path).shape == colours.shape


def test_markers_may_have_fill_bytes_before_them(tmp_path, smooth):
    data = imagecodecs.jpeg_encode(smooth)
    at = data.index(b"\xff\xdb")
    (tmp_path / "a.jpg").write_bytes(data[:at] + b"\xff\xff" + data[at:])
    assert read_jpeg_header(tmp_path / "a.jpg").shape == smooth.shape
    assert np.array_equal(read_jpeg(tmp_path / "a.jpg"), imagecodecs.jpeg_decode(data))


@pytest.mark.parametrize("part", [0.001, 0.02, 0.5, 0.99])
def test_a_picture_that_ends_early_is_refused(tmp_path, smooth, part):
    data = imagecodecs.jpeg_encode(smooth, level=95)
    (tmp_path / "a.jpg").write_bytes(data[: max(int(part * len(data)), 4)])
    for read in (read_jpeg_header, read_jpeg):
        with pytest.raises(InputError, match=r"a.jpg: is a JPEG picture that ends early; it is damaged"):
            read(tmp_path / "a.jpg")


def test_other_kinds_are_refused_in_words(tmp_path, smooth):
    data = imagecodecs.jpeg_encode(smooth)
    frame = data.index(b"\xff\xc0")
    cases = {
        "of 12 bits": (frame + 4, 12),
        "of 4 channels, as for print": (frame + 9, 4),
        "has no marker at byte": (data.index(b"\xff\xdb"), 0),
    }
    for said, (at, value) in cases.items():
        changed = bytearray(data)
        changed[at] = value
        (tmp_path / "a.jpg").write_bytes(changed)
        with pytest.raises(InputError, match=said):
            read_jpeg_header(tmp_path / "a.jpg")


def test_it_is_taken_only_where_loss_does_no_harm(tmp_path, smooth):
    path = write(tmp_path / "a.png", smooth)  # whatever its name
    assert is_jpeg(path)
    assert not is_jpeg(tmp_path)
    assert read_grey_images(tmp_path, may_be_jpeg=True).load("a").shape == smooth.shape
    with pytest.raises(InputError, match="JPEG"):
        read_grey_images(tmp_path)
