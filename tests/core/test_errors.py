"""Errors: code that knows nothing of this package catches them by the built-in classes."""

import pytest

from cellsynth.core import errors


@pytest.mark.parametrize(
    ("name", "parent"),
    [
        ("InputError", ValueError),
        ("RecipeError", ValueError),
        ("OutputExistsError", FileExistsError),
        ("StorageError", OSError),
        ("MissingToolError", ImportError),
        ("WorkerError", RuntimeError),
    ],
)
def test_error_is_the_built_in_one_it_promises(name, parent):
    error = getattr(errors, name)
    assert issubclass(error, parent)
    assert str(error("what was wrong; the way out")) == "what was wrong; the way out"
    assert error.__doc__
