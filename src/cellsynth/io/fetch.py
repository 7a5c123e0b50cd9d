"""Fetch a published file by its checksum, when the user asks for it.

Nothing here runs by itself: a method fetches only where its config says so.
"""

import hashlib
import http.client
import logging
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from ..core.errors import InputError, MissingToolError
from .atomic import make_folder, replacing

_log = logging.getLogger(__name__)

_CHUNK_BYTES = 2**20
_TIMEOUT_S = 30


@dataclass(frozen=True)
class PublishedFile:
    """A file that somebody publishes, and how to know it."""

    url: str
    """Where it is. Without https only where the whole checksum is known."""

    sha256: str
    """Its checksum: 64 hexadecimal digits, or the first of them, at least 8, as PyTorch puts them into names."""

    max_bytes: int
    """A longer answer is refused before all of it is read."""

    licence: str
    """Of the file, with who gives it."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9a-f]{8,64}", self.sha256):
            raise ValueError(
                f"{self.url}: sha256 is {self.sha256!r}; needs 8 to 64 lower-case hexadecimal digits"
            )
        scheme = urlsplit(self.url).scheme
        if scheme != "https" and not (scheme == "http" and len(self.sha256) == 64):
            raise ValueError(f"{self.url}: needs https, or http with the whole checksum")

    @property
    def name(self) -> str:
        """Name in the cache: that of the address, with the beginning of the checksum where it has none."""
        stem = Path(urlsplit(self.url).path).name
        return stem if self.sha256[:8] in stem else f"{self.sha256[:8]}-{stem}"


def cache_folder() -> Path:
    """Folder for fetched files: `CELLSYNTH_CACHE`, or what the system has for such files."""
    if chosen := os.environ.get("CELLSYNTH_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "cellsynth"


def fetch(file: PublishedFile, folder: Path | None = None) -> Path:
    """Path of a published file: the fetched one where it is there and whole, else it is fetched now.

    The file appears under its name only when all of it is there and its checksum is right.

    Parameters
    ----------
    folder
        Where to keep it; by default `cache_folder()`.

    Raises
    ------
    MissingToolError
        If it is not here and cannot be fetched; says where to put it by hand.
    InputError
        If what the address gives is too long or is another file.
    StorageError
        If it cannot be written.
    """
    path = (folder or cache_folder()) / file.name
    if path.is_file():
        if _is_it(file, _sha256(path)):
            return path
        _log.warning("%s is damaged or another file, and is fetched anew", path)
    make_folder(path.parent)
    _log.info("fetching %s", file.url)
    digest = hashlib.sha256()
    with replacing(path) as out:
        for chunk in _chunks(file, path):
            digest.update(chunk)
            out.write(chunk)
        if not _is_it(file, digest.hexdigest()):
            raise InputError(
                f"{file.url}: has the checksum (SHA-256) {digest.hexdigest()} and not {file.sha256}, so it is another "
                f"file, and was not kept; get the right one from its authors and put it at {path}"
            )
    return path


def _chunks(file: PublishedFile, path: Path) -> Iterator[bytes]:
    """What the address gives, piece by piece, until it is too long."""
    try:
        with urlopen(Request(file.url), timeout=_TIMEOUT_S) as answer:  # noqa: S310 - the scheme was checked
            if file.url.startswith("https:") and not answer.url.startswith("https:"):
                raise InputError(f"{file.url}: leads to {answer.url}, which is not https; not fetched")
            length = answer.headers.get("Content-Length", "")
            n_announced, n_read = int(length) if length.isdigit() else 0, 0
            _check_length(file, n_announced)
            while chunk := answer.read(_CHUNK_BYTES):
                n_read += len(chunk)
                _check_length(file, n_read)
                yield chunk
    except HTTPError as error:
        error.close()  # it is the answer as well
        raise _not_fetched(file, path, f"the server answers {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise _not_fetched(file, path, str(error) or type(error).__name__) from error
    if n_read < n_announced:
        raise _not_fetched(file, path, f"the connection ended after {n_read} of {n_announced} bytes")


def _check_length(file: PublishedFile, n_bytes: int) -> None:
    if n_bytes > file.max_bytes:
        raise InputError(
            f"{file.url}: has {n_bytes} bytes or more, and at most {file.max_bytes} are expected; it is another file, "
            "and was not kept"
        )


def _not_fetched(file: PublishedFile, path: Path, reason: str) -> MissingToolError:
    return MissingToolError(
        f"{file.url}: is not here and could not be fetched ({reason}); fetch it where there is a network, and put it "
        f"at {path}"
    )


def _is_it(file: PublishedFile, digest: str) -> bool:
    return digest.startswith(file.sha256)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
