"""A few batches of a training, to try it with."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from datamodules.sampler import BatchRows, MultitaskSampler
from datamodules.store import TokenStore

ChooseBatches = Callable[[MultitaskSampler, Mapping[str, TokenStore]], Sequence[BatchRows]]


def choose_largest(sampler: MultitaskSampler, stores: Mapping[str, TokenStore]) -> list[BatchRows]:
    """Return of each task the batch with the most tokens that the first pass over its rows has.

    Args:
        sampler: The sampler of a training.
        stores: The split that is trained on, by task.
    """
    return [
        max(batches, key=lambda batch: int(stores[batch.task].lengths[batch.rows].sum()))
        for batches in sampler.first_pass().values()
    ]


def choose_evenly(sampler: MultitaskSampler, stores: Mapping[str, TokenStore], *, count: int) -> list[BatchRows]:
    """Return each task's largest batch, then batches from all over the first pass over its rows, tasks in turn.

    Args:
        sampler: The sampler of a training.
        stores: The split that is trained on, by task.
        count: Batches of each task beside the largest; a task with fewer repeats some.
    """
    passes = sampler.first_pass().values()
    places = [np.linspace(0, len(batches) - 1, count).round().astype(int) for batches in passes]
    chosen = [[batches[place] for place in each] for batches, each in zip(passes, places, strict=True)]
    return [*choose_largest(sampler, stores), *(batch for turn in zip(*chosen, strict=True) for batch in turn)]
