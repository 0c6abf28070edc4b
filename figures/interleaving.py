"""Which task a training is at, step by step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from figures.canvas import COLOURS, INK, new_axes, styled
from figures.shown import LONGEST_NAME, LONGEST_TITLE, shorten

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BINS = 600  # columns of a band; batches of a longer training share one


@dataclass(frozen=True)
class Interleaving:
    """The order of one training.

    Args:
        title: What it is the order of.
        tasks: Names of the tasks.
        order: Number of the task of each batch, (batches,).
        steps: Optimiser steps that the batches make.
        marks: Steps after which a validation comes.
    """

    title: str
    tasks: Sequence[str]
    order: NDArray[np.int64]
    steps: int
    marks: Sequence[int] = ()


def share_by_bin(order: NDArray[np.int64], num_tasks: int, bins: int) -> NDArray[np.float64]:
    """Return the share of each task in each part of an order, (tasks, bins).

    Args:
        order: Number of the task of each batch, (batches,).
        num_tasks: Number of tasks.
        bins: Parts at most; a short order has a part a batch.

    Example:
        >>> share_by_bin(np.array([0, 0, 0, 1]), 2, bins=2).tolist()
        [[1.0, 0.5], [0.0, 0.5]]
    """
    bins = max(min(bins, len(order)), 1)
    counts = np.zeros((num_tasks, bins))
    np.add.at(counts, (order, np.arange(len(order)) * bins // max(len(order), 1)), 1)
    shares: NDArray[np.float64] = counts / np.maximum(counts.sum(axis=0), 1)
    return shares


@styled
def draw_interleaving(trainings: Sequence[Interleaving]) -> "Figure":
    """Draw a band for each task over the optimiser steps, the stronger the larger its share; dots are validations.

    Args:
        trainings: One panel each.
    """
    from matplotlib.colors import to_rgb

    most = max(len(training.tasks) for training in trainings)
    figure, axes = new_axes(width=8.0, height=0.9 + 0.4 * most, rows=len(trainings))
    for panel, training in zip(axes, trainings, strict=True):
        shares = share_by_bin(training.order, len(training.tasks), BINS)
        colours = np.array([to_rgb(COLOURS[number % len(COLOURS)]) for number in range(len(training.tasks))])
        strength = np.sqrt(shares)[..., None]  # a task with few batches is to be seen too
        pixels = np.concatenate([np.broadcast_to(colours[:, None], (*shares.shape, 3)), strength], axis=2)
        panel.imshow(pixels, aspect="auto", interpolation="nearest", extent=(0, training.steps, len(training.tasks), 0))
        for mark in training.marks:
            panel.axvline(mark, color=INK, linestyle=":", linewidth=0.8)
        panel.set(title=shorten(training.title, LONGEST_TITLE), xlabel="optimiser step", xlim=(0, training.steps))
        panel.set_yticks(np.arange(len(training.tasks)) + 0.5, [shorten(name, LONGEST_NAME) for name in training.tasks])
    return figure
