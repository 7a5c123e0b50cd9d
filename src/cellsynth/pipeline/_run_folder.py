"""The output folder of a run of several stages: refused where it would overwrite, continued where it can."""

import logging
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .. import __version__
from ..core.errors import InputError, OutputExistsError, RecipeError
from ..data.image_set import sha256_of
from ..io.atomic import make_folder, remove_leftovers, storage_error, write_bytes
from ..io.tables import plain, read_json, to_json, write_json

_log = logging.getLogger(__name__)

RUN = "run.json"

FILES = "files.json"
"""Checksum of every file of a finished run but these two and the page, which may be written again."""

_NOT_LISTED = frozenset({RUN, FILES, "report.html", "report.previous.html"})


def require_new(out: Path | str | None) -> Path | None:
    """The folder to make.

    Raises
    ------
    OutputExistsError
        If it holds anything.
    """
    if out is None:
        return None
    out = Path(out)
    if out.exists() and (out.is_file() or any(out.iterdir())):
        raise OutputExistsError(f"{out}: holds other data, and nothing is overwritten; choose another folder")
    return out


@contextmanager
def made_whole(folder: Path) -> Iterator[Path]:
    """Give a hidden folder that takes the place of `folder` when the block ends well; else nothing is left.

    It is made before the work, so that none is lost where nothing can be written. A kill leaves the hidden folder
    behind, which stands in nobody's way.

    Parameters
    ----------
    folder
        New or empty.

    Raises
    ------
    StorageError
        If it cannot be made.
    """
    make_folder(folder.parent)
    hidden = make_folder(folder.parent / f".cellsynth-{secrets.token_hex(8)}")
    try:
        yield hidden
        try:
            if folder.is_dir():
                folder.rmdir()  # else some systems do not rename
            hidden.rename(folder)
        except OSError as error:
            raise storage_error(folder, error) from error
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


class RunFolder:
    """A folder with a record of what is being made in it."""

    def __init__(self, path: Path, record: dict[str, Any], *, is_ours: bool = False) -> None:
        self.path = path
        self._record = record
        self._is_ours = is_ours

    @classmethod
    def open(
        cls, path: Path, settings: Mapping[str, Any], inputs: Mapping[str, str], *, is_resume: bool
    ) -> "RunFolder":
        """Begin a run, or continue one with the same settings and inputs.

        Raises
        ------
        OutputExistsError
            If the folder holds anything else, or a run that was not asked to be continued; nothing is touched.
        RecipeError
            If the run to continue had other settings or inputs; names them.
        """
        record = {
            "format": 1,
            "cellsynth_version": __version__,
            "is_finished": False,
            "settings": plain(dict(settings)),
            "inputs": dict(inputs),
        }
        begun = path / RUN
        if begun.exists():
            if not is_resume:
                raise OutputExistsError(
                    f"{path}: holds a run already; choose another folder, or pass --resume to continue it"
                )
            _check_same(path, read_json(begun), record)
        elif path.is_file() or (path.is_dir() and any(path.iterdir())):
            raise OutputExistsError(
                f"{path}: holds other data, and nothing is overwritten; choose a new or empty folder"
            )
        is_new = not path.exists()
        make_folder(path)
        remove_leftovers(path)
        folder = cls(path, record, is_ours=is_new)
        if not begun.exists():
            write_bytes(begun, to_json(record))
        return folder

    @contextmanager
    def left_only_with_results(self) -> Iterator[None]:
        """Where input or recipe turn out to be of no use before a stage has written anything, leave no folder.

        The record of such a run would only stand in the way of the next one, which has other input.
        """
        try:
            yield
        except (InputError, RecipeError):
            if not any(p.name != RUN for p in self.path.rglob("*") if not p.is_dir()):
                (self.path / RUN).unlink(missing_ok=True)
                if self._is_ours:
                    shutil.rmtree(self.path, ignore_errors=True)
            raise

    @property
    def is_finished(self) -> bool:
        """Whether all stages ended well."""
        return bool(read_json(self.path / RUN)["is_finished"])

    def finish(self) -> None:
        """Record that all stages ended well, and what they left."""
        write_json(self.path / FILES, {name: sha256_of(self.path / name) for name in self._names()})
        write_bytes(self.path / RUN, to_json({**self._record, "is_finished": True}))

    def damaged(self) -> list[str]:
        """Files of a finished run that are gone or not as they were written."""
        try:
            known = read_json(self.path / FILES)
        except InputError:
            return [FILES]
        there = set(self._names())
        return [n for n, sha256 in known.items() if n not in there or sha256_of(self.path / n) != sha256]

    def reopen(self, damaged: Sequence[str]) -> None:
        """Remove what is damaged, so that the stages make it again, and count as not finished."""
        _log.warning(
            "%s: %d files are damaged or gone, such as %s, and are made again",
            self.path,
            len(damaged),
            damaged[0],
        )
        for name in damaged:
            self.path.joinpath(name).unlink(missing_ok=True)
        write_bytes(self.path / RUN, to_json(self._record))

    def _names(self) -> list[str]:
        """Every file of the run; none that a file browser hid there."""
        paths = (p.relative_to(self.path) for p in self.path.rglob("*") if p.is_file())
        names = (p.as_posix() for p in paths if not any(part.startswith(".") for part in p.parts))
        return sorted(name for name in names if name not in _NOT_LISTED)

    def has(self, *parts: str) -> bool:
        """Tell whether a file is there; files are written whole, so then it is complete."""
        return self.path.joinpath(*parts).exists()

    def folder(self, *parts: str) -> Path:
        """Folder inside of this one, made where it is missing."""
        made = make_folder(self.path.joinpath(*parts))
        remove_leftovers(made)
        return made

    def write_json(self, name: str, data: Any) -> None:
        """Write a JSON file by its path inside of the folder."""
        make_folder((self.path / name).parent)
        write_json(self.path / name, data)


def _check_same(path: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    if old["cellsynth_version"] != new["cellsynth_version"]:
        raise RecipeError(
            f"{path}: was begun by cellsynth {old['cellsynth_version']} and this is {new['cellsynth_version']}; finish "
            "it with that version, or choose another folder"
        )
    changed = [
        f"{key} ({old['settings'].get(key)!r} then, {new['settings'].get(key)!r} now)"
        for key in sorted({*old["settings"], *new["settings"]})
        if old["settings"].get(key) != new["settings"].get(key)
    ]
    changed += [
        f"the file {key} (other content)"
        if key in old["inputs"] and key in new["inputs"]
        # One that is only in the new run was not there, or not asked for, in the old one.
        else f"the file {key} (only {'now' if key in new['inputs'] else 'then'})"
        for key in sorted({*old["inputs"], *new["inputs"]})
        if old["inputs"].get(key) != new["inputs"].get(key)
    ]
    if changed:
        more = f" and {len(changed) - 6} more" if len(changed) > 6 else ""
        raise RecipeError(
            f"{path}: --resume continues the same run, and this one differs in {', '.join(changed[:6])}{more}; repeat "
            "the same command, or choose another folder"
        )
