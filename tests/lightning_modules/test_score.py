import math

import pytest

from lightning_modules.score import Score
from tasks import InputError, Sst
from tests.tiny import TASKS, build_module, make_trainer, open_data

METRICS = {"sst": ("accuracy", "loss"), "quora": ("accuracy", "f1"), "sts": ("pearson",)}
VALUES = {"sst": {"accuracy": 0.5, "loss": 2.0}, "quora": {"accuracy": 0.8, "f1": 0.7}, "sts": {"pearson": -0.2}}


@pytest.mark.parametrize(
    ("text", "expected", "tasks"),
    [
        ("0.5*sst.accuracy + 0.3*quora.f1 + 0.2*sts.pearson", 0.25 + 0.21 - 0.04, ("sst", "quora", "sts")),
        ("(sst.accuracy + quora.accuracy + (sts.pearson + 1) / 2) / 3", (0.5 + 0.8 + 0.4) / 3, ("sts", "sst", "quora")),
        ("-sst.loss", -2.0, ("sst",)),
        ("min(sst.accuracy, quora.accuracy, 0.9)", 0.5, ("sst", "quora")),
        ("max(sst.accuracy - 1, 0)", 0.0, ("sst",)),
    ],
)
def test_a_formula_is_what_it_says(text, expected, tasks):
    score = Score(text, METRICS)
    assert score(VALUES) == pytest.approx(expected)
    assert set(score.tasks) == set(tasks)


@pytest.mark.parametrize("text", ["sts.pearson", "min(1, sts.pearson)", "max(sts.pearson, 1)", "1 / (sts.pearson * 0)"])
def test_an_undefined_metric_makes_the_score_undefined(text):
    assert math.isnan(Score(text, METRICS)({"sts": {"pearson": math.nan}}))


def test_a_division_by_zero_is_undefined():
    assert math.isnan(Score("1 / (sts.pearson - 1)", METRICS)({"sts": {"pearson": 1.0}}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sts.pearson +", r"'sts\.pearson \+': not a formula"),
        ("", "not a formula"),
        ("nli.accuracy", r"no task 'nli' \(expected one of sst, quora, sts\)"),
        ("quora.pearson", r"task quora has no metric 'pearson' \(expected one of accuracy, f1"),
        ("sst", r"'sst' cannot be used \(expected <task>\.<metric>"),
        ("sst.accuracy ** 2", r"'sst\.accuracy \*\* 2' cannot be used"),
        ("__import__('os').system('true')", "cannot be used"),
        ("sst.accuracy.real", "cannot be used"),
        ("min()", "cannot be used"),
        ("True", "cannot be used"),
        ("'a' * 3", "cannot be used"),
    ],
)
def test_what_is_no_formula_over_the_tasks_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        Score(text, METRICS)


def test_the_score_is_logged_beside_the_mean(tiny_backbone, cs224n_root, tmp_path):
    module = build_module(tiny_backbone, score="2 * sst.accuracy - quora.loss")
    data = open_data(tiny_backbone, cs224n_root, tmp_path / "cache")
    logged = make_trainer(tmp_path).validate(module, datamodule=data, verbose=False)[0]
    expected = 2 * logged["val/sst/accuracy"] - logged["val/quora/loss"]
    assert logged["val/score"] == pytest.approx(expected, abs=1e-6)
    assert "val/mean" in logged


def test_a_wrong_name_is_refused_before_any_training(tiny_backbone):
    with pytest.raises(InputError, match="task sst has no metric 'f1'"):
        build_module(tiny_backbone, score="sst.f1")


def test_a_task_called_score_is_refused_beside_a_formula(tiny_backbone):
    build_module(tiny_backbone, tasks={**TASKS, "score": Sst()})
    with pytest.raises(InputError, match="'score' cannot be used beside"):
        build_module(tiny_backbone, tasks={**TASKS, "score": Sst()}, score="sst.accuracy")
