"""Folders of the Cell Tracking Challenge: what is read, what is written, and what is refused."""

import numpy as np
import pytest
import tifffile

from cellsynth.core.errors import InputError, OutputExistsError
from cellsynth.io.ctc import Track, find_frames, plane_of, read_tracks, write_ctc

FRAMES = [np.zeros((7, 11), np.int32) for _ in range(3)]
FRAMES[0][1:3, 1:4] = 1
FRAMES[1][1:3, 2:5], FRAMES[1][4:6, 6:9] = 1, 300
FRAMES[2][4:6, 7:10] = 300
VOLUME = np.stack(FRAMES[:2])


def test_a_result_is_written_as_the_challenge_wants_it(tmp_path):
    made = write_ctc(tmp_path, FRAMES, side="result", sequence=2)
    assert made == tmp_path / "02_RES"
    assert sorted(p.name for p in made.iterdir()) == [
        "mask000.tif",
        "mask001.tif",
        "mask002.tif",
        "res_track.txt",
    ]
    assert (made / "res_track.txt").read_text() == "1 0 1 0\n300 1 2 0\n"
    for t, labels in enumerate(FRAMES):
        with tifffile.TiffFile(made / f"mask{t:03d}.tif") as tiff:
            assert tiff.pages[0].compression == tifffile.COMPRESSION.NONE
            pixels = tiff.asarray()
        assert pixels.dtype == np.uint16
        np.testing.assert_array_equal(pixels, labels)


def test_a_reference_has_markers_and_outlines(tmp_path):
    made = write_ctc(
        tmp_path, [VOLUME], side="reference", tracks=[Track(1, 0, 0), Track(300, 0, 0, parent=1)]
    )
    assert (made / "TRA" / "man_track.txt").read_text() == "1 0 0 0\n300 0 0 1\n"
    np.testing.assert_array_equal(tifffile.imread(made / "SEG" / "man_seg000.tif"), VOLUME)
    np.testing.assert_array_equal(tifffile.imread(made / "TRA" / "man_track000.tif"), VOLUME)
    assert read_tracks(made / "TRA" / "man_track.txt") == (Track(1, 0, 0), Track(300, 0, 0, 1))


def test_frames_are_found_in_every_folder_of_a_sequence(tmp_path):
    result = write_ctc(tmp_path, FRAMES, side="result")
    reference = write_ctc(tmp_path, FRAMES, side="reference")
    names = ["t000", "t001", "t002"]
    assert list(find_frames(result, "result")) == names
    assert find_frames(reference, "reference") == find_frames(reference / "SEG", "reference")
    assert find_frames(reference / "TRA", "reference")["t001"].name == "man_track001.tif"
    assert list(find_frames(tmp_path, "result")) == [f"01/{n}" for n in names]
    assert find_frames(tmp_path, "result")["01/t000"].parent == result
    assert find_frames(tmp_path, "reference")["01/t000"].parent == reference / "SEG"


def test_old_folders_with_one_digit_are_read(tmp_path):
    write_ctc(tmp_path, FRAMES, side="result").rename(tmp_path / "1_RES")
    assert list(find_frames(tmp_path, "result")) == ["01/t000", "01/t001", "01/t002"]
    write_ctc(tmp_path, FRAMES, side="result")
    with pytest.raises(InputError, match="01_RES and 1_RES are both sequence 1"):
        find_frames(tmp_path, "result")


def test_planes_of_volumes_and_four_digits_have_names(tmp_path):
    folder = tmp_path / "SEG"
    folder.mkdir()
    for name in ("man_seg_000_012.tif", "man_seg_000_003.tif", "man_seg1000.tif"):
        tifffile.imwrite(folder / name, FRAMES[0].astype(np.uint16))
    found = find_frames(folder, "reference")
    assert list(found) == ["t000_z003", "t000_z012", "t1000"]
    assert plane_of("01/t000_z012") == ("01/t000", 12)
    assert plane_of("t1000") is None


def test_other_folders_are_none_of_the_challenge(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", FRAMES[0].astype(np.uint16))
    assert find_frames(tmp_path, "result") is None
    assert find_frames(tmp_path / "a.tif", "result") is None
    assert find_frames(tmp_path / "absent", "result") is None


def test_a_frame_that_is_there_twice_is_an_error(tmp_path):
    for name in ("mask000.tif", "mask0000.tif"):
        tifffile.imwrite(tmp_path / name, FRAMES[0].astype(np.uint16))
    with pytest.raises(InputError, match=r"mask000.tif and mask0000.tif|mask0000.tif and mask000.tif"):
        find_frames(tmp_path, "result")


def test_nothing_is_overwritten(tmp_path):
    write_ctc(tmp_path, FRAMES, side="result")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with pytest.raises(OutputExistsError, match="nothing is overwritten"):
        write_ctc(tmp_path, FRAMES[:1], side="result")
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_a_thousand_frames_have_four_digits(tmp_path):
    made = write_ctc(tmp_path, [np.ones((1, 1), np.uint8)] * 1001, side="result")
    assert (made / "mask1000.tif").is_file()
    assert (made / "mask0000.tif").is_file()


EMPTY = np.zeros((7, 11), np.int32)


@pytest.mark.parametrize(
    ("frames", "options", "message"),
    [
        ([], {}, "there is no frame"),
        ([FRAMES[0], FRAMES[1][:-1]], {}, r"frame 1 is int32 of shape \(6, 11\)"),
        ([FRAMES[0] * 1.0], {}, "float64"),
        ([FRAMES[0], -FRAMES[0]], {}, "frame 1 has the id -1"),
        ([FRAMES[0] * 65_536], {}, "id 65536; labels of the challenge have 16 bits"),
        ([FRAMES[0], EMPTY, FRAMES[0]], {}, "id 1 is in frames 0 to 2 but not in 1"),
        (FRAMES, {"sequence": 100}, "two digits"),
        (FRAMES, {"tracks": [Track(1, 0, 1)]}, "tracks name 1 objects and the frames hold 2"),
        (FRAMES, {"tracks": [Track(1, 0, 2), Track(300, 1, 2)]}, "first and last frames differ"),
        (FRAMES, {"tracks": [Track(1, 0, 1), Track(300, 1, 2, 7)]}, "300 comes from 7, which is no track"),
        (FRAMES, {"tracks": [Track(1, 0, 1), Track(1, 1, 2)]}, "an id has two tracks"),
    ],
)
def test_what_the_challenge_cannot_hold_is_refused_and_nothing_is_written(tmp_path, frames, options, message):
    with pytest.raises(InputError, match=message):
        write_ctc(tmp_path, frames, side="result", **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 0 1\n", "line 1: '1 0 1' is no track"),
        ("1 0 1 0\n\n2 a 1 0\n", "line 3"),
        ("1 0 1 0\n2 3 1 0\n", "not before the first"),
        ("70000 0 1 0\n", "ids are 1 to 65535"),
        ("1 -2 1 0\n", "is no track"),
    ],
)
def test_a_line_that_is_no_track_is_named(tmp_path, text, message):
    path = tmp_path / "res_track.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_tracks(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_tracks(tmp_path / "absent.txt")
