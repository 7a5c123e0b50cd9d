"""Masks and prototypes out of pictures: the files that recipes take, and what is refused."""

import numpy as np
import pytest
import tifffile

from cellsynth.cli import main
from cellsynth.core.errors import InputError, OutputExistsError, RecipeError
from cellsynth.core.grid import Grid
from cellsynth.data.image_set import sha256_of
from cellsynth.data.manifest import read_manifest
from cellsynth.io.formats import read_header, read_pixels
from cellsynth.io.labels import write_labels
from cellsynth.io.png import write_png
from cellsynth.io.prototypes import read_prototypes
from cellsynth.io.tiff import write_tiff
from cellsynth.labels.regions.mask import Mask
from cellsynth.pipeline.prototypes import cut_prototypes
from cellsynth.pipeline.sample_mask import extract_mask
from cellsynth.pipeline.synthesize import synthesize
from tests.extract.test_instances import balls

VOXEL = (2.0, 0.5, 0.5)
CELLS = {
    "a": balls((41, 57), [((20, 18), 8), ((21, 40), 6), ((3, 50), 6), ((35, 5), 1.8)]),
    "b": balls((35, 61), [((14, 30), 9)]),
}


@pytest.fixture
def folders(tmp_path, key):
    """Images and labels of two pictures; `c` has no labels."""
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
    noise = key.generator()
    for name, labels in CELLS.items():
        grey = 200 + 800 * (labels > 0) + noise.integers(0, 50, labels.shape)
        write_tiff(
            tmp_path / "images" / f"{name}.tif", grey.astype(np.uint16), axes="YX", voxel_um=(0.5, 0.25)
        )
        write_labels(tmp_path / "labels" / f"{name}_labels.tif", labels)
    write_tiff(tmp_path / "images" / "c.tif", np.full((9, 11), 3, np.uint16), axes="YX", voxel_um=(0.5, 0.25))
    return tmp_path / "images", tmp_path / "labels"


def test_whole_cells_of_a_folder_become_prototypes(folders, tmp_path, capsys):
    path = cut_prototypes(*folders, tmp_path / "sub" / "bank", min_voxels=20)
    assert path == tmp_path / "sub" / "bank.npz"
    bank = read_prototypes(path)
    sizes = sorted(
        np.count_nonzero(labels == i) for labels, i in ((CELLS["a"], 1), (CELLS["a"], 2), (CELLS["b"], 1))
    )
    assert sorted(int(mask.sum()) for mask in bank.masks) == sizes
    assert bank.voxel_um.tolist() == [[0.5, 0.25]] * 3
    assert all(
        texture[mask].mean() == pytest.approx(1)
        for texture, mask in zip(bank.textures, bank.masks, strict=True)
    )
    said = capsys.readouterr().err
    assert (
        "3 prototypes of 5 labelled cells; 1 left out, as the border of the image cuts them; 1 left out, of fewer"
        in said
    )
    assert "than 20 voxels" in said
    sheet = read_pixels(tmp_path / "sub" / "bank.png")
    assert sheet.max() > 100


def test_one_volume_with_its_own_voxel_size(tmp_path):
    cells = balls((21, 31, 47), [((10, 15, 13), 8), ((10, 15, 34), 6)])
    write_tiff(tmp_path / "stack.tif", (cells > 0).astype(np.uint16) * 500 + 9, axes="ZYX")
    write_labels(tmp_path / "other.tif", cells)
    bank = read_prototypes(
        cut_prototypes(
            tmp_path / "stack.tif",
            tmp_path / "other.tif",
            tmp_path / "bank.npz",
            voxel_um="2,0.5,0.5",
            quiet=True,
        )
    )
    assert bank.voxel_um.tolist() == [list(VOXEL)] * 2
    assert (tmp_path / "bank.png").is_file()


def test_dark_cells_have_texture_where_it_is_said_that_they_are_dark(folders, tmp_path, caplog):
    images, labels = folders
    for name, cells in CELLS.items():
        grey = 900 - 500 * (cells > 0) + np.arange(cells.shape[1]) % 7
        write_tiff(images / f"{name}.tif", grey.astype(np.uint16), axes="YX")
    (images / "c.tif").unlink()
    bank = read_prototypes(cut_prototypes(images, labels, tmp_path / "flat", voxel_um="1", quiet=True))
    assert "not brighter than the background" in caplog.text
    assert all((texture == 1).all() for texture in bank.textures)
    bank = read_prototypes(
        cut_prototypes(images, labels, tmp_path / "dark", voxel_um="1", dark=True, quiet=True)
    )
    assert all(texture[mask].std() > 0 for texture, mask in zip(bank.textures, bank.masks, strict=True))


