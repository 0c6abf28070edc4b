import pytest
import torch
from torch import nn

from lightning_modules.task_scores import TaskScores
from tasks import InputError, Quora, Sts
from tests.tiny import TASKS


def build(tasks):
    return TaskScores(tasks, nn.ModuleDict({name: task.build_head(4) for name, task in tasks.items()}))


def test_metrics_and_loss_are_those_of_the_whole_split_not_means_of_batch_means():
    """Three of four right in batches of three and one; losses 1 and 3, weighted by rows: 1.5."""
    scores = build(TASKS)
    scores.update("quora", torch.tensor([1, 0, 1]), torch.tensor([1, 0, 0]), torch.tensor(1.0))
    scores.update("quora", torch.tensor([1]), torch.tensor([1]), torch.tensor(3.0))
    found = scores.take(lambda counts: counts)
    assert list(found) == ["quora"]
    assert float(found["quora"]["accuracy"]) == 0.75
    assert float(found["quora"]["loss"]) == 1.5


def test_taking_starts_afresh():
    scores = build(TASKS)
    scores.update("quora", torch.tensor([1]), torch.tensor([1]), torch.tensor(1.0))
    scores.take(lambda counts: counts)
    assert scores.take(lambda counts: counts) == {}


def test_a_task_counts_where_any_process_had_a_batch_of_it():
    scores = build({"quora": Quora()})
    scores.update("quora", torch.tensor([1]), torch.tensor([1]), torch.tensor(1.0))
    assert scores.take(torch.zeros_like) == {}
    assert list(scores.take(torch.ones_like)) == ["quora"]


def test_each_view_of_a_head_has_metrics_and_no_task_its_name():
    scores = build({"sts": Sts(encoding="both")})
    scores.update("sts_bi", torch.tensor([1.0, 2.0]), torch.tensor([1.0, 3.0]), torch.tensor(0.5))
    assert list(scores.take(lambda counts: counts)) == ["sts_bi"]
    with pytest.raises(InputError, match="task name 'sts_bi' cannot be used: the second head of task sts has it"):
        build({"sts": Sts(encoding="both"), "sts_bi": Sts()})


def test_each_score_says_which_way_it_gets_better():
    scores = build({"sts": Sts(encoding="both", metrics=("pearson", "mean_absolute_error")), "quora": Quora()})
    half = {"pearson": "max", "mean_absolute_error": "min", "loss": "min"}
    expected = {f"{name}/{metric}": way for name in ("sts", "sts_bi") for metric, way in half.items()}
    assert scores.directions(["sts"]) == expected
    assert scores.directions(["quora"]) == {"quora/accuracy": "max", "quora/f1": "max", "quora/loss": "min"}
