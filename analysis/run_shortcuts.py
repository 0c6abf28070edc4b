"""What a run learnt beyond shared words and single words, by task."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from analysis.json_file import write_json
from analysis.run import Run
from analysis.shortcut_model import Shortcut, measure_shortcut
from tasks import InputError, Split


def measure_shortcuts(run: Run, split: Split) -> dict[str, Shortcut | None]:
    """Measure the shortcut of each task that the run wrote predictions of; None where there is nothing to measure.

    Raises:
        InputError: If it wrote none for any task, or a file is missing or has changed since.
    """
    names = [name for name in run.tasks if run.has_predictions(name, split)]
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
    write_json(run.folder / "report.json", report)
