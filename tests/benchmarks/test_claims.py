"""Claims and their tables: what a number has to meet, and that the docs show the lines that were kept."""

import json
import subprocess
import sys

import pytest

from benchmarks._claim import Claim
from benchmarks._docs import DOCS, keep_lines, rewrite_tables, with_tables
from benchmarks._measure import compare, interval_of_median, python, run


@pytest.mark.parametrize(
    ("claim", "met"),
    [
        (Claim("speed", 30.0, target=20), True),
        (Claim("speed", 10.0, target=20), False),
        (Claim("seconds", 0.2, target=0.3, direction="at most"), True),
        (Claim("seconds", 0.4, target=0.3, direction="at most"), False),
        (
            Claim("speed", 30.0, reference=10.0, ratio=3.0, target=20),
            False,
        ),  # the ratio is what has to meet it
        (Claim("coverage", 0.95, target=(0.93, 0.97)), True),
        (Claim("coverage", 0.98, target=(0.93, 0.97)), False),
        (Claim("speed", 30.0), None),
        (Claim("absent", None, target=20), None),
    ],
)
def test_a_claim_is_met_by_its_ratio_or_else_its_value(claim, met):
    assert claim.met is met


def test_a_line_has_every_key_in_order_and_no_nan():
    line = Claim("tau", float("nan"), interval=(0.123456789, 1.0)).measured_with(2.0, 3.0).to_json()
    assert list(json.loads(line)) == [
        "claim", "value", "interval", "reference", "ratio", "target", "met", "seconds", "peak_mb"
    ]  # fmt: skip
    assert json.loads(line)["value"] is None
    assert json.loads(line)["interval"] == [0.12346, 1.0]


def test_comparison_says_how_many_times_faster_ours_is():
    def work(n: int) -> int:
        return sum(range(n))

    compared = compare(lambda: work(10_000), lambda: work(100_000))
    assert compared.interval[0] <= compared.ratio <= compared.interval[1]
    assert 3 < compared.ratio < 40


def test_interval_of_equal_values_has_no_width():
    assert interval_of_median([2.0] * 7) == (2.0, 2.0)


def test_memory_of_a_process_counts_its_children():
    block = "import time; block = bytearray(60_000_000); time.sleep(0.4)"
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {block!r}]); {block}"
    assert 55 < run(python("-c", block)).peak_mb < 110
    both = (
        f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {block!r}]); {block}; p.wait()"
    )
    assert 115 < run(python("-c", both)).peak_mb < 200
    assert run(python("-c", nested)).peak_mb < 130


def test_a_command_that_fails_is_an_error_with_its_words():
    with pytest.raises(RuntimeError, match="no such luck"):
        run(python("-c", "raise SystemExit('no such luck')"))


def test_tables_are_made_from_the_kept_lines(tmp_path):
    keep_lines(
        "draw", [Claim("images per second", 1234.5, target=20, interval=(1.0, 2.0)).to_json()], tmp_path
    )
    page = tmp_path / "speed.md"
    page.write_text("Before\n\n<!-- claims: draw -->\nold\n<!-- /claims -->\n\nAfter\n")
    assert rewrite_tables(tmp_path) == [page]
    text = page.read_text()
    assert "| images per second | 1,234 |  |  | 1 to 2 | 20 | yes |" in text
    assert "old" not in text
    assert text.startswith("Before")
    assert text.endswith("After\n")
    assert rewrite_tables(tmp_path) == []


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda p: str(p.relative_to(DOCS)))
def test_no_table_of_the_docs_was_typed_by_hand(page):
    text = page.read_text(encoding="utf-8")
    assert with_tables(text) == text, "renew it: python -m benchmarks NAME --save"


@pytest.mark.parametrize("package", ["benchmarks", "proofs"])
def test_runner_lists_what_there_is_and_refuses_what_there_is_not(package):
    root = DOCS.parent
    command = [sys.executable, "-m", package]
    assert subprocess.run([*command, "--list"], cwd=root, capture_output=True, check=False).returncode == 0
    wrong = subprocess.run([*command, "no_such"], cwd=root, capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "there is no no_such" in wrong.stderr


def test_proof_without_its_data_says_so_and_claims_nothing(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "proofs", "main_job", "--data", str(tmp_path)],
        cwd=DOCS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "dsb2018" in done.stderr
    lines = done.stdout.splitlines()
    assert lines
    for line in lines:
        assert json.loads(line)["met"] is None
        assert json.loads(line)["value"] is None
