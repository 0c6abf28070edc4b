import math

import pytest

from lightning_modules.score import Score
from tasks import InputError, Sst
from tests.tiny import TASKS, build_module, make_trainer, open_data

METRICS = {"sst": ("accuracy", "loss"), "quora": ("accuracy", "f1"), "sts": ("pearson",)}
VALUES = {"sst": {"accuracy": 0.5, "loss": 2.0}, "quora": {"accuracy": 0.8, "f1": 0.7}, "sts": {"pearson": -0.2}}


@pytest.mark.parametrize(
    ("weights", "expected", "tasks"),
    [
        ({"sst.accuracy": 0.5, "quora.f1": 0.3, "sts.pearson": 0.2}, 0.25 + 0.21 - 0.04, ("sst", "quora", "sts")),
        ({"sst.accuracy": 1, "quora.f1": 2, "quora.accuracy": 3}, 0.5 + 1.4 + 2.4, ("sst", "quora")),
        ({"sst.loss": -1.0}, -2.0, ("sst",)),
        ({"sst.accuracy": 0.0}, 0.0, ("sst",)),
    ],
)
def test_a_score_is_the_weighted_sum(weights, expected, tasks):
    score = Score(weights, METRICS)
    assert score(VALUES) == pytest.approx(expected)
    assert score.tasks == tasks


def test_an_undefined_metric_makes_the_score_undefined():
    score = Score({"sst.accuracy": 1.0, "sts.pearson": 0.5}, METRICS)
    assert math.isnan(score({"sst": {"accuracy": 0.5}, "sts": {"pearson": math.nan}}))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (
            {},
            r"model\.score is empty \(expected weights of sst\.accuracy, sst\.loss, quora\.accuracy, quora\.f1, sts\.",
        ),
        ({"nli.accuracy": 1.0}, r"there is no 'nli\.accuracy' \(expected sst\.accuracy, sst\.loss, .*; --tasks\.NAME"),
        ({"quora.pearson": 1.0}, r"there is no 'quora\.pearson'"),
        ({"sst": 1.0}, r"there is no 'sst'"),
        ({"sst.accuracy.real": 1.0}, r"there is no 'sst\.accuracy\.real'"),
        ({"sst.accuracy": math.inf}, r"the weight of sst\.accuracy is inf \(expected a finite number\)"),
        ({"sst.accuracy": math.nan}, r"the weight of sst\.accuracy is nan"),
    ],
)
def test_weights_that_do_not_fit_the_tasks_are_refused(weights, message):
    with pytest.raises(InputError, match=message):
        Score(weights, METRICS)


def test_the_score_is_logged_beside_the_mean(tiny_backbone, cs224n_root, tmp_path):
    module = build_module(tiny_backbone, score={"sst.accuracy": 2.0, "quora.loss": -1.0})
    data = open_data(tiny_backbone, cs224n_root, tmp_path / "cache")
    logged = make_trainer(tmp_path).validate(module, datamodule=data, verbose=False)[0]
    expected = 2 * logged["val/sst/accuracy"] - logged["val/quora/loss"]
    assert logged["val/score"] == pytest.approx(expected, abs=1e-6)
    assert "val/mean" in logged


def test_a_wrong_name_is_refused_before_any_training(tiny_backbone):
    with pytest.raises(InputError, match=r"there is no 'sst\.f1'"):
        build_module(tiny_backbone, score={"sst.f1": 1.0})


def test_a_task_called_score_is_refused_beside_a_score(tiny_backbone):
    build_module(tiny_backbone, tasks={**TASKS, "score": Sst()})
    with pytest.raises(InputError, match="'score' cannot be used beside"):
        build_module(tiny_backbone, tasks={**TASKS, "score": Sst()}, score={"sst.accuracy": 1.0})
