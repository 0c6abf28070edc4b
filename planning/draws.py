"""What a training draws, batch by batch: taken from the sampler that the training takes it from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from backbones import StaticShape
from datamodules import MultitaskSampler

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Draws:
    """The batches of a training in order.

    Args:
        tasks: Names of the tasks.
        sizes: Rows of each task.
        task: Number of each batch's task, (batches,).
        epoch: Epoch of each batch, from 0, (batches,).
        examples: Examples of each batch over all processes, (batches,).
        tokens: Tokens of each batch, (batches,).
        filled: Tokens that are computed, those that fill a static shape up included, (batches,).
        padded: Tokens that a batch would have if all its sequences had the length of its longest, (batches,).
        unseen: Rows of each task that no batch has.
    """

    tasks: Sequence[str]
    sizes: Mapping[str, int]
    task: IntArray
    epoch: IntArray
    examples: IntArray
    tokens: IntArray
    filled: IntArray
    padded: IntArray
    unseen: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.task)

    def of(self, name: str) -> NDArray[np.bool_]:
        """Return which batches are those of a task, (batches,)."""
        chosen: NDArray[np.bool_] = self.task == self.tasks.index(name)
        return chosen


def draw(
    sampler: MultitaskSampler,
    lengths: Mapping[str, IntArray],
    batches: Sequence[int],
    shapes: Mapping[str, StaticShape],
    rows: Mapping[str, IntArray] | None = None,
) -> Draws:
    """Draw the batches of a training.

    Args:
        sampler: The sampler of all processes' rows.
        lengths: Tokens of each sequence of each row, by task, (rows, S).
        batches: Batches of each epoch.
        shapes: The shape that a task's batches are filled up to; none where a task has none.
        rows: Numbers of each task's rows that are drawn from, those with a label; None for all of them.
    """
    rows = rows or {name: np.arange(len(every)) for name, every in lengths.items()}
    numbers = {name: number for number, name in enumerate(lengths)}
    seen = {name: np.zeros(len(every), dtype=np.bool_) for name, every in lengths.items()}
    drawn: list[tuple[int, int, int, int, int, int]] = []
    for epoch, count in enumerate(batches):
        sampler.set_epoch(epoch)
        for batch in islice(sampler, count):
            sequences = lengths[batch.task][batch.rows]
            seen[batch.task][batch.rows] = True
            tokens, shape = int(sequences.sum()), shapes.get(batch.task)
            filled = tokens if shape is None else tokens + int(shape.fill(sequences.ravel()).sum())
            padded = sequences.size * int(sequences.max())
            drawn.append((numbers[batch.task], epoch, len(batch.rows), tokens, filled, padded))
    columns = np.array(drawn, dtype=np.int64).reshape(-1, 6).T
    return Draws(
        list(lengths),
        {name: len(chosen) for name, chosen in rows.items()},
        *columns,
        unseen={name: int((~seen[name][chosen]).sum()) for name, chosen in rows.items()},
    )
