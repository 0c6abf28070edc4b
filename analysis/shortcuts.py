"""What a run learnt beyond shared words and single words: `python -m analysis.shortcuts RUN`."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from analysis.json_file import replace_undefined
from analysis.run import Run
from analysis.shortcut_model import Shortcut, measure_shortcut
from analysis.shortcut_tables import MISSING, build_tables
from runtime.arguments import Arguments
from runtime.command import command
from runtime.terminal import plain_console
from runtime.utf8 import use_utf8
from runtime.whole_files import replacing
from tasks import InputError, Split


def measure_shortcuts(run: Run, split: Split) -> dict[str, Shortcut | None]:
    """Measure the shortcut of each task that the run wrote predictions of; None where there is nothing to measure.

    Raises:
        InputError: If it wrote none for any task, or a file is missing or has changed since.
    """
    names = [name for name in run.tasks if (run.folder / "predictions" / f"{name}-{split}.csv").is_file()]
    if not names:
        raise InputError(f"{run.folder}: no {split} predictions (expected those of at least one task)")
    return {
        name: measure_shortcut(run.read_predictions(name, split, allow_partial=True), run.read_examples(name, "train"))
        for name in names
    }


def write_shortcuts(run: Run, split: Split, found: Mapping[str, Shortcut | None]) -> None:
    """Write the key `shortcuts` of a run's `report.json`; the rest of the file stays as it is."""
    plain: dict[str, Any] = {name: shortcut and asdict(shortcut) for name, shortcut in found.items()}
    report = {**run.report, "shortcuts": {"split": split, "tasks": plain}}
    with replacing(run.folder / "report.json") as file:
        file.write(f"{json.dumps(replace_undefined(report), indent=2, ensure_ascii=False)}\n".encode())


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the shortcuts of a run, show them as tables and write them into its `report.json`."""
    parser = Arguments("analysis.shortcuts", __doc__)
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a finished run")
    parser.add_argument("--split", choices=["dev", "test"], default="dev", help="which predictions (default dev)")
    options = parser.parse_args(arguments)
    run = Run(options.run)
    found = measure_shortcuts(run, options.split)
    console = plain_console()
    for name, shortcut in found.items():
        if shortcut is None:
            console.print(f"{name}: {MISSING}")
        for table in build_tables(shortcut, title=f"{name}: ") if shortcut else ():
            console.print(table.to_rich())
    write_shortcuts(run, options.split, found)


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
