"""Packages that come with an extra."""

from importlib.util import find_spec

from .errors import MissingToolError


def require_extra(extra: str, module: str, what: str) -> None:
    """Check that `module` is installed, without importing it.

    Raises
    ------
    MissingToolError
        If it is not; holds the line that installs it.
    """
    if find_spec(module) is None:
        raise MissingToolError(
            f'{what} needs {module}, which is not installed; install it with: pip install "cellsynth[{extra}]"'
        )
