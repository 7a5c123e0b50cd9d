"""Weights of networks: what is read, and what is refused."""

import json
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cellsynth.core.errors import InputError, MissingToolError
from cellsynth.io import memory
from cellsynth.io.weights import match_weights, read_weights

ARRAYS = {
    "a.weight": np.arange(30, dtype=np.float32).reshape(2, 3, 5),
    "a.bias": np.array([0.5, -1], np.float32),
}
NESTED = {"net": {"Conv_0": {"kernel": ARRAYS["a.weight"], "bias": ARRAYS["a.bias"]}}}


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason='pip install "cellsynth[learn]"')


def assert_same(found, expected):
    assert list(found) == list(expected)
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name])


class Hostile:
    """Runs something when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return (Path.touch, (self.marker,))


def write_pickle(path, thing, protocol=3):
    path.write_bytes(pickle.dumps(thing, protocol))
    return path


def test_npz_is_read(tmp_path):
    np.savez(tmp_path / "plain.npz", **ARRAYS)
    np.savez_compressed(tmp_path / "small.npz", **ARRAYS)
    assert_same(read_weights(tmp_path / "plain.npz"), ARRAYS)
    assert_same(read_weights(tmp_path / "small.npz"), ARRAYS)


def test_safetensors_are_read(tmp_path):
    save = pytest.importorskip("safetensors.numpy", reason='pip install "cellsynth[learn]"').save_file
    for metadata in ({"from": "here"}, None):
        save(ARRAYS, tmp_path / "w", metadata=metadata)
        found = read_weights(tmp_path / "w")
        assert_same(dict(sorted(found.items())), dict(sorted(ARRAYS.items())))
    assert (tmp_path / "w").read_bytes()[:1] == b"\x80"  # a length of 128, and no pickle


@pytest.mark.parametrize("is_zip", [True, False])
def test_pth_is_read_whatever_its_name_and_age(tmp_path, torch, is_zip):
    tensors = {name: torch.from_numpy(array) for name, array in ARRAYS.items()}
    tensors["a.weight"] = torch.nn.Parameter(tensors["a.weight"])
    torch.save(tensors, tmp_path / "w.bin", _use_new_zipfile_serialization=is_zip)
    assert_same(read_weights(tmp_path / "w.bin"), ARRAYS)


def test_numbers_of_half_the_size_are_read(tmp_path, torch):
    torch.save(
        {"a": torch.tensor([1.5], dtype=torch.bfloat16), "b": torch.tensor([2.5], dtype=torch.float16)},
        tmp_path / "w",
    )
    found = match_weights(read_weights(tmp_path / "w"), {"a": (1,), "b": (1,)}, "w", "two")
    assert [(found[name].dtype, found[name][0]) for name in "ab"] == [("f4", 1.5), ("f4", 2.5)]


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_a_pickle_of_nested_arrays_is_read(tmp_path, protocol):
    nested = {**NESTED, "order": np.asfortranarray(ARRAYS["a.weight"]), "large": np.array([1, 2], ">i8")}
    if protocol == 5:  # another way to keep arrays, which published files do not use
        with pytest.raises(InputError, match="_frombuffer|instruction"):
            read_weights(write_pickle(tmp_path / "w", nested, protocol))
        return
    found = read_weights(write_pickle(tmp_path / "w", nested, protocol))
    assert_same(
        found,
        {
            "net.Conv_0.kernel": ARRAYS["a.weight"],
            "net.Conv_0.bias": ARRAYS["a.bias"],
            "order": ARRAYS["a.weight"],
            "large": np.array([1, 2]),
        },
    )


def test_no_pickle_runs_anything(tmp_path, torch):
    marker = tmp_path / "was_run"
    hostile = Hostile(marker)
    files = [write_pickle(tmp_path / f"p{n}", {"a": hostile}, n) for n in range(2, 6)]
    for is_zip in (True, False):
        torch.save({"a": hostile}, tmp_path / f"t{is_zip}.pth", _use_new_zipfile_serialization=is_zip)
        files.append(tmp_path / f"t{is_zip}.pth")
    np.savez(tmp_path / "o.npz", a=np.array([hostile], object))
    files.append(tmp_path / "o.npz")
    for file in files:
        with pytest.raises(InputError, match=file.name):
            read_weights(file)
    assert not marker.exists()
    pickle.loads((tmp_path / "p3").read_bytes())
    assert marker.exists()  # the test would have seen it


P = b"\x80\x03"
GET_ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n"
GET_CLASS = b"cnumpy\nndarray\n"
GET_TYPE = b"cnumpy\ndtype\n"


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


F4 = GET_TYPE + text("f4") + b"K\x00K\x01\x87R" + b"(K\x03" + text("<") + b"NNNtb"
EMPTY = GET_ARRAY + GET_CLASS + b"K\x00\x85" + b"C\x01b" + b"\x87R"


def array(shape=b"K\x01\x85", kind=F4, data=b"C\x04\0\0\0\0", state=None):
    return EMPTY + (state if state is not None else b"(K\x01" + shape + kind + b"\x89" + data + b"t") + b"b"


def named(value):
    return P + b"}" + text("a") + value + b"s."


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (P + b"cos\nsystem\n" + text("true") + b"\x85R.", "asks for os.system"),
        (P + b"cnumpy\nload\n" + text("x") + b"\x85R.", "asks for numpy.load"),
        (P + b"cbuiltins\neval\n" + text("1") + b"\x85R.", "asks for builtins.eval"),
        (P + b"cnumpy.core.multiarray\nfromfile\n.", "asks for numpy.core.multiarray.fromfile"),
        (P + b"(ios\nsystem\n.", "INST"),
        (P + b"\x82\x01.", "EXT1"),
        (P + b"Pfile\n.", "PERSID"),
        (P + GET_CLASS + b")\x81.", "NEWOBJ"),
        (P + GET_CLASS + b"}b.", "changes what it was lent"),
        (P + GET_ARRAY + b"N}" + text("__call__") + b"Ns\x86b.", "changes what it was lent"),
        (P + GET_TYPE + text("O8") + b"K\x00K\x01\x87R.", "'O8', not of numbers"),
        (P + GET_TYPE + text("V9") + b"\x85R.", "not of numbers"),
        (P + b"r\xff\xff\xff\x7f.", "more than 100000 instructions"),
        (P + b"N0" * 200_000 + b".", "POP"),
        (P + b"]" * 10, "EMPTY_LIST"),
        (named(text("no array")), "'a', which is no array"),
        (named(EMPTY), "'a', which is no array"),
        (named(array(shape=b"J\xff\xff\xff\x7f\x85")), "announces|has 4 bytes"),
        (named(array(shape=b"J\xff\xff\xff\xff\x85")), "unknown form"),
        (named(array(data=b"C\x02\0\0")), "has 2 bytes"),
        (named(array(kind=b"N")), "unknown form"),
        (named(array(state=b"N")), "unknown form"),
        (named(array(kind=GET_TYPE + text("f4") + b"\x85R(K\x03" + text("<") + b"N)Ntb")), "compound"),
        (named(GET_ARRAY + GET_TYPE + b"K\x00\x85C\x01b\x87R"), "subclass"),
        (P + b"}K\x01" + array() + b"s.", "no name"),
        (P + b"}" + text("n" * 300) + array() + b"s.", "no name"),
        (P + text("just text") + b".", "of a str"),
        (P + b"}.", "no array"),
        (P + b"\x86.", "cannot be read"),
        (P + b"}q\x01" + text("a") + b"h\x01s.", "nested too deep"),
        (b"\x80", "cannot be read"),
        (b"\x80\x03}X\xff\xff\xff\x7fa", "cannot be read"),
    ],
)
def test_a_pickle_of_anything_else_is_refused(tmp_path, data, reason):
    (tmp_path / "w.ckpt").write_bytes(data)
    with pytest.raises(InputError, match=reason):
        read_weights(tmp_path / "w.ckpt")


def test_a_pickle_that_holds_one_thing_many_times_is_not_walked_for_ever(tmp_path):
    nested = {"leaf": np.zeros(1, np.float32)}
    for _ in range(7):
        nested = {f"k{i}": nested for i in range(100)}
    with pytest.raises(InputError, match="more than 10000 entries"):
        read_weights(write_pickle(tmp_path / "w", nested))


def test_what_is_truncated_or_damaged_is_refused(tmp_path, torch):
    np.savez(tmp_path / "w.npz", **ARRAYS)
    torch.save({n: torch.from_numpy(a) for n, a in ARRAYS.items()}, tmp_path / "w.pth")
    torch.save(
        {n: torch.from_numpy(a) for n, a in ARRAYS.items()},
        tmp_path / "old.pth",
        _use_new_zipfile_serialization=False,
    )
    write_pickle(tmp_path / "w.ckpt", NESTED)
    from safetensors.numpy import save_file

    save_file(ARRAYS, tmp_path / "w.safetensors")
    for whole in sorted(tmp_path.iterdir()):
        data = whole.read_bytes()
        for n in (5, 20, len(data) // 3, len(data) // 2, len(data) - 3):
            cut = tmp_path / "cut"
            cut.write_bytes(data[:n])
            with pytest.raises(InputError, match="cut: "):
                read_weights(cut)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"GIF89a", "is no file of weights"),
        (struct.pack("<Q", 2**40) + b"{}", "is no file of weights"),
        (
            struct.pack("<Q", 90) + b'{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,4]}}'.ljust(94),
            "cannot be read",
        ),
    ],
)
def test_what_is_no_file_of_weights_is_named(tmp_path, data, reason):
    (tmp_path / "w.pth").write_bytes(data)
    with pytest.raises(InputError, match=reason):
        read_weights(tmp_path / "w.pth")


def test_a_missing_file_or_a_folder_is_named(tmp_path):
    for path in (tmp_path / "no.pth", tmp_path):
        with pytest.raises(InputError, match="check that it exists"):
            read_weights(path)


def test_safetensors_of_other_numbers_are_named(tmp_path):
    header = json.dumps({"a": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}).encode()
    (tmp_path / "w").write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 4)
    with pytest.raises(InputError, match="BF16; save them as float32"):
        read_weights(tmp_path / "w")


def test_an_npz_that_announces_more_than_it_has_is_refused_before_room_is_made(tmp_path):
    with zipfile.ZipFile(tmp_path / "w.npz", "w") as archive, archive.open("a.npy", "w") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<f4", "fortran_order": False, "shape": (10**12,)}
        )
    with pytest.raises(InputError, match="announces 4000000000"):
        read_weights(tmp_path / "w.npz")


def test_what_does_not_fit_into_memory_is_refused(tmp_path, monkeypatch, torch):
    torch.save(
        {"a": torch.zeros(1).expand(10**14)}, tmp_path / "wide.pth"
    )  # few bytes that say they are many
    with pytest.raises(InputError, match=r"needs 400,000\.0 GB"):
        read_weights(tmp_path / "wide.pth")
    np.savez_compressed(tmp_path / "bomb.npz", a=np.zeros(10**6, np.float32))
    monkeypatch.setattr(memory, "_of_machine", lambda: 4_000_000)
    with pytest.raises(InputError, match=r"0\.0 GB of memory"):
        read_weights(tmp_path / "bomb.npz")


def test_a_checkpoint_or_a_program_says_what_it_is(tmp_path, torch):
    torch.save({"state_dict": {"a": torch.zeros(1)}, "epoch": 3}, tmp_path / "c.pth")
    with pytest.raises(InputError, match="state_dict, epoch"):
        read_weights(tmp_path / "c.pth")
    torch.save([torch.zeros(1)], tmp_path / "l.pth")
    with pytest.raises(InputError, match="holds a list"):
        read_weights(tmp_path / "l.pth")
    with zipfile.ZipFile(tmp_path / "s.pt", "w") as archive:
        for name in ("s/data.pkl", "s/constants.pkl", "s/code/a.py"):
            archive.writestr(name, b"")
    with pytest.raises(InputError, match="TorchScript"):
        read_weights(tmp_path / "s.pt")
    with zipfile.ZipFile(tmp_path / "z.pth", "w") as archive:
        archive.writestr("readme.txt", b"")
    with pytest.raises(InputError, match="without weights \\(readme.txt\\)"):
        read_weights(tmp_path / "z.pth")


def test_missing_torch_says_how_to_install_it(tmp_path, monkeypatch):
    (tmp_path / "w.pth").write_bytes(bytes.fromhex("80028a0a6cfc9c46f9206aa85019") + b"\x2e")
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(MissingToolError, match=r'pip install "cellsynth\[learn\]"'):
        read_weights(tmp_path / "w.pth")


def test_names_and_shapes_must_be_those_of_the_network():
    expected = {"a.weight": (2, 3, 5), "a.bias": (2,)}
    found = match_weights({**ARRAYS, "b.count": np.array(1)}, expected, "w", "one layer", ignored=(".count",))
    assert list(found) == ["a.weight", "a.bias"]
    assert all(array.dtype == np.float32 for array in found.values())
    for given, reason in [
        (
            {"a.weight": ARRAYS["a.weight"]},
            r"w: these are not the weights of one layer: 1 of 2 arrays are missing \(a.bias\)",
        ),
        ({**ARRAYS, "z": np.ones(1)}, r"1 do not belong to it \(z\)"),
        ({**ARRAYS, "a.bias": np.ones(3)}, r"a.bias is \(3,\) and must be \(2,\)"),
        ({**ARRAYS, "a.bias": np.array([1, np.nan])}, r"NaN or infinite \(a.bias\)"),
        ({f"n{i}": np.ones(1) for i in range(9)}, "9 do not belong to it .*n3, and 5 more"),
    ]:
        with pytest.raises(InputError, match=reason):
            match_weights(given, expected, "w", "one layer")
