"""What differs between a training and the checkpoint that it is to go on from, in the names of its flags."""

from collections.abc import Sequence
from typing import Any

import pytest

from heads import LinearHead
from lightning_modules import OptimizerSettings
from lightning_modules.hyperparameters import to_plain
from lightning_modules.resumed_settings import describe_differences, select_settings
from objectives import MultipleNegativesRanking, PcGrad, RDrop, SimCse, Smart
from tasks import Sst, Sts, Task, Teacher


def settings(task: Task | None = None, **model: Any) -> dict[str, Any]:
    hparams = {"tasks": {"near": task or Sts(encoding="bi")}, **model}
    return select_settings(to_plain(hparams), optimizer=to_plain(OptimizerSettings()))


RANKING = MultipleNegativesRanking(0.1, positive=4.0)


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        (settings(), settings(optimizer=OptimizerSettings()), []),
        (settings(), settings(optimizer={"lr": 1e-3}), ["model.optimizer.lr: 0.001 (the checkpoint: 2e-05)"]),
        (
            settings(),
            settings(optimizer={"betas": [0.8, 0.99], "warmup": 0.0}),
            [
                "model.optimizer.betas: [0.8, 0.99] (the checkpoint: [0.9, 0.999])",
                "model.optimizer.warmup: 0.0 (the checkpoint: 0.1)",
            ],
        ),
        (settings(regularizer=RDrop(2.0)), settings(), ["model.regularizer: null (the checkpoint: RDrop)"]),
        (
            settings(regularizer=RDrop(2.0)),
            settings(regularizer=RDrop(0.5)),
            ["model.regularizer.alpha: 0.5 (the "],
        ),
        (settings(regularizer=RDrop(2.0)), settings(regularizer=Smart()), ["model.regularizer: Smart (the checkpoint"]),
        (settings(), settings(surgery=PcGrad()), ["model.surgery: PcGrad (the checkpoint: null)"]),
        (settings(), settings(linear_probe_epochs=2), ["model.linear_probe_epochs: 2 (the checkpoint: 0)"]),
        (settings(Sst()), settings(Sst(weight=0.5)), ["tasks.near.weight: 0.5 (the checkpoint: 1.0)"]),
        (settings(Sst()), settings(Sst(head=LinearHead, in_mean=False)), []),
        (
            settings(Sst()),
            settings(Sst(teacher=Teacher(files=("a.csv",), weight=0.3))),
            ["tasks.near.teacher: {weight: 0.3, temperature: 1.0} (the checkpoint: null)"],
        ),
        (
            settings(Sts(encoding="bi", auxiliary=(RANKING, SimCse()))),
            settings(Sts(encoding="bi", auxiliary=(MultipleNegativesRanking(0.2, positive=4.0), SimCse()))),
            ["tasks.near.auxiliary[0].weight: 0.2 (the checkpoint: 0.1)"],
        ),
        (
            settings(Sts(encoding="bi", auxiliary=(RANKING, SimCse()))),
            settings(),
            ["tasks.near.auxiliary: [] (the checkpoint: [MultipleNegativesRanking, SimCse])"],
        ),
    ],
)
def test_each_setting_that_differs_is_named_with_both_values(
    old: dict[str, Any], new: dict[str, Any], changes: Sequence[str]
) -> None:
    found = list(describe_differences(old, new))
    assert len(found) == len(changes)
    for difference, change in zip(found, changes, strict=True):
        assert difference.startswith(change)


def test_a_class_is_the_same_wherever_it_was_imported_from() -> None:
    old, new = (
        settings(surgery=PcGrad()),
        settings(surgery={"class_path": "objectives.PcGrad", "init_args": {"reduction": "sum"}}),
    )
    assert list(describe_differences(old, new)) == []


def test_a_checkpoint_from_before_a_setting_has_its_default() -> None:
    old = select_settings({}, optimizer=to_plain(OptimizerSettings()))
    assert list(describe_differences(old["model"], settings()["model"])) == []
