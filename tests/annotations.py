"""Check the array annotations of the package while its tests run: shapes, axes that must agree, dtypes.

jaxtyping wraps every function of the named packages as they are imported, and beartype does the checking. In use
neither is there, so annotations cost nothing.
"""

import inspect
from collections.abc import Callable
from typing import Any

import numba
from beartype import BeartypeConf, beartype
from jaxtyping import install_import_hook

_CONF = BeartypeConf(is_pep484_tower=True)  # an int may stand for a float


def check_annotations(*packages: str) -> None:
    """Check calls within `packages` from now on; call it before any of them is imported."""
    for name in ("njit", "jit", "vectorize", "guvectorize"):
        setattr(numba, name, _unwrapping(getattr(numba, name)))
    install_import_hook(list(packages), "tests.annotations.checked")


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap one function, unless its annotations make sense only inside of its class."""
    if "typing.Self" in {str(hint) for hint in function.__annotations__.values()}:
        return function
    return beartype(conf=_CONF)(function)


def _unwrapping(compiler: Callable[..., Any]) -> Callable[..., Any]:
    """Make a numba decorator compile the function that was wrapped; it cannot compile the wrapper."""

    def decorate(*args: Any, **options: Any) -> Any:
        if args and inspect.isfunction(args[0]):
            return compiler(inspect.unwrap(args[0]), *args[1:], **options)
        return lambda function: compiler(*args, **options)(inspect.unwrap(function))

    return decorate
