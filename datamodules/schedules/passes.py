"""Schedules that show every example once an epoch."""

from dataclasses import dataclass

import numpy as np

from datamodules.schedules.schedule import Epoch, Schedule, each_batch_once


@dataclass(frozen=True)
class Sequential(Schedule):
    """Task after task, in the order given: every example once an epoch.

    The last task has the last word, so the earlier ones are partly forgotten: a baseline. Prefer RoundRobinShuffled.

    Source: the multi-task baseline of the CS224N default project (minBERT).

    Example:
        >>> rng = np.random.default_rng(0)
        >>> Sequential().order(Epoch(batches={"sst": 2, "quora": 4}, rng=rng))
        array([0, 0, 1, 1, 1, 1])
    """

    def order(self, epoch: Epoch) -> np.ndarray:
        """Repeat each task for all its batches."""
        return each_batch_once(epoch.counts)


@dataclass(frozen=True)
class Shuffled(Schedule):
    """All batches of all tasks shuffled together ("even batching"): every example once an epoch.

    A small task can by chance be away for long; RoundRobinShuffled bounds that.

    Source: Liu et al. 2019 (MT-DNN), algorithm 1, https://arxiv.org/abs/1901.11504

    Example:
        >>> rng = np.random.default_rng(0)
        >>> order = Shuffled().order(Epoch(batches={"sst": 2, "quora": 4}, rng=rng))
        >>> np.bincount(order).tolist()
        [2, 4]
    """

    def order(self, epoch: Epoch) -> np.ndarray:
        """Shuffle the batches of all tasks."""
        return epoch.rng.permutation(each_batch_once(epoch.counts))


@dataclass(frozen=True)
class RoundRobinShuffled(Schedule):
    """Rounds with every task's fair share of batches, shuffled inside the round: every example once an epoch.

    The default: it uses all the data and keeps no task waiting. There are R rounds, R the batches of the smallest task.
    Round r holds floor((r+1)·n/R) - floor(r·n/R) batches of a task with n batches, at least one; so from one batch of a
    task to its next it is less than the length of two rounds.

    Source: RoundRobin and Shuffled joined; the shares are Bresenham's line.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> order = RoundRobinShuffled().order(Epoch(batches={"sst": 2, "quora": 5}, rng=rng))
        >>> sorted(order[:3].tolist()), sorted(order[3:].tolist())
        ([0, 1, 1], [0, 1, 1, 1])
    """

    def order(self, epoch: Epoch) -> np.ndarray:
        """Shuffle the batches of each round."""
        num_rounds = min(epoch.counts)
        # Batch j lies in the round r with floor(r·n/R) <= j < floor((r+1)·n/R), which solved for r is:
        rounds = np.concatenate([((np.arange(n) + 1) * num_rounds - 1) // n for n in epoch.counts])
        return each_batch_once(epoch.counts)[np.lexsort((epoch.rng.random(len(rounds)), rounds))]
