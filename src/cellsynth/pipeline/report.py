"""Write the page of a benchmark."""

from pathlib import Path

PREVIOUS = "report.previous.html"
"""The page that showed more than can be shown now."""


def write_report(out: Path | str, *, quiet: bool = False) -> Path:
    """Write `report.html` of a finished benchmark again, from its tables and images.

    Your images are read again where they lay when the benchmark ran. If some are gone or changed, the page does
    without them, and the page that there was is kept as `report.previous.html`.

    Parameters
    ----------
    out
        Folder of the benchmark.
    quiet
        Show no progress.
    """
    from ..report.page import write_page
    from ._progress import Progress

    lost = _lost_images(Path(out))
    if lost:
        _keep_page(Path(out), lost)
    page = write_page(Path(out))
    Progress(is_quiet=quiet).say(f"report: {page}")
    return page


def _lost_images(run: Path) -> list[Path]:
    """Images and labels of the user that are no longer what the benchmark read."""
    from ..core.errors import InputError
    from ..data.image_set import sha256_of
    from ..report.run_folder import read_benchmark

    benchmark = read_benchmark(run)
    known = benchmark.record["inputs"]
    files = [("images", e.image) for e in benchmark.real.values()]
    files += [("labels", e.labels) for e in benchmark.real.values() if e.labels is not None]
    lost = []
    for kind, path in files:
        try:
            is_same = sha256_of(path) == known.get(f"{kind}/{path.name}")
        except InputError:
            is_same = False
        if not is_same:
            lost.append(path)
    return lost


def _keep_page(run: Path, lost: list[Path]) -> None:
    """Keep the first page, not one that was written without the images, and say what is missing."""
    import logging

    from ..io.atomic import write_bytes
    from ..report.page import PAGE

    page, previous = run / PAGE, run / PREVIOUS
    if page.is_file() and not previous.exists():
        write_bytes(previous, page.read_bytes())
    kept = f"; the page with them is {previous}" if previous.exists() else ""
    more = f" and {len(lost) - 4} more" if len(lost) > 4 else ""
    logging.getLogger(__name__).warning(
        "%d of your images and labels are gone or changed since the benchmark, and the page may not show them: %s%s%s",
        len(lost),
        ", ".join(str(path) for path in lost[:4]),
        more,
        kept,
    )
