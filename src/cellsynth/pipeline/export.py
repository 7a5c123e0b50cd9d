"""Write labels for the software of the Cell Tracking Challenge."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ..core.types import Labels


def export_labels(
    labels: Path | str,
    out: Path | str,
    *,
    side: Literal["result", "reference"] = "result",
    sequence: int = 1,
    tracked: bool = False,
    quiet: bool = False,
) -> Path:
    """Write label images as a sequence of the Cell Tracking Challenge, with its track file.

    Image after image becomes a frame, in the order of their names. A result goes to OUT/01_RES; a reference to
    OUT/01_GT/TRA and OUT/01_GT/SEG. Evaluate reads these folders.

    Parameters
    ----------
    labels
        Folder of label images or volumes (PNG, TIFF) of one shape, one of them, a dataset folder, or a folder of the
        challenge.
    out
        Folder to write into; the folder of the sequence must not exist.
    side
        Whether these are results or references.
    sequence
        Its number, 0 to 99.
    tracked
        The same id in several frames is the same object. Without it every frame is an image of its own, and its
        objects are numbered anew.
    quiet
        Show no progress.
    """
    from ..core.errors import RecipeError
    from ..data.label_set import read_labels
    from ..io.ctc import write_ctc
    from ._progress import Progress

    if not 0 <= sequence <= 99:
        raise RecipeError(f"--sequence is {sequence}; folders of the challenge have two digits, so 0 to 99")
    found = read_labels(Path(labels), side=side)
    progress = Progress(is_quiet=quiet)
    frames = [found.load(name, keeps_ids=tracked) for name in progress.track(found.names, "read", len(found))]
    if not tracked:
        frames = _numbered_apart(frames)
    return write_ctc(Path(out), frames, side=side, sequence=sequence)


def _numbered_apart(frames: "list[Labels]") -> "list[Labels]":
    """Ids of every frame above those of the frames before."""
    import numpy as np

    numbered, largest = [], 0
    for frame in frames:
        numbered.append(np.where(frame > 0, frame.astype(np.int64) + largest, 0))
        largest = max(largest, int(numbered[-1].max(initial=0)))
    return numbered
