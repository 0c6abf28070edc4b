"""A few batches of a training, to try it with."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from datamodules.batch_rows import BatchRows
from datamodules.sampler import MultitaskSampler
from datamodules.streams import StreamRows

ChooseBatches = Callable[[MultitaskSampler, Mapping[str, StreamRows]], Sequence[BatchRows]]


def choose_largest(sampler: MultitaskSampler, rows: Mapping[str, StreamRows]) -> list[BatchRows]:
    """Return of each stream the batch with the most tokens that the first pass over its rows has.

    Args:
        sampler: The sampler of a training.
        rows: What is trained on, by stream.
    """
    lengths = {name: each.lengths for name, each in rows.items()}
    return [
        max(batches, key=lambda batch: int(lengths[name][batch.rows].sum()))
        for name, batches in sampler.first_pass().items()
    ]


def choose_evenly(sampler: MultitaskSampler, rows: Mapping[str, StreamRows], *, count: int) -> list[BatchRows]:
    """Return each stream's largest batch, then batches from all over the first pass over its rows, streams in turn.

    Args:
        sampler: The sampler of a training.
        rows: What is trained on, by stream.
        count: Batches of each stream beside the largest; one with fewer repeats some.
    """
    passes = sampler.first_pass().values()
    places = [np.linspace(0, len(batches) - 1, count).round().astype(int) for batches in passes]
    chosen = [[batches[place] for place in each] for batches, each in zip(passes, places, strict=True)]
    return [*choose_largest(sampler, rows), *(batch for turn in zip(*chosen, strict=True) for batch in turn)]