def test_without_a_voxel_size_lengths_are_in_pixels_and_it_is_said(tmp_path, caplog):
    write_png(tmp_path / "a.png", np.where(CELLS["b"] > 0, 200, 10).astype(np.uint8))
    write_labels(tmp_path / "a_labels.tif", CELLS["b"])
    bank = read_prototypes(
        cut_prototypes(tmp_path / "a.png", tmp_path / "a_labels.tif", tmp_path / "bank", quiet=True)
    )
    assert bank.voxel_um.tolist() == [[1.0, 1.0]]
    assert "no file says the size of a pixel" in caplog.text


def test_prototypes_are_refused_in_words(folders, tmp_path):
    images, labels = folders
    with pytest.raises(
        InputError, match=r"0 prototypes of 5 labelled cells.*fewer than 900 voxels; ask for fewer"
    ):
        cut_prototypes(images, labels, tmp_path / "bank", min_voxels=900, quiet=True)
    with pytest.raises(RecipeError, match="--min-voxels is 0"):
        cut_prototypes(images, labels, tmp_path / "bank", min_voxels=0)
    write_labels(labels / "z.tif", CELLS["a"])
    with pytest.raises(InputError, match="labels without an image: z"):
        cut_prototypes(images, labels, tmp_path / "bank", quiet=True)
    with pytest.raises(
        InputError, match=r"a_labels.tif: labels are \(41, 57\) and the image b.tif is \(35, 61\)"
    ):
        cut_prototypes(images / "b.tif", labels / "a_labels.tif", tmp_path / "bank", quiet=True)
    (labels / "z.tif").unlink()
    write_png(images / "b.png", np.zeros((35, 61), np.uint8))
    (images / "b.tif").unlink()
    with pytest.raises(InputError, match=r"b.png: every voxel has the same value \(0\)"):
        cut_prototypes(images, labels, tmp_path / "bank", voxel_um="1", quiet=True)
    with pytest.raises(InputError, match="others, such as b, have none"):
        cut_prototypes(images, labels, tmp_path / "bank", quiet=True)
    assert not any(p.name.startswith("bank") for p in tmp_path.iterdir())


def test_pictures_and_volumes_make_no_common_bank(tmp_path):
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
    for name, cells in (("a", CELLS["b"]), ("b", balls((11, 31, 35), [((5, 15, 17), 4)]))):
        axes = "ZYX"[-cells.ndim :]
        write_tiff(tmp_path / "images" / f"{name}.tif", cells.astype(np.uint16) * 99, axes=axes)
        write_labels(tmp_path / "labels" / f"{name}.tif", cells)
    with pytest.raises(
        InputError, match=r"b.tif: is 3D and those before are 2D; make a file of prototypes for each"
    ):
        cut_prototypes(tmp_path / "images", tmp_path / "labels", tmp_path / "bank", voxel_um="1", quiet=True)


def ball_stack(key):
    places = (np.indices((17, 61, 77)).T * VOXEL).T
    ball = sum((p - c) ** 2 for p, c in zip(places, (16, 15, 19), strict=True)) < 11**2
    return ball, (100 + 900 * ball + key.generator().integers(0, 90, ball.shape)).astype(np.uint16)


def test_a_mask_is_a_region_of_a_recipe(tmp_path, key, capsys):
    ball, stack = ball_stack(key)
    write_tiff(tmp_path / "stack.tif", stack, axes="ZYX", voxel_um=VOXEL)
    path = extract_mask(
        tmp_path / "stack.tif", tmp_path / "mask", smoothing_um="1", closing_um="3", method="otsu"
    )
    assert path == tmp_path / "mask.tif"
    assert read_header(path).voxel_um == VOXEL
    pixels = read_pixels(path)
    assert set(np.unique(pixels)) == {0, 255}
    assert (pixels > 0).sum() == pytest.approx(ball.sum(), rel=0.05)
    grid = Grid(shape_px=(17, 61, 77), voxel_um=VOXEL)
    depth = Mask(path=path).depth_um(np.array([[17.0, 15.0, 19.0], [1.0, 1.0, 1.0]]), grid, key)
    assert depth[0] > 8
    assert depth[1] < 0
    said = capsys.readouterr().err
    assert "um3; above" in said
    assert read_pixels(tmp_path / "mask.png").ndim == 3


