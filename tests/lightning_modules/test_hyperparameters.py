import inspect
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from jsonargparse import ArgumentParser

from heads import (
    ConcatProductHead,
    Correlation,
    CosineHead,
    LinearHead,
    OrdinalLogLoss,
    ProductHead,
)
from lightning_modules import MultitaskModule, OptimizerSettings
from lightning_modules.hyperparameters import check_fit, check_resumable, to_plain
from objectives import MultipleNegativesRanking, SimCse
from tasks import (
    Classification,
    InputError,
    PairClassification,
    PairRegression,
    Quora,
    Regression,
    Source,
    Sst,
    Sts,
    Task,
    Teacher,
)
from tests.tiny import build_module

FILES = Source(train="a.jsonl", dev="b.jsonl")
WHOLE_HEAD = partial(CosineHead, dropout=0.1, projection_size=8, loss=Correlation(0.25))
ALL_TASKS: list[Task] = [
    Sst(),
    Quora(head=ProductHead, encoding="bi", weight=0.1),
    Sts(metrics=("spearman", "pearson"), batch_size=8),
    Sst(head=partial(LinearHead, loss=OrdinalLogLoss(2.0)), teacher=Teacher(files=("runs/a", "b.csv"), weight=0.3)),
    Sts(encoding="bi", head=WHOLE_HEAD, teacher=Teacher(task="near", temperature=2.0), average_orders=True),
    Quora(in_mean=False),
    Sts(encoding="bi", swap=True, auxiliary=(MultipleNegativesRanking(0.1, positive=4.0), SimCse())),
    Classification(source=FILES, texts=("review",), label="stars", classes=("bad", "good")),
    PairClassification(
        source=FILES,
        texts=("a", "b"),
        label="y",
        num_classes=3,
        encoding="bi",
        head=partial(ConcatProductHead, dropout=0),
    ),
    Regression(source=Source(hub="owner/name", name="part"), texts=("a",), label="y", low=-1, high=1),
    PairRegression(source=FILES, texts=("a", "b"), label="y", low=0, high=5, encoding="bi", head=CosineHead),
]


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (None, None),
        (0.5, 0.5),
        ("pooler", "pooler"),
        ((1, (2, 3)), [1, [2, 3]]),
        ({1: ("a",)}, {"1": ["a"]}),
        (LinearHead, {"class_path": "heads.linear.LinearHead"}),
        (
            partial(CosineHead, dropout=0.1),
            {"class_path": "heads.cosine.CosineHead", "init_args": {"dropout": 0.1}},
        ),
        (
            OptimizerSettings(lr=1e-3),
            {
                "lr": 1e-3,
                "head_lr": None,
                "weight_decay": 0.01,
                "betas": [0.9, 0.999],
                "eps": 1e-8,
                "schedule": "linear",
                "warmup": 0.1,
                "layer_decay": 1.0,
            },
        ),
    ],
)
def test_to_plain_writes_what_yaml_would_hold(value, plain):
    assert to_plain(value) == plain


@pytest.mark.parametrize("value", [lambda size, labels: None, object(), torch.zeros(1), [{"a": print}]])
def test_what_yaml_cannot_hold_is_refused(value):
    with pytest.raises(TypeError, match="cannot be a hyperparameter"):
        to_plain(value)


@pytest.mark.parametrize("task", ALL_TASKS, ids=lambda task: type(task).__name__)
def test_a_plain_task_parses_to_the_same_task(task):
    plain = json.loads(json.dumps(to_plain(task)))
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--task", type=Task)
    parsed = parser.instantiate(parser.parse_object({"task": plain})).task
    assert type(parsed) is type(task)
    again = to_plain(parsed)
    given_head, parsed_head = plain["init_args"].pop("head"), again["init_args"].pop("head")
    assert again == plain
    assert (parsed_head or {}).get("class_path") == (given_head or {}).get("class_path")
    given_arguments = (given_head or {}).get("init_args", {})
    assert {name: parsed_head["init_args"][name] for name in given_arguments} == given_arguments
    assert parsed.build_head(16).state_dict().keys() == task.build_head(16).state_dict().keys()


def test_a_modules_hyperparameters_are_plain_data(tiny_backbone):
    tasks: dict[str, Task] = {"sts": Sts(encoding="bi", head=partial(CosineHead, dropout=0.2)), "sst": Sst()}
    module = build_module(tiny_backbone, tasks=tasks, optimizer=OptimizerSettings(betas=(0.8, 0.99)))
    hparams = json.loads(json.dumps(dict(module.hparams)))
    assert hparams == dict(module.hparams)
    assert set(hparams) == {*inspect.signature(MultitaskModule).parameters, "_instantiator"}
    assert hparams["tasks"]["sts"]["init_args"]["head"]["init_args"] == {"dropout": 0.2}
    assert hparams["optimizer"]["betas"] == [0.8, 0.99]
    assert hparams["backbone"] == str(tiny_backbone)
    assert hparams["backbone_config"]["hidden_size"] == 16


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda weights: weights.pop("heads.sst.linear.bias"),
            r"heads\.sst\.linear\.bias is none there, of shape \(5,\)",
        ),
        (
            lambda weights: weights.update({"heads.nli.linear.bias": torch.zeros(3)}),
            r"heads\.nli\.linear\.bias is of shape \(3,\) there, none here",
        ),
        (
            lambda weights: weights.update({"heads.sst.linear.bias": torch.zeros(2)}),
            r"heads\.sst\.linear\.bias is of shape \(2,\) there, of shape \(5,\) here",
        ),
    ],
)
def test_weights_that_do_not_fit_are_named(change: Change, message: str, tiny_backbone):
    module = build_module(tiny_backbone)
    weights = dict(module.state_dict())
    checkpoint = {"state_dict": weights, "hyper_parameters": dict(module.hparams)}
    check_fit(checkpoint, module.state_dict())
    change(weights)
    with pytest.raises(InputError, match=message):
        check_fit(checkpoint, module.state_dict())


def test_a_training_is_not_resumed_with_another_weight_of_its_teacher(word_backbone: Path) -> None:
    def build(weight: float, temperature: float, *files: str) -> tuple[MultitaskModule, dict[str, Any]]:
        teacher = Teacher(files=files, weight=weight, temperature=temperature)
        module = build_module(word_backbone, tasks={"sst": Sst(teacher=teacher)})
        return module, json.loads(json.dumps(dict(module.hparams)))

    module, hparams = build(0.5, 1.0, "one.csv")
    checkpoint = {"state_dict": module.state_dict(), "hyper_parameters": hparams, "optimizer_states": []}
    trained = [name for name, _ in module.named_parameters()]
    check_resumable(checkpoint, trained, build(0.5, 1.0, "moved/one.csv")[1])
    for weight, temperature, change in (
        (0.9, 1.0, "tasks.sst.teacher.weight: 0.9 (the checkpoint: 0.5)"),
        (0.5, 2.0, "tasks.sst.teacher.temperature: 2.0 (the checkpoint: 1.0)"),
    ):
        with pytest.raises(InputError) as refused:
            check_resumable(checkpoint, trained, build(weight, temperature, "one.csv")[1])
        expected = f"a resumed training keeps the settings of its checkpoint, but was given {change}"
        assert str(refused.value) == expected
