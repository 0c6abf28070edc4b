"""How much of each task an evaluation really looked at."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from datamodules import TaskBatch

FLAGS = {"dev": "limit_val_batches", "test": "limit_test_batches"}


class EvaluatedExamples:
    """Counts the examples of each task that this process evaluates."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def clear(self) -> None:
        """Forget the previous evaluation."""
        self._counts.clear()

    def add(self, batch: TaskBatch) -> None:
        """Count a batch; a row of weight 0 counts for nothing (see EvaluationSampler)."""
        if batch.weight:
            self._counts[batch.task] = self._counts.get(batch.task, 0) + len(batch.rows)

    def find_part(self, sizes: Mapping[str, int], total: Callable[[Tensor], Tensor]) -> dict[str, list[int]]:
        """Return what was evaluated of each task and its size, `{task: [93, 1101]}`; call it on every process.

        Args:
            sizes: Examples of each task in the whole split.
            total: Sums a tensor over the processes.

        Returns:
            All tasks, where some but not all examples were evaluated; else nothing.
        """
        counts = total(torch.tensor([self._counts.get(task, 0) for task in sizes])).tolist()
        is_part = any(counts) and counts != list(sizes.values())
        return {task: [count, sizes[task]] for task, count in zip(sizes, counts, strict=True)} if is_part else {}


def describe_part(evaluated: Mapping[str, Sequence[int]], split: str) -> str:
    """Say what was evaluated, and what the mean is over where tasks are missing.

    Args:
        evaluated: As `find_part` gives it.
        split: `dev` or `test`.

    Example:
        >>> describe_part({"sst": [93, 1101], "sts": [0, 863]}, "dev")
        'on a part of dev (--trainer.limit_val_batches): sst 93 of 1,101, sts none; mean is over sst'
    """
    parts = [f"{task} {count:,} of {size:,}" if count else f"{task} none" for task, (count, size) in evaluated.items()]
    found = [task for task, (count, _) in evaluated.items() if count]
    rest = f"; mean is over {' and '.join(found)}" if len(found) < len(evaluated) else ""
    return f"on a part of {split} (--trainer.{FLAGS[split]}): {', '.join(parts)}{rest}"
