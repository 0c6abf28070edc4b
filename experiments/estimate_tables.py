"""The tables of an estimated transfer matrix, beside the trained one where there is one."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analysis.table import Table
from experiments.affinity import Gains, find_interval
from experiments.agreement import Agreement, compare_estimates
from experiments.cells import format_interval
from experiments.results import publish
from experiments.statistics import Interval
from runtime.terminal import plain_console
from tasks import InputError

SEEN = "Own batches: those of the target that were drawn, as a share of those that were drawn when it trained alone."
NOTE = "Part of the dev loss that one step removes, with 95 % intervals over the batches; above 0 is a gain."


@dataclass(frozen=True)
class Trained:
    """The trained matrix.

    Args:
        differences: Difference from the task alone, by (set, task).
        seen: Share of the batches of the task's own that the set drew, of those that it drew alone, likewise.
    """

    differences: Mapping[tuple[str, str], Interval]
    seen: Mapping[tuple[str, str], float]


def read_trained(path: Path, tasks: Sequence[str]) -> Trained | None:
    """Return the trained matrix of some tasks; None where there is none.

    Raises:
        InputError: If the file is not one that this command wrote.
    """
    if not path.is_file():
        return None
    try:
        entries = {
            (entry["trained on"], entry["target"]): entry
            for entry in json.loads(path.read_text(encoding="utf-8"))["transfer"]
            if set(entry["trained on"].split("+")) <= set(tasks) and entry["interval"]["estimate"] is not None
        }
        found = {
            place: Interval(**{
                name: float("nan") if value is None else value for name, value in entry["interval"].items()
            })
            for place, entry in entries.items()
        }  # fmt: skip
        seen = {place: entry["own batches"] for place, entry in entries.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: not the results of experiments.transfer ({type(error).__name__}: {error}; expected those of this "
            "version, which --table-only writes anew)"
        ) from None
    unknown = [" and ".join(place) for place, share in seen.items() if share is None]
    if unknown:
        raise InputError(f"{path}: does not say how many batches were drawn of each task by the runs of {unknown[0]}")
    for name, target in (place for place, share in seen.items() if share == 0):
        raise InputError(
            f"{path}: the runs of {name} drew no batch of {target} (expected a budget and a schedule that reach it, or "
            "another --output, for the estimate alone)"
        )
    return Trained(found, seen) if found else None


def show(gains: Gains, steps: Mapping[str, int], trained: Trained | None, notes: Sequence[str], output: Path) -> None:
    """Print the tables, and write them as `estimate.md` and `estimate.json` into the output folder."""
    matrix = {
        (task, target): find_interval(gains.of_step(task, target)) for task in gains.tasks for target in gains.tasks
    }
    tables = [build_matrix(gains.tasks, matrix)]
    numbers: dict[str, Any] = {
        "gains": [
            {"step on": task, "target": target, "interval": vars(each), "verdict": judge(each)}
            for (task, target), each in matrix.items()
        ]
    }
    sentences = []
    if trained is not None:
        estimated = {
            (name, target): find_interval(
                gains.of_set(
                    {task: steps[task] for task in name.split("+")}, target, alone=1 / trained.seen[name, target]
                )
            )
            for name, target in trained.differences
        }
        agreement = compare_estimates(
            [each.estimate for each in estimated.values()], list(trained.differences.values())
        )
        tables.append(build_side_by_side(estimated, trained))
        sentences.append(agreement.sentence())
        numbers |= describe_agreement(estimated, trained, agreement)
    publish(output, notes, tables, sentences, numbers, plain_console(), name="estimate")


def describe_agreement(
    estimated: Mapping[tuple[str, str], Interval], trained: Trained, agreement: Agreement
) -> dict[str, Any]:
    """Return estimates, trained differences and their agreement as plain data."""
    entries = [
        {
            "trained on": name,
            "target": target,
            "own batches": trained.seen[name, target],
            "estimated": vars(each),
            "trained": vars(trained.differences[name, target]),
        }
        for (name, target), each in estimated.items()
    ]
    return {"beside_trained": entries, "agreement": agreement.as_dict()}


def judge(gain: Interval) -> str:
    """Say what a gain does."""
    if not gain.excludes_zero:
        return "cannot be told apart from 0"
    return "helps" if gain.low > 0 else "hurts"


def format_percent(interval: Interval) -> str:
    """Return a part and its interval in per cent.

    Example:
        >>> format_percent(Interval(0.00214, -0.000051, 0.0047))
        '+0.21 [-0.0051, +0.47]'
    """
    return f"{100 * interval.estimate:+.2g} [{100 * interval.low:+.2g}, {100 * interval.high:+.2g}]"


def build_matrix(tasks: Sequence[str], gains: Mapping[tuple[str, str], Interval]) -> Table:
    """Return the gain of each task by a step on each."""
    cells = [(task, *(format_percent(gains[task, target]) for target in tasks)) for task in tasks]
    return Table("Estimated gain by one step, % of the dev loss", ("step on", *tasks), tuple(cells), note=NOTE)


def build_side_by_side(estimated: Mapping[tuple[str, str], Interval], trained: Trained) -> Table:
    """Return estimated and trained differences from each task alone."""
    cells = []
    for (name, target), each in estimated.items():
        truth = trained.differences[name, target]
        agree = "yes" if np.sign(each.estimate) == np.sign(truth.estimate) else "no"
        seen = f"{trained.seen[name, target]:.0%}"
        cells.append((name, target, seen, format_percent(each), format_interval(truth), agree))
    columns = ("trained on", "target", "own batches", "estimated per step, %", "trained, score", "same sign")
    return Table("Difference from the task trained alone", columns, tuple(cells), num_text_columns=2, note=SEEN)
