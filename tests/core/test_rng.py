"""Keys: equal paths give equal numbers, different paths independent ones, in any process."""

import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cellsynth.core.rng import Key

parts = st.lists(st.one_of(st.integers(-5, 5), st.text(max_size=3)), max_size=4)


def test_equal_paths_give_equal_numbers_whatever_was_drawn_before():
    root = Key.from_seed(3)
    root.generator().random(1000)
    assert np.array_equal(
        root.child("labels", 3).generator().random(5),
        Key.from_seed(3).child("labels", 3).generator().random(5),
    )


def test_child_of_two_parts_is_the_child_of_the_child():
    assert Key.from_seed(0).child("labels", 3) == Key.from_seed(0).child("labels").child(3)


@given(parts, parts)
def test_different_paths_give_different_keys(first, second):
    root = Key.from_seed(0)
    is_same = [(type(p), p) for p in first] == [(type(p), p) for p in second]
    assert (root.child(*first) == root.child(*second)) == is_same


def test_a_number_and_its_text_are_different_parts():
    root = Key.from_seed(0)
    assert root.child(1) != root.child("1")


def test_streams_of_neighbouring_samples_are_uncorrelated(key):
    streams = np.array([key.child("sample", i).generator().standard_normal(2000) for i in range(40)])
    correlation = np.corrcoef(streams)[np.triu_indices(40, k=1)]
    # 780 pairs of independent streams: standard deviation 1/sqrt(2000), largest of them below 5 of those.
    assert np.abs(correlation).max() < 5 / np.sqrt(2000)
    assert abs(np.sqrt(2000) * correlation.std() - 1) < 0.1


def test_first_numbers_of_many_streams_are_uniform(key):
    first = np.array([key.child(i).generator().random() for i in range(4000)])
    counts = np.histogram(first, bins=20, range=(0, 1))[0]
    assert ((counts - 200) ** 2 / 200).sum() < 43.8  # chi-squared, 19 degrees of freedom, p = 0.001


def test_negative_and_huge_seeds_are_accepted():
    seeds = [-1, 0, 1, 2**64, 2**64 + 1, 10**40]
    assert len({Key.from_seed(seed) for seed in seeds}) == len(seeds)


def test_another_process_draws_the_same_numbers(key):
    code = (
        "from cellsynth.core.rng import Key\n"
        "key = Key.from_seed(7).child('labels', 3)\n"
        "print(key.uint64(), repr(float(key.generator().random())))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    child = key.child("labels", 3)
    assert done.stdout.split() == [str(child.uint64()), repr(float(child.generator().random()))]


def test_numpy_integers_are_integers():
    # The index of a loop over an array must not name another stream than the index of a loop over a range.
    root = Key.from_seed(np.int64(7))
    assert root.child(np.int64(3), np.uint8(4)) == Key.from_seed(7).child(3, 4)


def test_numbers_do_not_change_between_versions(key):
    # Results of recipes rest on these: to change them is to break every recipe's promise of equal bytes.
    assert key.uint64() == 11760647657260436714
    assert key.generator().random(2).tolist() == [0.9944915099425963, 0.5014534060446723]
