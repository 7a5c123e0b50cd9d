"""YAML, read with care: plain values only, no key twice, no aliases."""

import re
from pathlib import Path
from typing import Any

import yaml

from ..core.errors import InputError
from .atomic import write_bytes

_LARGEST_BYTES = 1_000_000

# YAML 1.2 numbers such as 1e-3, which YAML 1.1 takes for text.
_FLOAT = re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)$")


class _Loader(yaml.SafeLoader):
    """Refuses aliases (a few lines of them can stand for gigabytes) and repeated keys."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.MarkedYAMLError(
                problem="aliases (*name) are not accepted; write the value out", problem_mark=mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: dict[Any, int] = {}
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str | int | float | bool | None):
                raise yaml.MarkedYAMLError(
                    problem="a key must be a single word", problem_mark=key_node.start_mark
                )
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"key {key!r} stands here again (first in line {seen[key]}); keep one",
                    problem_mark=key_node.start_mark,
                )
            seen[key] = key_node.start_mark.line + 1
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """Writes what `_Loader` reads back."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_text(self, text: str) -> Any:
        """Quote line breaks of Unicode, which PyYAML would fold into spaces."""
        style = '"' if any(c in text for c in "\x85\u2028\u2029") else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _Dumper.represent_text)
for _class in (_Loader, _Dumper):
    _class.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds one mapping.

    Raises
    ------
    InputError
        If the file is missing, too large, no valid YAML, or holds something else; names file and line.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check that it exists") from error
    return parse_yaml(data, str(path))


def parse_yaml(data: bytes | str, source: str = "text") -> dict[str, Any]:
    """Read YAML that holds one mapping; `source` names it in errors.

    Raises
    ------
    InputError
        See `read_yaml`.
    """
    if len(data) > _LARGEST_BYTES:
        raise InputError(
            f"{source}: has {len(data):,} bytes; a YAML file of up to {_LARGEST_BYTES:,} is accepted"
        )
    try:
        value = yaml.load(data, Loader=_Loader)  # noqa: S506 the loader is a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise InputError(f"{source}{line}: {error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(f"{source}: is no valid YAML ({reason})") from error
    if not isinstance(value, dict):
        kind = "nothing" if value is None else f"a {type(value).__name__}"
        raise InputError(f"{source}: holds {kind} where `key: value` lines are expected")
    return value


def to_yaml(data: dict[str, Any]) -> str:
    """Encode plain values, keys in their order, short lists on one line."""
    return yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100
    )


def write_yaml(path: Path, data: dict[str, Any]) -> None:
    """Write plain values as YAML.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    write_bytes(path, to_yaml(data).encode())
