import torch

from lightning_modules.task_scores import TaskScores
from tasks import Quora, Sts
from tests.tiny import TASKS


def test_metrics_and_loss_are_those_of_the_whole_split_not_means_of_batch_means():
    """Three of four right in batches of three and one; losses 1 and 3, weighted by rows: 1.5."""
    scores = TaskScores(TASKS)
    scores.update("quora", torch.tensor([1, 0, 1]), torch.tensor([1, 0, 0]), torch.tensor(1.0))
    scores.update("quora", torch.tensor([1]), torch.tensor([1]), torch.tensor(3.0))
    found = scores.take(lambda counts: counts)
    assert list(found) == ["quora"]
    assert float(found["quora"]["accuracy"]) == 0.75
    assert float(found["quora"]["loss"]) == 1.5


def test_taking_starts_afresh():
    scores = TaskScores(TASKS)
    scores.update("quora", torch.tensor([1]), torch.tensor([1]), torch.tensor(1.0))
    scores.take(lambda counts: counts)
    assert scores.take(lambda counts: counts) == {}


def test_a_task_counts_where_any_process_had_a_batch_of_it():
    scores = TaskScores({"quora": Quora()})
    scores.update("quora", torch.tensor([1]), torch.tensor([1]), torch.tensor(1.0))
    assert scores.take(torch.zeros_like) == {}
    assert list(scores.take(torch.ones_like)) == ["quora"]


def test_each_score_says_which_way_it_gets_better():
    scores = TaskScores({"sts": Sts(metrics=("pearson", "mean_absolute_error")), "quora": Quora()})
    expected = {"sts/pearson": "max", "sts/mean_absolute_error": "min", "sts/loss": "min"}
    assert scores.directions(["sts"]) == expected
    assert scores.directions(["quora"]) == {"quora/accuracy": "max", "quora/f1": "max", "quora/loss": "min"}
