"""The end of a comparison: notes, tables and sentences, shown and written."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from experiments.tables import Table


def publish(
    folder: Path,
    notes: Sequence[str],
    tables: Sequence[Table],
    sentences: Sequence[str],
    numbers: Mapping[str, Any],
    console: Console,
) -> None:
    """Print results, and write them as `results.md` and `results.json`.

    Args:
        folder: Folder of the two files.
        notes: What stands above the tables.
        tables: The tables.
        sentences: What stands below them.
        numbers: All numbers as plain data.
        console: Where to print.
    """
    for line in notes:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    for table in tables:
        console.print(table.to_rich())
    for line in sentences:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    parts = [_bullets(notes), *(table.to_markdown() for table in tables), _bullets(sentences)]
    (folder / "results.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    plain = to_plain({"notes": list(notes), **numbers})
    written = json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / "results.json").write_text(written + "\n", encoding="utf-8")
    console.print(f"written: {folder / 'results.md'}, {folder / 'results.json'}", soft_wrap=True, highlight=False)


def to_plain(value: Any) -> Any:
    """Return nested data as JSON has it: lists for tuples, None for NaN and infinity."""
    if isinstance(value, Mapping):
        return {key: to_plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
