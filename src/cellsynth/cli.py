"""The commands: thin, made from the signatures and docstrings of the functions in `pipeline`."""

import argparse
import inspect
import logging
import os
import pkgutil
import re
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from . import __version__
from .core.errors import (
    InputError,
    MissingToolError,
    OutputExistsError,
    RecipeError,
    StorageError,
    WorkerError,
)

COMMANDS = {
    "benchmark": ("benchmark", "benchmark"),
    "calibrate": ("calibrate", "calibrate_images"),
    "synthesize": ("synthesize", "synthesize"),
    "segment": ("segment", "segment_images"),
    "evaluate": ("evaluate.labels", "evaluate_labels"),
    "evaluate-points": ("evaluate.points", "evaluate_points"),
    "evaluate-images": ("evaluate.images", "evaluate_images"),
    "evaluate-sets": ("evaluate.sets", "evaluate_sets"),
    "extract-mask": ("sample_mask", "extract_mask"),
    "extract-prototypes": ("prototypes", "cut_prototypes"),
    "threshold": ("threshold", "threshold_images"),
    "export": ("export", "export_labels"),
    "metrics": ("metrics", "show_metrics"),
    "spots": ("spots", "add_spots"),
    "composite": ("composite", "composite_images"),
    "report": ("report", "write_report"),
    "demo": ("demo", "demo"),
}
"""Command to (module in `pipeline`, function in it)."""

_HERE = Path(__file__).parent


def _kinds(folder: Path) -> list[str]:
    """What `registry.names()` of a plug-in folder lists, without importing anything."""
    found = (m.name for m in pkgutil.iter_modules([str(folder)]))
    return sorted(name for name in found if name != "base" and not name.startswith("_"))


def _segmenters() -> list[str]:
    return _kinds(_HERE / "segment")


def _metrics() -> list[str]:
    families = ("segmentation", "detection", "image_quality", "realism")
    return sorted({kind for family in families for kind in _kinds(_HERE / "evaluate" / family)})


def _recipes() -> list[str]:
    return sorted(path.stem for path in (_HERE / "recipes").glob("*.yaml"))


LISTED = {
    ("benchmark", "methods"): _segmenters,
    ("metrics", "name"): _metrics,
    ("segment", "method"): _segmenters,
    ("synthesize", "recipe"): _recipes,
}
"""(Command, parameter) to the names that its help lists."""

EXIT_CODES = """exit codes:
  0  done
  1  a fault of the program itself
  2  the command or the recipe is wrong
  3  the input cannot be used
  4  the output cannot be written, or would overwrite something
  5  memory ran out, or a worker process was killed
  130  interrupted; what was finished is valid, and --resume, where there is one, continues it
  143  ended by SIGTERM, as batch systems do; the same holds"""


_OVERRIDE = re.compile(r"[A-Za-z_][\w.]*=")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code."""
    given = _parse(arguments)
    function = given.pop("function")
    left = (
        "what was finished is valid, and --resume continues it"
        if "resume" in given
        else "nothing was written"
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("warning: %(message)s"))
    handler.addFilter(_Once())
    logger = logging.getLogger("cellsynth")
    logger.addHandler(handler)
    try:
        with _sigterm_like_ctrl_c():
            result = function(**given)
            sys.stdout.flush()
    except RecipeError as error:
        return _fail(error, 2)
    except MissingToolError as error:
        return _fail(error, 2)
    except InputError as error:
        return _fail(error, 3)
    except (OutputExistsError, StorageError) as error:
        return _fail(error, 4)
    except WorkerError as error:
        return _fail(error, 5)
    except MemoryError as error:
        return _fail(
            MemoryError(
                f"memory ran out ({error or 'no more could be had'}); use smaller images, fewer cells or fewer "
                f"--workers; {left}"
            ),
            5,
        )
    except BrokenPipeError:
        # Whoever read the output has seen enough (`| head`); the interpreter must not try to write the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except _Terminated:
        sys.stderr.write(f"\nterminated; {left}\n")
        return 143
    except KeyboardInterrupt:
        sys.stderr.write(f"\ninterrupted; {left}\n")
        return 130
    finally:
        logger.removeHandler(handler)
    if isinstance(result, Path):
        sys.stdout.write(f"{result}\n")
    return 0


class _Terminated(KeyboardInterrupt):
    """SIGTERM came."""


@contextmanager
def _sigterm_like_ctrl_c() -> Iterator[None]:
    """Stop workers and tidy up at SIGTERM, which by itself ends a process where it stands.

    Only in the main thread, which alone gets signals, and where no program that calls `main` deals with it.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def stop(*_: object) -> None:
        raise _Terminated

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


