"""Several models' predictions of the same examples as one."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.methods import Method
from analysis.run import Predictions
from heads import Scores
from tasks import InputError, Task
from tasks.multi_label import LabelSetTask


def combine(members: Sequence[Predictions], method: Method) -> Predictions:
    """Combine predictions of the same examples.

    Scores are averaged under every method. Classes are combined by

    - `vote`: the class that most members predict; a tie goes to the class with the larger sum of probabilities over all
      members, then to the lowest class. The probabilities are the shares of the votes.
    - `probability`: the class with the largest mean probability, then the lowest class; of sets, each label whose mean
      probability is above the mean of the thresholds that the members predicted with. That is where the members'
      margins sum to more than nothing, so that a member whose probabilities are too low, and its threshold with them,
      counts as much as another; and nothing more is tuned on these labels.

    Args:
        members: At least one; each about the same examples in the same order.
        method: How; `score` is for scores alone.

    Raises:
        InputError: If the members are not about the same examples, a class has no probabilities, or `score` is asked
            for with classes.
    """
    first = replace(members[0], task=_join_thresholds([member.task for member in members]))
    for member in members[1:]:
        if member.examples != first.examples:
            raise InputError("the members predicted other examples (expected the same ones in the same order)")
    if isinstance(first.task.labels, Scores):
        mean = np.mean([member.predictions for member in members], axis=0)
        return replace(first, predictions=mean, probabilities=None)
    if method == "score":
        raise InputError("the mean of scores is for scores alone (expected vote or probability for classes)")
    probabilities, space = _stack_probabilities(members), first.task.labels
    if method == "probability":
        mean = probabilities.mean(axis=0)
        decided = space.decide(torch.from_numpy(mean)).numpy().astype(np.float64)
        return replace(first, predictions=decided, probabilities=mean)
    if space.is_set:
        raise InputError("vote is for one class a row (expected --method probability for sets of labels)")
    votes = count_votes(np.stack([member.predictions for member in members]), first.task.labels.num_classes)
    winners = break_ties(votes, probabilities.sum(axis=0))
    return replace(first, predictions=winners.astype(np.float64), probabilities=votes / len(members))


def count_votes(predictions: NDArray[np.float64], num_classes: int) -> NDArray[np.int64]:
    """Count the votes for each class of each example, (n, C).

    Args:
        predictions: Class indices by member and example, (members, n).
        num_classes: Number of classes (C).
    """
    votes: NDArray[np.int64] = (predictions[:, :, None] == np.arange(num_classes)).sum(axis=0)
    return votes


def break_ties(votes: NDArray[np.int64], sums: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the class with the most votes; of equal ones that with the larger sum, then the lowest.

    Args:
        votes: Votes for each class, (n, C).
        sums: Sum of the members' probabilities, (n, C).

    Example:
        >>> break_ties(np.array([[1, 1, 0]]), np.array([[0.7, 0.9, 0.4]]))
        array([1])
    """
    is_first = votes == votes.max(axis=1, keepdims=True)
    winners: NDArray[np.int64] = np.where(is_first, sums, -1.0).argmax(axis=1)
    return winners


def _stack_probabilities(members: Sequence[Predictions]) -> NDArray[np.float64]:
    found = [member.probabilities for member in members if member.probabilities is not None]
    if len(found) < len(members):
        raise InputError("a member has predictions without probabilities (expected …-probabilities.csv)")
    return np.stack(found)


def _join_thresholds(tasks: Sequence[Task]) -> Task:
    """Return a task of the members with the mean of their thresholds, where they have some."""
    first, found = tasks[0], [task.labels.thresholds for task in tasks if isinstance(task, LabelSetTask)]
    if not isinstance(first, LabelSetTask) or not any(found):
        return first
    one_half = (0.5,) * len(first.class_names)
    columns = zip(*(each or one_half for each in found), strict=True)
    return replace(first, thresholds=dict(zip(first.class_names, map(fmean, columns), strict=True)))