def test_a_picture_without_scale_is_measured_in_pixels(tmp_path, key, caplog):
    _, stack = ball_stack(key)
    write_png(tmp_path / "a.png", stack[8])
    path = extract_mask(tmp_path / "a.png", tmp_path / "mask.tif", closing_um="4", quiet=True)
    assert "does not say the size of a pixel" in caplog.text
    assert read_header(path).voxel_um is None
    assert 0.2 < (read_pixels(path) > 0).mean() < 0.5


def test_masks_are_refused_in_words(tmp_path, key, caplog):
    _, stack = ball_stack(key)
    write_tiff(tmp_path / "stack.tif", stack, axes="ZYX", voxel_um=VOXEL)
    for options, error, said in (
        ({"closing_um": "-1"}, RecipeError, "--closing-um is -1; needs a number from 0 up"),
        ({"voxel_um": "1,2"}, InputError, "--voxel-um has 2 numbers and the image has 3 axes"),
        ({"opening_um": "40"}, InputError, r"stack.tif: nothing is left of the sample: .* threshold"),
    ):
        with pytest.raises(error, match=said):
            extract_mask(tmp_path / "stack.tif", tmp_path / "mask", **options)
    tifffile.imwrite(tmp_path / "flat.tif", np.full((31, 47), 5, np.uint8))
    with pytest.raises(InputError, match=r"flat.tif: every voxel has the same value \(5\)"):
        extract_mask(tmp_path / "flat.tif", tmp_path / "mask", quiet=True)
    with pytest.raises(InputError, match="holds 2 images; give one of them"):
        extract_mask(tmp_path, tmp_path / "mask", quiet=True)
    assert not list(tmp_path.glob("mask*"))
    (tmp_path / "mask.tif").write_text("mine")
    with pytest.raises(OutputExistsError, match=r"mask.tif: exists already"):
        extract_mask(tmp_path / "stack.tif", tmp_path / "mask", quiet=True)
    noise = key.generator().integers(0, 90, (131, 147)).astype(np.uint8)
    write_png(tmp_path / "noise.png", noise, (0.5, 0.5))
    extract_mask(tmp_path / "noise.png", tmp_path / "all", smoothing_um="0", opening_um="0", quiet=True)
    assert "the mask is the whole image" in caplog.text


def test_as_commands(folders, tmp_path, key, capsys):
    images, labels = folders
    arguments = ["extract-prototypes", str(images), str(labels), str(tmp_path / "bank")]
    assert main(arguments) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'bank.npz'}\n"
    assert main(arguments) == 4
    assert "nothing is overwritten" in capsys.readouterr().err
    _, stack = ball_stack(key)
    write_png(tmp_path / "rgb.png", np.stack([stack[8], stack[4], stack[5]], -1))
    arguments = ["extract-mask", str(tmp_path / "rgb.png"), str(tmp_path / "mask"), "--voxel-um=0.5"]
    assert main(arguments) == 3
    assert "has 3 channels (red, green, blue)" in capsys.readouterr().err
    assert main([*arguments, "--channel=red", "--closing-um=2"]) == 0
    assert main([*arguments[:2], str(tmp_path / "other"), "--opening-um=x"]) == 2


def test_a_dataset_knows_the_files_that_its_recipe_reads(folders, tmp_path):
    bank = cut_prototypes(*folders, tmp_path / "bank", min_voxels=20, quiet=True)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        f"""
        n_samples: 1
        grid: {{shape_px: [64, 80], voxel_um: [0.5, 0.25]}}
        labels: {{kind: cells, n_cells: 3, populations: [{{shape: {{kind: prototypes, path: {bank}}}}}]}}
        """
    )
    synthesize(str(recipe), str(tmp_path / "out"), workers=1, quiet=True)
    assert read_manifest(tmp_path / "out").inputs == {str(bank): sha256_of(bank)}
    cut_prototypes(*folders, tmp_path / "other", min_voxels=1, quiet=True)
    (tmp_path / "other.npz").replace(bank)
    with pytest.raises(RecipeError, match="differs in input .*bank.npz"):
        synthesize(str(recipe), str(tmp_path / "out"), workers=1, quiet=True, resume=True)
