"""YAML is read with care."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellsynth.core.errors import InputError
from cellsynth.io.yaml import parse_yaml, read_yaml, to_yaml, write_yaml

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(), v, max_size=3), max_leaves=8
)


@given(data=st.dictionaries(st.text(), values, max_size=4))
def test_what_is_written_is_read_back(data: dict[str, object]) -> None:
    assert parse_yaml(to_yaml(data)) == data


@pytest.mark.parametrize(
    ("text", "value"), [("1e-3", 1e-3), ("1E5", 1e5), ("-2.5e+3", -2500.0), (".5e1", 5.0), ("1_e", "1_e")]
)
def test_numbers_with_an_exponent_are_numbers(text: str, value: object) -> None:
    assert parse_yaml(f"a: {text}") == {"a": value}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", r"line 3: key 'a' stands here again \(first in line 1\)"),
        ("a:\n  b: 1\n  b: 2\n", "line 3: key 'b'"),
        ("a: &x [1]\nb: *x\n", "line 2: aliases"),
        ("a: &x [1, 2]\nb: &y [*x, *x]\nc: [*y, *y]\n", "aliases"),
        ("- 1\n- 2\n", "holds a list"),
        ("just words", "holds a str"),
        ("", "holds nothing"),
        ("a: [1, 2", "line 1"),
        ("a: !!python/object/apply:os.system [ls]", "line 1"),
        ("a: b: c", "line 1"),
        ("? [1, 2]\n: 3", "single word"),
        ("\ta: 1", "line 1"),
        ("a: \x00", "YAML"),
        ("[" * 20_000, "YAML"),
        ("a: 2026-99-99", "YAML"),
        ("a: " + "x" * 1_000_001, "1,000,000"),
    ],
)
def test_bad_yaml_names_the_file_and_says_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "recipe.yaml").write_text(text)
    with pytest.raises(InputError, match=rf"recipe\.yaml.*{words}"):
        read_yaml(tmp_path / "recipe.yaml")


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"recipe\.yaml"):
        read_yaml(tmp_path / "recipe.yaml")


def test_keys_keep_their_order(tmp_path: Path) -> None:
    write_yaml(tmp_path / "a.yaml", {"b": 1, "a": [1, 2]})
    assert (tmp_path / "a.yaml").read_text() == "b: 1\na: [1, 2]\n"
    assert list(read_yaml(tmp_path / "a.yaml")) == ["b", "a"]
