"""How much of each task, or of those that share their rows, a training really drew."""

from collections.abc import Mapping

from datamodules import Batch


class DrawnExamples:
    """Counts the batches and examples of each stream over all processes, without asking the others.

    A batch's weight is its own rows · processes / rows of the global batch (see BatchRows), so one process knows the
    rows of all. Rank 0 always has a row of its own and is the one that saves and reports; a rank whose row only makes
    the step (weight 0) counts none.
    """

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, int]] = {}
        self._before_window: dict[str, dict[str, int]] = {}
        self._place = 0  # in the epoch, from the first batch of the window on

    def begin_window(self, batch_idx: int) -> None:
        """Note the count before the first batch of an accumulation window, given its number in the epoch."""
        self._before_window, self._place = self.as_dict(), batch_idx

    def add(self, batch: Batch, *, world_size: int) -> None:
        """Count a batch.

        Args:
            batch: This process's part of it.
            world_size: Number of processes.
        """
        count = self._counts.setdefault(batch.stream, {"batches": 0, "examples": 0})
        count["batches"] += 1
        self._place += 1
        if batch.weight > 0:
            count["examples"] += round(len(batch.rows) * world_size / batch.weight)

    def as_dict(self) -> dict[str, dict[str, int]]:
        """Return `{stream: {"batches": n, "examples": n}}`."""
        return {task: dict(count) for task, count in self._counts.items()}

    def until(self, place: int) -> dict[str, dict[str, int]]:
        """Return the count as it was at a place in the epoch: here, or before the window whose batches come again.

        Args:
            place: Batches of the epoch that a resumed training does not draw again.
        """
        return self._before_window if place < self._place else self.as_dict()

    def restore(self, counts: Mapping[str, Mapping[str, int]]) -> None:
        """Go on from what `as_dict` gave."""
        self._counts = {task: dict(count) for task, count in counts.items()}
