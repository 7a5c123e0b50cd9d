"""Write the page of a benchmark."""

from pathlib import Path


def write_report(out: Path | str, *, quiet: bool = False) -> Path:
    """Write `report.html` of a finished benchmark again, from its tables and images.

    Parameters
    ----------
    out
        Folder of the benchmark.
    quiet
        Show no progress.
    """
    from ..report.page import write_page
    from ._progress import Progress

    page = write_page(Path(out))
    Progress(is_quiet=quiet).say(f"report: {page}")
    return page
