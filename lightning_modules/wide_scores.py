"""Tasks whose squared errors outweigh the losses of the other tasks."""

import logging
from collections.abc import Iterator, Mapping

from lightning.pytorch.utilities import rank_zero_only
from torch import nn

from heads import ScoreOutput
from tasks import Task

log = logging.getLogger(__name__)
USUAL_EXTENT = 5  # of STS-B's scores, whose squared errors train well beside the losses of classes


def describe_wide_scores(tasks: Mapping[str, Task], heads: nn.ModuleDict) -> Iterator[str]:
    """Say which tasks' squared errors count much more than the other tasks' losses, and which weight mends that.

    Squares grow with the square of the range: beside a rating from 0 to 100, classes are hardly learnt.

    Args:
        tasks: The tasks that are trained together; of a single one nothing is said.
        heads: Their heads.
    """
    if len(tasks) < 2:
        return
    for name, task in tasks.items():
        output = heads[name].output
        if not isinstance(output, ScoreOutput) or output.criterion != "mse" or output.correlation == 1:
            continue
        extent = output.high - output.low
        weight = (USUAL_EXTENT / extent) ** 2
        if task.weight > weight and extent > USUAL_EXTENT:
            yield (
                f"task {name}: the squared error of scores from {output.low:g} to {output.high:g} outweighs the other "
                f"tasks' losses (--tasks.{name}.weight {weight:.2g} makes it that of scores from 0 to {USUAL_EXTENT})"
            )


def report_wide_scores(tasks: Mapping[str, Task], heads: nn.ModuleDict) -> None:
    """Print what `describe_wide_scores` says."""
    for line in describe_wide_scores(tasks, heads):
        rank_zero_only(log.info)("%s", line)
