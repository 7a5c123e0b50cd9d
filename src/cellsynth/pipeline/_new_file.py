"""The file that a command writes: with the right extension, and in nobody's place."""

from pathlib import Path

from ..core.errors import OutputExistsError


def new_file(path: Path, suffixes: tuple[str, ...]) -> Path:
    """The file to write, with the first of `suffixes` behind where it has none of them.

    Raises
    ------
    OutputExistsError
        If it exists.
    """
    if path.suffix.lower() not in suffixes:
        path = path.with_name(path.name + suffixes[0])
    if path.exists():
        raise OutputExistsError(f"{path}: exists already, and nothing is overwritten; choose another name")
    return path
