"""Show and write the results of a comparison: notes, tables and sentences."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from analysis.json_file import write_json
from analysis.table import Table
from runtime.whole_files import replacing_text


def publish(
    folder: Path,
    notes: Sequence[str],
    tables: Sequence[Table],
    sentences: Sequence[str],
    numbers: Mapping[str, Any],
    console: Console,
    *,
    name: str = "results",
) -> None:
    """Print results, and write them as `results.md` and `results.json`.

    Args:
        folder: Folder of the two files.
        notes: Lines above the tables.
        tables: The tables.
        sentences: Lines below them.
        numbers: All numbers as plain data; undefined ones become null.
        console: Where to print.
        name: The two files' name without its ending.
    """
    for line in notes:
        console.print(line, soft_wrap=True)
    for table in tables:
        console.print(table.to_rich())
    for line in sentences:
        console.print(line, soft_wrap=True)
    parts = [_bullets(notes), *(table.to_markdown() for table in tables), _bullets(sentences)]
    page, data = folder / f"{name}.md", folder / f"{name}.json"
    with replacing_text(page) as file:
        file.write("\n\n".join(parts) + "\n")
    write_json(data, {"notes": notes, **numbers})
    console.print(f"written: {page}, {data}", soft_wrap=True)


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
