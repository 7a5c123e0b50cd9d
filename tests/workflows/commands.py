"""Run the command as a user would, and compare what it leaves."""

import os
import subprocess
import sys
from pathlib import Path

COMMAND = (sys.executable, "-m", "cellsynth")

ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "default"}


def cellsynth(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=ENVIRONMENT,
        timeout=240,
    )


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def assert_same(folder: Path, other: Path, apart_from: tuple[str, ...] = ()) -> None:
    """Both folders hold the same names, and the same bytes but for some of them."""
    a, b = files_in(folder), files_in(other)
    assert a.keys() == b.keys()
    assert {name for name in a if a[name] != b[name]} <= set(apart_from)


def assert_one_error(done: subprocess.CompletedProcess[str], code: int, *said: str) -> None:
    """The exit code, one message without a traceback, and what it must say."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("error: ") == 1
    for text in said:
        assert text in done.stderr
