"""Registry: the file name of a method is its name in a recipe."""

import pkgutil
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from pydantic import BeforeValidator, SerializeAsAny

from .config import Config, suggestion
from .errors import RecipeError

T = TypeVar("T", bound=Config)
C = TypeVar("C", bound=Config)


class Registry(Generic[T]):
    """The methods of one plug-in folder, found by file name and imported when asked for.

    A folder's `base.py` makes one: `registry = Registry("cellsynth.labels", "label generator")`.
    """

    def __init__(self, package: str, what: str) -> None:
        self.package = package
        self.what = what
        self._classes: dict[str, type[T]] = {}

    def register(self, cls: type[C]) -> type[C]:
        """Class decorator; the class must be named `kind` after its file."""
        stem = cls.__module__.removeprefix(f"{self.package}.").split(".")[0]
        kind = cls.model_fields["kind"].default
        if kind != stem:
            raise TypeError(f"{cls.__qualname__}.kind is {kind!r} but its file is {stem!r}")
        self._classes[stem] = cast("type[T]", cls)
        return cls

    def names(self) -> list[str]:
        """Every kind there is, without importing any of them.

        A folder with a `base.py` is no kind, but holds the kinds of something that the methods here are made of.
        """
        path = import_module(self.package).__path__
        found = pkgutil.iter_modules(path)
        return sorted(
            m.name
            for m in found
            if m.name != "base" and not m.name.startswith("_") and not (m.ispkg and _has_base(path, m.name))
        )

    def get(self, kind: str) -> type[T]:
        """Class of `kind`.

        Raises
        ------
        RecipeError
            If there is no such kind; suggests the nearest.
        """
        if kind not in self._classes:
            names = self.names()
            if kind not in names:
                raise RecipeError(f"no {self.what} is called {kind!r}; {suggestion(kind, names)}")
            import_module(f"{self.package}.{kind}")
        return self._classes[kind]

    def parse(self, data: Any) -> T:
        """Config of a dictionary with a `kind`, of a bare kind, or of a config (returned as it is)."""
        if isinstance(data, Config):
            return data  # type: ignore[return-value]
        if isinstance(data, str):
            data = {"kind": data}
        if not isinstance(data, dict) or "kind" not in data:
            raise RecipeError(f"a {self.what} needs a kind; known: {', '.join(self.names())}")
        return self.get(str(data["kind"])).parse(data, source=str(data["kind"]))

    def field(self) -> Any:
        """Annotation metadata for a recipe field: `Annotated[AbstractThing, *registry.field()]`."""
        # pydantic shows type checkers an alias in place of the class.
        return (BeforeValidator(self.parse), SerializeAsAny())  # pyright: ignore[reportCallIssue]

    def optional_field(self) -> Any:
        """The same where there may be none: `Annotated[AbstractThing | None, *registry.optional_field()]`."""

        def parse(data: Any) -> T | None:
            return None if data is None else self.parse(data)

        return (BeforeValidator(parse), SerializeAsAny())  # pyright: ignore[reportCallIssue]


def _has_base(folders: Iterable[str], name: str) -> bool:
    return any((Path(folder) / name / "base.py").exists() for folder in folders)


class Plugin(Config):
    """Base of every method that a registry holds; `kind` is the file name."""

    kind: str
    """Name of the method; the same as its file."""

    @classmethod
    def headline(cls) -> str:
        """First line of the class's docstring."""
        return (cls.__doc__ or "").strip().splitlines()[0]
