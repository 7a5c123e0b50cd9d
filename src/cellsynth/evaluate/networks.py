"""Networks as judges: where their weights come from."""

from pathlib import Path
from typing import Literal

from ..core.errors import InputError, MissingToolError
from ..core.optional import require_extra
from ..io.fetch import PublishedFile, cache_folder, fetch

WeightsFile = Path | Literal["fetch"] | None
"""A file; or the published one, which is downloaded the first time; or nothing, and then there is no score."""


def require_torch(what: str) -> None:
    """Say how to install PyTorch where it is not.

    Raises
    ------
    MissingToolError
        If it is not installed.
    """
    require_extra("learn", "torch", what)


def weights_path(weights: WeightsFile, published: PublishedFile, field: str) -> Path:
    """Path of the file that a config means.

    Parameters
    ----------
    field
        What the config calls it, for errors: `inception: weights`.

    Raises
    ------
    MissingToolError
        If the config names no file, or it cannot be fetched; says how to get it.
    """
    if weights is None:
        raise MissingToolError(
            f"{field} are not given, and none come with the package; name a file ({field}=FILE), or let the published "
            f"one be downloaded once ({field}=fetch): {published.url}, {published.licence}, kept in {cache_folder()}"
        )
    return fetch(published) if weights == "fetch" else weights


def version_of(file: Path) -> tuple[int, int]:
    """Size and time of change of a file.

    Raises
    ------
    InputError
        If there is none.
    """
    try:
        status = file.stat()
    except OSError as error:
        raise InputError(
            f"{file}: cannot be read ({error.strerror or error}); check that it exists and may be read"
        ) from error
    return status.st_size, status.st_mtime_ns
