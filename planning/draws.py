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
        tasks: Names of the streams: tasks, or those that share their rows.
        sizes: Rows of each.
        task: Number of each batch's stream, (batches,).
        epoch: Epoch of each batch, from 0, (batches,).
        examples: Examples of each batch over all processes, (batches,).
        tokens: Tokens of each batch, (batches,).
        filled: Tokens that are computed, those that fill a static shape up included, (batches,).
        padded: Tokens that a batch would have if all its sequences had the length of its longest, (batches,).
        unseen: Rows of each stream that no batch has.
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
    lengths: Mapping[str, Sequence[IntArray]],
    batches: Sequence[int],
    shapes: Mapping[str, Sequence[StaticShape]],
    rows: Mapping[str, IntArray] | None = None,
) -> Draws:
    """Draw the batches of a training.

    Args:
        sampler: The sampler of all processes' rows.
        lengths: Tokens of each sequence of each row, (rows, S) for each encoding, by stream.
        batches: Batches of each epoch.
        shapes: The shape that a stream's batches are filled up to in each encoding; none where it has none.
        rows: Numbers of each stream's rows that are drawn from, those with a label; None for all of them.
    """
    rows = rows or {name: np.arange(len(every[0])) for name, every in lengths.items()}
    numbers = {name: number for number, name in enumerate(lengths)}
    seen = {name: np.zeros(len(every[0]), dtype=np.bool_) for name, every in lengths.items()}
    drawn: list[tuple[int, int, int, int, int, int]] = []
    for epoch, count in enumerate(batches):
        sampler.set_epoch(epoch)
        for batch in islice(sampler, count):
            sequences = [every[batch.rows] for every in lengths[batch.stream]]
            seen[batch.stream][batch.rows] = True
            tokens = sum(int(each.sum()) for each in sequences)
            filling = zip(shapes.get(batch.stream, ()), sequences, strict=False)
            filled = tokens + sum(int(shape.fill(each.ravel()).sum()) for shape, each in filling)
            padded = sum(each.size * int(each.max()) for each in sequences)
            drawn.append((numbers[batch.stream], epoch, len(batch.rows), tokens, filled, padded))
    columns = np.array(drawn, dtype=np.int64).reshape(-1, 6).T
    return Draws(
        list(lengths),
        {name: len(chosen) for name, chosen in rows.items()},
        *columns,
        unseen={name: int((~seen[name][chosen]).sum()) for name, chosen in rows.items()},
    )
