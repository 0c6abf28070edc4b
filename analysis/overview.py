"""What stands above a result table: data, backbone, length of training, versions, how scores were selected."""

import platform
from collections.abc import Sequence

from analysis.budget import Budget
from analysis.comparison import System

SELECTION = (
    "Scores are of the final weights on the dev split: mean ± standard deviation over seeds. `best` is the validation "
    "with the best dev mean of each run; dev chose it, so that it is too good."
)
INTERVALS = (
    "Intervals cover 95 % and are from a paired bootstrap over dev rows and runs (2,000 resamples); see "
    "docs/reading-the-results.md."
)


def describe(systems: Sequence[System], budget: Budget | None) -> list[str]:
    """Give the lines above the tables of finished runs.

    Args:
        systems: Systems that read the same data, each with at least one run.
        budget: The limit on each training; None where the configurations' epochs decide.
    """
    runs = [run for system in systems for run in system.runs]
    sizes: dict[str, str] = {}
    for run in runs:
        for task, splits in run.report["data"].items():
            rows = ", ".join(f"{split} {source['rows']:,}" for split, source in splits.items())
            sizes.setdefault(task, f"{task} ({rows})")
    backbones = dict.fromkeys(str(run.report["backbone"]) for run in runs)
    versions = {name: version for run in runs for name, version in run.report["versions"].items()}
    used = ", ".join(f"{name} {version}" for name, version in versions.items())
    lines = [
        f"Data, rows: {'; '.join(sizes.values())}.",
        f"Backbone: {', '.join(backbones)}.",
        f"Length of a training: {budget or 'the epochs of its configuration'}; {_steps(systems)}.",
        f"Versions: Python {platform.python_version()}, {used}.",
        SELECTION,
        INTERVALS,
    ]
    cut = [system.name for system in systems if budget and _is_sequential(system)]
    if cut:
        lines.append(
            f"Attention: {', '.join(cut)} train one task after the other, and a budget cuts off the later tasks. For a "
            "fair comparison limit the rows (--train_limit) and train whole epochs."
        )
    return lines


def _steps(systems: Sequence[System]) -> str:
    counts = {system.name: sorted({int(run.report["steps"]) for run in system.runs}) for system in systems}
    if len({tuple(found) for found in counts.values()}) == 1:
        return f"{' or '.join(map(str, next(iter(counts.values()))))} steps"
    return "steps: " + ", ".join(f"{name} {' or '.join(map(str, found))}" for name, found in counts.items())


def _is_sequential(system: System) -> bool:
    schedule = system.runs[0].config["data"]["schedule"] or {}
    return len(system.metrics) > 1 and str(schedule.get("class_path", "")).endswith(".Sequential")
