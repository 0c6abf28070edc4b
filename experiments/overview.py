"""The notes above a result table: data, backbone, length of training, versions, how scores were selected."""

import platform
from collections.abc import Callable, Sequence
from functools import partial

from analysis.plan import trains_in_turn
from analysis.run import Run
from experiments.systems import System
from runtime.counts import counted

SELECTION = (
    "Scores are of the final weights on the dev split: mean ± standard deviation over seeds. `best` is the validation "
    "with the best dev mean of each run; it was chosen on dev, so it is optimistic."
)
INTERVALS = (
    "Intervals cover 95 % and are from a paired bootstrap over dev rows (2,000 resamples) with the noise between runs; "
    "see docs/reading-the-results.md."
)


def describe(systems: Sequence[System]) -> list[str]:
    """Return the lines above the tables of finished runs.

    Args:
        systems: Systems that were scored on the same data, each with at least one run.
    """
    runs = [run for system in systems for run in system.runs]
    sizes = []
    for task in dict.fromkeys(task for run in runs for task in run.report["data"]):
        having = [system for system in systems if task in system.runs[0].report["data"]]
        sizes.append(f"{task} ({_say_each(having, partial(_rows, task=task))})")
    backbones = dict.fromkeys(str(run.report["backbone"]) for run in runs)
    versions: dict[str, dict[str, None]] = {}
    for run in runs:
        for name, version in run.report["versions"].items():
            versions.setdefault(name, {})[version] = None
    used = ", ".join(f"{name} {' or '.join(found)}" for name, found in versions.items())
    lines = [
        f"Data, rows: {'; '.join(sizes)}.",
        f"Backbone: {', '.join(backbones)}.",
        f"Training length: {_say_each(systems, _limit)}; steps taken: {_say_each(systems, _steps)}.",
        f"Versions: Python {platform.python_version()}, {used}.",
        SELECTION,
        INTERVALS,
    ]
    cut = [system.name for system in systems if _is_cut_off(system)]
    if cut:
        lines.append(
            f"Warning: {', '.join(cut)} train one task after the other, and a budget cuts off the later tasks. For a "
            "fair comparison limit the rows (--train_limit) and train whole epochs."
        )
    return lines


def is_limited(system: System) -> bool:
    """Whether steps or time may have ended the training before its epochs did."""
    return system.runs[0].config["trainer"]["max_steps"] > 0 or is_timed(system)


def is_timed(system: System) -> bool:
    """Whether the training had a limit in time."""
    return system.runs[0].config["trainer"]["max_time"] is not None


def _say_each(systems: Sequence[System], say: Callable[[Run], str]) -> str:
    """Describe each run: once if all are alike, else by system."""
    said = {system.name: " or ".join(dict.fromkeys(say(run) for run in system.runs)) for system in systems}
    if len(set(said.values())) == 1:
        return next(iter(said.values()))
    return ", ".join(f"{name} {words}" for name, words in said.items())


def _limit(run: Run) -> str:
    """Say what ended the training: epochs, steps or time, whichever of those that are set comes first."""
    trainer = run.config["trainer"]
    limits = []
    if (trainer["max_epochs"] or -1) > 0:
        limits.append(counted(trainer["max_epochs"], "epoch"))
    if trainer["max_steps"] > 0:
        limits.append(counted(trainer["max_steps"], "step"))
    if trainer["max_time"] is not None:
        limits.append(f"{trainer['max_time']} (days:hours:minutes:seconds)")
    return f"at most {' and '.join(limits)}" if len(limits) > 1 else "".join(limits) or "no limit"


def _rows(run: Run, task: str) -> str:
    return ", ".join(f"{split} {source['rows']:,}" for split, source in run.report["data"][task].items())


def _steps(run: Run) -> str:
    return f"{run.report['steps']:,}"


def _is_cut_off(system: System) -> bool:
    """Whether a training of one task after the other ends where a budget says."""
    return is_limited(system) and trains_in_turn(system.runs[0])
