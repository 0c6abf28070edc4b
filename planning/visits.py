"""How often, and at what distance, a training comes back to each task."""

from dataclasses import dataclass

import numpy as np

from planning.draws import Draws


@dataclass(frozen=True)
class Visits:
    """The batches of one task in a training, or in one epoch of it.

    Args:
        batches: Batches of the task.
        examples: Their examples.
        passes: Examples / rows of the task.
        share: Share of all batches.
        tokens: Tokens of all its batches.
    """

    batches: int
    examples: int
    passes: float
    share: float
    tokens: int


@dataclass(frozen=True)
class Spacing:
    """Where a task's batches lie in the whole training.

    Args:
        first: Number of its first batch, from 1; None where it has none.
        last: Number of its last batch.
        largest_gap: Batches of other tasks between two of its own, at most.
        mean_gap: Batches of other tasks between two of its own, on average.
    """

    first: int | None
    last: int | None
    largest_gap: int
    mean_gap: float


def count_visits(draws: Draws, name: str, epoch: int | None = None) -> Visits:
    """Count the batches of a task.

    Args:
        draws: What the training draws.
        name: Name of the task.
        epoch: Count those of this epoch alone; None for all.
    """
    inside = np.ones(len(draws), dtype=np.bool_) if epoch is None else draws.epoch == epoch
    chosen = draws.of(name) & inside
    examples = int(draws.examples[chosen].sum())
    return Visits(
        batches=int(chosen.sum()),
        examples=examples,
        passes=examples / draws.sizes[name],
        share=int(chosen.sum()) / max(int(inside.sum()), 1),
        tokens=int(draws.tokens[chosen].sum()),
    )


def measure_spacing(draws: Draws, name: str) -> Spacing:
    """Measure the distances between a task's batches."""
    places = np.flatnonzero(draws.of(name))
    if not places.size:
        return Spacing(None, None, 0, 0.0)
    gaps = np.diff(places) - 1
    largest, mean = (int(gaps.max()), float(gaps.mean())) if gaps.size else (0, 0.0)
    return Spacing(int(places[0]) + 1, int(places[-1]) + 1, largest, mean)
