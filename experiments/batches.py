"""How many batches of each task a run has drawn."""

from collections.abc import Mapping, Sequence
from typing import Any


def count_batches(report: Mapping[str, Any], tasks: Sequence[str]) -> dict[str, int]:
    """Return how many batches of each task a run has drawn; a batch of tasks over the same rows is one of each.

    Args:
        report: What its `report.json` holds.
        tasks: Its tasks.

    Returns:
        By task; nothing where the report does not say it of all of them.
    """
    joint = {task: stream for stream, each in report.get("streams", {}).items() for task in each["tasks"]}
    drawn = report.get("drawn") or {}
    streams = {task: joint.get(task, task) for task in tasks}
    if set(drawn) != set(streams.values()):
        return {}
    return {task: int(drawn[stream]["batches"]) for task, stream in streams.items()}
