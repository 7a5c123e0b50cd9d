"""The exceptions that a caller may want to catch.

All are `ValueError`, `OSError`, `ImportError` or `RuntimeError` as well, so code that knows nothing of this package
handles them too. Every message says what was wrong, what was seen, what is accepted, and the way out.
"""


class InputError(ValueError):
    """Data from outside (an image, a label file, a folder) cannot be used as it is."""


class RecipeError(ValueError):
    """A recipe, an override of it, or an option does not describe something that can be made."""


class OutputExistsError(FileExistsError):
    """An output folder holds something that would be overwritten; nothing was touched."""


class StorageError(OSError):
    """The output could not be written (disk full, no permission); what was finished before is valid."""


class MissingToolError(ImportError):
    """An optional tool, or the weights it runs on, is not here; the message says how to get it."""


class WorkerError(RuntimeError):
    """A worker process was killed, mostly for lack of memory; what was finished before is valid."""
