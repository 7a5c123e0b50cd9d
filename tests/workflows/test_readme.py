"""What the front page shows runs as it stands there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from cellsynth.cli import COMMANDS, _parser

ROOT = Path(__file__).parents[2]
PAGES = [p for p in [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))] if p.is_file()]


def blocks(page: Path, language: str) -> list[str]:
    """Code blocks of a language; one that follows `<!-- not tested: WHY -->` is left out."""
    text = re.sub(r"<!-- not tested: [^>]+ -->\s*```.*?```", "", page.read_text(), flags=re.DOTALL)
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands(page: Path) -> list[str]:
    """Lines of console blocks that call cellsynth; a backslash continues a line."""
    found = []
    for language in ("console", "bash", "sh"):
        for block in blocks(page, language):
            for line in block.replace("\\\n", " ").splitlines():
                line = line.removeprefix("$ ").split(" #")[0].strip()
                if line.startswith("cellsynth "):
                    found.append(line)
    return found


def test_the_front_page_shows_python_and_commands():
    assert blocks(ROOT / "README.md", "python")
    assert commands(ROOT / "README.md")


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=lambda p: p.name)
def test_python_runs(page, tmp_path):
    code = "\n".join(blocks(page, "python"))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_commands_are_accepted_by_the_parser(page):
    for line in commands(page):
        words = shlex.split(line)[1:]
        if words == ["--help"]:
            continue
        assert words[0] in COMMANDS, line
        if "--help" not in words:
            _, rest = _parser().parse_known_args(words)
            assert all("=" in word and not word.startswith("-") for word in rest), line


def test_every_command_in_the_table_of_the_front_page_exists():
    table = re.findall(r"^\| `cellsynth ([^`]+)`", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert {row.split()[0] for row in table} >= set(COMMANDS) - {"demo"}
    for row in table:
        words = [word.strip("[]") for word in row.split()]
        _, rest = _parser().parse_known_args(words)
        assert all("=" in word for word in rest), row
