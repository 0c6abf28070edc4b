from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.combining import break_ties, combine, count_votes
from analysis.run import Predictions, Run
from analysis.side_by_side import take
from tasks import Example, InputError, MultiLabel, Source


def members_of(folder: Path, task: str, predictions: list[list[float]], probabilities: object) -> list[Predictions]:
    first = Run(folder).read_predictions(task)
    first = take(first, range(len(predictions[0])))
    shares = [None] * len(predictions) if probabilities is None else np.array(probabilities, dtype=float)
    return [
        replace(first, predictions=np.array(one, dtype=float), probabilities=share)
        for one, share in zip(predictions, shares, strict=True)
    ]


def test_most_votes_win():
    votes = count_votes(np.array([[0, 2], [0, 1], [1, 1]]), 3)
    assert votes.tolist() == [[2, 1, 0], [0, 2, 1]]
    assert break_ties(votes, np.array([[0.0, 9.0, 9.0], [9.0, 0.0, 9.0]])).tolist() == [0, 1]


def test_a_tie_goes_to_the_larger_sum_and_then_to_the_lowest_class():
    assert break_ties(np.array([[1, 1, 0]]), np.array([[0.7, 0.9, 5.0]])).tolist() == [1]
    assert break_ties(np.array([[0, 1, 1]]), np.array([[0.0, 0.5, 0.5]])).tolist() == [1]


def test_votes_of_runs_become_predictions_and_shares(folder: Path):
    shares = [[[0.1, 0.9]], [[0.6, 0.4]], [[0.6, 0.4]]]
    members = members_of(folder, "same", [[1], [0], [0]], shares)
    voted, averaged = combine(members, "vote"), combine(members, "probability")
    assert voted.predictions.tolist() == [0]
    assert voted.probabilities is not None
    assert voted.probabilities[0] == pytest.approx([2 / 3, 1 / 3])
    assert averaged.predictions.tolist() == [1]  # 1.3 / 3 against 1.7 / 3
    assert averaged.probabilities is not None
    assert averaged.probabilities[0] == pytest.approx([1.3 / 3, 1.7 / 3])
    assert combine(members[:2], "vote").predictions.tolist() == [1]  # a tie: 0.7 against 1.3


@pytest.mark.parametrize("method", ["vote", "probability", "score"])
def test_scores_are_averaged_by_every_method(folder: Path, method):
    members = members_of(folder, "near", [[1.0, 2.0], [2.0, 5.0]], None)
    assert combine(members, method).predictions.tolist() == [1.5, 3.5]


def test_what_cannot_be_combined_is_an_error(folder: Path):
    members = members_of(folder, "same", [[1], [0]], [[[0.1, 0.9]], [[0.6, 0.4]]])
    with pytest.raises(InputError, match="for scores alone"):
        combine(members, "score")
    with pytest.raises(InputError, match="without probabilities"):
        combine([members[0], replace(members[1], probabilities=None)], "vote")
    with pytest.raises(InputError, match="predicted other examples"):
        combine([members[0], take(Run(folder).read_predictions("same"), [1])], "vote")


def test_sets_are_decided_at_the_mean_of_the_members_thresholds():
    """The second member's probabilities are half of what they should be, and so is its threshold of `rare`."""
    task = MultiLabel(source=Source(train="a.csv"), texts=("text",), classes=("often", "rare"), separator=";")
    tuned = [replace(task, thresholds=thresholds) for thresholds in ({"rare": 0.6}, {"rare": 0.2})]
    examples = [Example("1", ("a",), (1,)), Example("2", ("b",), ())]
    shares = [np.array([[0.9, 0.7], [0.1, 0.5]]), np.array([[0.3, 0.3], [0.1, 0.1]])]
    members = [
        Predictions(each, examples, np.array([[0.0, 1], [0, 0]]), (found > 0.5).astype(float), found)
        for each, found in zip(tuned, shares, strict=True)
    ]
    combined = combine(members, "probability")
    assert combined.task.labels.thresholds == pytest.approx((0.5, 0.4))
    assert combined.predictions.tolist() == [[1, 1], [0, 0]]
    untuned = combine([replace(member, task=task) for member in members], "probability")
    assert untuned.predictions.tolist() == [[1, 0], [0, 0]]
