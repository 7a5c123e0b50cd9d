"""Folders of the Cell Tracking Challenge: which file is which frame, tracks, and writing both.

01_RES/mask000.tif              a result, one file per frame, with res_track.txt
01_GT/TRA/man_track000.tif      markers of all cells, with man_track.txt
01_GT/SEG/man_seg000.tif        outlines of a part of the cells, in a part of the frames
01_GT/SEG/man_seg_000_012.tif   the same of one plane of a volume

The number of the sequence has two digits; folders with one, as older tools write, are read as well.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ..core.errors import InputError, OutputExistsError
from ..core.types import Labels
from .atomic import make_folder, write_bytes
from .tiff import write_tiff

Side = Literal["result", "reference"]
"""What a method found, or what is true."""

LARGEST_ID = 2**16 - 1
"""Labels of the challenge have 16 bits."""

_SEQUENCE = re.compile(r"(\d{1,2})_(RES|GT|ST)")
_FILES = {
    "result": re.compile(r"mask(\d{3,})\.tif", re.IGNORECASE),
    "TRA": re.compile(r"man_track(\d{3,})\.tif", re.IGNORECASE),
    "SEG": re.compile(r"man_seg_?(\d{3,})(?:_(\d{3,}))?\.tif", re.IGNORECASE),
}


@dataclass(frozen=True)
class Track:
    """A line of a track file: one object from its first frame to its last."""

    id: int
    begin: int
    end: int
    parent: int = 0
    """Id of the object that it came from; 0 for none."""


def find_frames(folder: Path, side: Side) -> dict[str, Path] | None:
    """Files of a folder of the challenge by frame; None where it is no such folder.

    Parameters
    ----------
    folder
        `01_RES`, `01_GT`, `01_GT/TRA`, `01_GT/SEG` (`01_ST` like `01_GT`), or a folder of sequences that holds such.
        Of a folder that holds both, SEG is taken.
    side
        What to take from a folder of sequences: its results, or its references.

    Returns
    -------
    frames
        `t000`, or `t000_z012` for one plane of a volume, to its file; in a folder of sequences `01/t000`.

    Raises
    ------
    InputError
        If two files are the same frame, or two folders the same sequence.
    """
    folder = Path(folder)
    if not folder.is_dir():
        return None
    own = _frames_of(folder)
    if own:
        return own
    endings = ("RES",) if side == "result" else ("GT",)
    found: dict[str, Path] = {}
    numbers: dict[int, Path] = {}
    for inner in sorted(folder.iterdir()):
        match = _SEQUENCE.fullmatch(inner.name)
        frames = _frames_of(inner) if match and match[2] in endings and inner.is_dir() else {}
        if match is None or not frames:
            continue
        number = int(match[1])
        if number in numbers:
            raise InputError(
                f"{folder}: {numbers[number].name} and {inner.name} are both sequence {number}; keep one"
            )
        numbers[number] = inner
        found |= {f"{number:02d}/{name}": path for name, path in frames.items()}
    return found or None


def plane_of(name: str) -> tuple[str, int] | None:
    """Frame and plane of `t000_z012`; None for a whole frame."""
    frame, mark, plane = name.rpartition("_z")
    return (frame, int(plane)) if mark else None


def read_tracks(path: Path) -> tuple[Track, ...]:
    """Read `res_track.txt` or `man_track.txt`: a line `id begin end parent` for each object.

    Raises
    ------
    InputError
        If the file is missing, or a line is no track; names the line.
    """
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a track file ({error}); check that it exists") from error
    tracks = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        words = line.split()
        if len(words) != 4 or not all(word.isdecimal() for word in words):
            raise InputError(
                f"{path}, line {number}: {line.strip()!r} is no track; four whole numbers are needed: "
                "id, first frame, last frame, id of the parent or 0"
            )
        tracks.append(Track(*map(int, words)))
    _check_tracks(tracks, str(path))
    return tuple(tracks)


def write_ctc(
    folder: Path,
    frames: Sequence[Labels],
    *,
    side: Side,
    sequence: int = 1,
    tracks: Sequence[Track] | None = None,
) -> Path:
    """Write the frames of a sequence as the challenge expects them; gives the folder that was made.

    A result goes to `01_RES`; a reference to `01_GT/TRA` and `01_GT/SEG`, the same labels in both.

    Parameters
    ----------
    frames : (Y, X) or (Z, Y, X) each, all of one shape
        An object keeps its id from frame to frame; where frames are independent images, ids may repeat as they like
        if no frame between two that have an id is without it.
    sequence
        Its number, 0 to 99.
    tracks
        What the track file says; by default each id is a track without parent.

    Raises
    ------
    OutputExistsError
        If the folder of the sequence exists; nothing is touched.
    InputError
        If there is no frame, frames differ in shape, an id is negative or above 65,535, an id has gaps in time,
        or tracks do not fit the frames.
    StorageError
        If a file cannot be written.
    """
    _check_frames(frames, sequence)
    present = _tracks_of(frames)
    if tracks is None:
        tracks = present
    else:
        _check_tracks(tracks, "tracks")
        if {(t.id, t.begin, t.end) for t in tracks} != {(t.id, t.begin, t.end) for t in present}:
            raise InputError(
                f"tracks name {len(tracks)} objects and the frames hold {len(present)}, or their first and last "
                "frames differ; every id of the frames needs a track from its first frame to its last"
            )
    made = Path(folder) / f"{sequence:02d}_{'RES' if side == 'result' else 'GT'}"
    if made.exists():
        raise OutputExistsError(
            f"{made}: exists, and nothing is overwritten; choose another folder or sequence"
        )
    digits = 3 if len(frames) <= 1000 else 4
    places = {"mask": made} if side == "result" else {"man_track": made / "TRA", "man_seg": made / "SEG"}
    for stem, place in places.items():
        make_folder(place)
        for t, labels in enumerate(frames):
            path = place / f"{stem}{t:0{digits}d}.tif"
            # Not compressed: the software of the challenge reads little else.
            write_tiff(
                path,
                labels.astype(np.uint16),
                axes="ZYX"[-labels.ndim :],
                is_compressed=False,
                is_synced=False,
            )
    table = "".join(f"{t.id} {t.begin} {t.end} {t.parent}\n" for t in sorted(tracks, key=lambda t: t.id))
    # The track file comes last: a folder without it is not whole.
    name = made / "res_track.txt" if side == "result" else made / "TRA" / "man_track.txt"
    write_bytes(name, table.encode("ascii"))
    return made


def _frames_of(folder: Path) -> dict[str, Path]:
    """Frames of one sequence; empty where the folder holds none."""
    for inner, kind in ((folder / "SEG", "SEG"), (folder / "TRA", "TRA")):
        if inner.is_dir():
            return _files_of(inner, kind)
    for kind in _FILES:
        found = _files_of(folder, kind)
        if found:
            return found
    return {}


def _files_of(folder: Path, kind: str) -> dict[str, Path]:
    found: dict[tuple[int, int], Path] = {}
    for path in sorted(folder.iterdir()):
        match = _FILES[kind].fullmatch(path.name)
        if match is None:
            continue
        groups = match.groups()
        key = (int(groups[0]), int(groups[1]) if len(groups) > 1 and groups[1] else -1)
        if key in found:
            raise InputError(f"{folder}: {found[key].name} and {path.name} are both frame {key[0]}; keep one")
        found[key] = path
    return {f"t{t:03d}" + (f"_z{z:03d}" if z >= 0 else ""): found[t, z] for t, z in sorted(found)}


def _check_frames(frames: Sequence[Labels], sequence: int) -> None:
    if not 0 <= sequence <= 99:
        raise InputError(f"the number of the sequence is {sequence}; folders have two digits, so 0 to 99")
    if not len(frames):
        raise InputError("there is no frame; a sequence has one at least")
    for t, labels in enumerate(frames):
        if labels.dtype.kind not in "ui" or labels.ndim not in (2, 3) or labels.shape != frames[0].shape:
            raise InputError(
                f"frame {t} is {labels.dtype} of shape {labels.shape} and frame 0 of {frames[0].shape}; frames are "
                "integer labels, (Y, X) or (Z, Y, X), all of one shape"
            )
        low, high = int(labels.min(initial=0)), int(labels.max(initial=0))
        if low < 0 or high > LARGEST_ID:
            raise InputError(
                f"frame {t} has the id {low if low < 0 else high}; labels of the challenge have 16 bits, ids 0 to "
                f"{LARGEST_ID}, so number its objects anew from 1"
            )


def _tracks_of(frames: Sequence[Labels]) -> list[Track]:
    seen: dict[int, list[int]] = {}
    for t, labels in enumerate(frames):
        for i in np.unique(labels).tolist():
            if i:
                seen.setdefault(i, []).append(t)
    for i, times in seen.items():
        if times[-1] - times[0] + 1 != len(times):
            gap = next(t for t in range(times[0], times[-1]) if t not in times)
            raise InputError(
                f"id {i} is in frames {times[0]} to {times[-1]} but not in {gap}; a track has no gaps, so give its "
                "later part an id of its own, with the earlier one as parent"
            )
    return [Track(i, times[0], times[-1]) for i, times in sorted(seen.items())]


def _check_tracks(tracks: Sequence[Track], source: str) -> None:
    ids = {track.id for track in tracks}
    if len(ids) != len(tracks):
        raise InputError(f"{source}: an id has two tracks; each has one")
    for track in tracks:
        if not 0 < track.id <= LARGEST_ID or not 0 <= track.begin <= track.end:
            raise InputError(
                f"{source}: {track} is no track; ids are 1 to {LARGEST_ID}, and the last frame is not before the first"
            )
        if track.parent and track.parent not in ids:
            raise InputError(
                f"{source}: track {track.id} comes from {track.parent}, which is no track; write 0 for none"
            )
