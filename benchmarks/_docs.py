"""Tables of the docs, made from the lines that benchmarks and proofs print; never typed by hand.

A page holds a pair of comments, and the table between them is replaced:

    <!-- claims: draw -->
    <!-- /claims -->

The lines come from `docs/claims/draw.jsonl`, which `python -m benchmarks draw --save` writes.
"""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent.parent / "docs"
_MARKED = re.compile(r"(<!-- claims: ([\w-]+) -->\n).*?(<!-- /claims -->)", re.DOTALL)
_HEAD = (
    "| claim | value | reference | ratio | 95 % interval | target | met |\n|---|---|---|---|---|---|---|\n"
)


def keep_lines(name: str, lines: Iterable[str], docs: Path = DOCS) -> None:
    """Write the lines of one benchmark or proof to `docs/claims`."""
    folder = docs / "claims"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def rewrite_tables(docs: Path = DOCS) -> list[Path]:
    """Renew the marked tables of every page; returns the pages that changed."""
    changed = []
    for page in sorted(docs.rglob("*.md")):
        before = page.read_text(encoding="utf-8")
        after = with_tables(before, docs)
        if after != before:
            page.write_text(after, encoding="utf-8")
            changed.append(page)
    return changed


def with_tables(text: str, docs: Path = DOCS) -> str:
    """The page with its tables as the kept lines say; a table without lines says that it was not measured."""
    return _MARKED.sub(
        lambda match: match[1] + table_of(docs / "claims" / f"{match[2]}.jsonl") + match[3], text
    )


def table_of(path: Path) -> str:
    """Markdown of one file of lines."""
    if not path.exists():
        return f"Not measured yet: run it with `{path.stem} --save`.\n"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return _HEAD + "".join(f"| {' | '.join(_cells(row))} |\n" for row in rows)


def _cells(row: dict[str, Any]) -> list[str]:
    interval, target = row["interval"], row["target"]
    return [
        row["claim"].replace("|", "\\|"),
        _number(row["value"]),
        _number(row["reference"]),
        _number(row["ratio"]),
        _between(interval) if interval else "",
        _between(target) if isinstance(target, list) else _number(target),
        {True: "yes", False: "**no**", None: ""}[row["met"]],
    ]


def _between(ends: Sequence[float]) -> str:
    return f"{_number(ends[0])} to {_number(ends[1])}"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