class _Once(logging.Filter):
    """Lets every message through once: a file that is read by several stages is complained about by each."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        is_new = text not in self._seen
        self._seen.add(text)
        return is_new


def _parse(arguments: Sequence[str] | None) -> dict[str, Any]:
    """Parameters of the function to call, and the function."""
    parser = _parser()
    namespace, rest = parser.parse_known_args(arguments)
    given = vars(namespace)
    # argparse takes a list of words in one place only; overrides may also stand behind options.
    unknown = [a for a in rest if "overrides" not in given or not _OVERRIDE.match(a)]
    if unknown:
        parameters = inspect.signature(given["function"]).parameters.values()
        options = [f"--{p.name.replace('_', '-')}" for p in parameters if p.kind is p.KEYWORD_ONLY]
        near = get_close_matches(unknown[0].partition("=")[0], options, n=1)
        hint = f"did you mean {near[0]}?" if near else "see `cellsynth COMMAND --help`"
        parser.error(f"not understood: {' '.join(unknown)}; {hint}")
    if rest:
        given["overrides"] = [*given["overrides"], *rest]
    return given


def _fail(error: Exception, code: int) -> int:
    sys.stderr.write(f"error: {error}\n")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cellsynth",
        description="Microscopy images of cells with perfect labels, to train and to judge cell segmentation.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"cellsynth {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, (module, function_name) in COMMANDS.items():
        function = getattr(import_module(f"cellsynth.pipeline.{module}"), function_name)
        _add_command(commands, name, function)
    return parser


def _add_command(commands: Any, name: str, function: Callable[..., Any]) -> None:
    summary, description, helps = _read_docstring(function)
    command = commands.add_parser(
        name,
        help=summary,
        description=f"{summary}\n\n{description}".strip(),
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for parameter in inspect.signature(function).parameters.values():
        text = helps[parameter.name]
        if (name, parameter.name) in LISTED:
            text = f"{text} There are: {', '.join(LISTED[name, parameter.name]())}."
        _add_parameter(command, parameter, text)
    command.set_defaults(function=function)


def _add_parameter(command: argparse.ArgumentParser, parameter: inspect.Parameter, text: str) -> None:
    name, default = parameter.name, parameter.default
    text = text.replace("%", "%%")
    if name == "overrides":
        command.add_argument(name, nargs="*", metavar="key=value", default=(), help=text)
        return
    if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
        is_optional = default is not inspect.Parameter.empty
        command.add_argument(
            name,
            metavar=name.upper(),
            type=Path,
            nargs="?" if is_optional else None,
            default=default,
            help=text,
        )
        return
    flag = f"--{name.replace('_', '-')}"
    kind, choices = _kind_of(parameter.annotation)
    if kind is bool:
        command.add_argument(flag, action="store_true", default=default, help=text)
        return
    if default not in (None, inspect.Parameter.empty):
        text = f"{text} Default: {default}."
    metavar = None if choices else {int: "N", float: "X", Path: "PATH"}.get(kind, "TEXT")
    command.add_argument(flag, type=kind, choices=choices, metavar=metavar, default=default, help=text)


def _kind_of(annotation: Any) -> tuple[Any, tuple[str, ...] | None]:
    """Type that the text of an option is turned into, and the words that are allowed."""
    members = [annotation]
    if get_origin(annotation) in (Union, types.UnionType):
        members = [a for a in get_args(annotation) if a is not type(None)]
    if get_origin(members[0]) is Literal:
        return str, tuple(str(a) for a in get_args(members[0]))
    return (Path if Path in members else members[0]), None


def _read_docstring(function: Callable[..., Any]) -> tuple[str, str, dict[str, str]]:
    """Summary, further text, and the text of each parameter of a NumPy-style docstring."""
    text = inspect.getdoc(function) or ""
    body, _, parameters = text.partition("\nParameters\n----------\n")
    summary, _, description = body.partition("\n")
    parameters = re.split(r"\n\w+\n-{4,}\n", parameters)[0]
    found: dict[str, str] = {}
    current = ""
    for line in parameters.splitlines():
        if line and not line[0].isspace():
            current = line.split(":")[0].strip()
            found[current] = ""
        elif current:
            found[current] = f"{found[current]} {line.strip()}".strip()
    return summary.strip(), description.strip(), found
