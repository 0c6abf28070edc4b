import re
from typing import Any

import lightning.pytorch as L
import pytest
import torch

from callbacks import ReduceShareOnPlateau
from datamodules import Joint, RoundRobinShuffled, Staged
from tasks import InputError
from tests.tiny import STEPS_AN_EPOCH, build_module, make_trainer, open_data


class Scripted(L.Callback):
    """Puts scores by a script in the place of the validation's, and keeps the tasks of each epoch's steps."""

    def __init__(self, scores: dict[str, list[float]]) -> None:
        self.scores = scores
        self.epochs: list[list[str]] = []

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, *_: Any) -> None:
        if trainer.current_epoch == len(self.epochs):
            self.epochs.append([])
        self.epochs[-1].append(batch.task)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        for name, scores in self.scores.items():
            trainer.callback_metrics[name].fill_(scores[trainer.current_epoch])


SCRIPT = {
    "val/sst/accuracy": [0.3, 0.3, 0.2, 0.2, 0.4, 0.4],
    "val/quora/accuracy": [0.5, 0.6, 0.7, 0.8, 0.9, 0.95],
    "val/sts/pearson": [0.1, float("nan"), 0.2, 0.3, 0.4, 0.5],
}


def fit(tmp_path, backbone, root, plateau, **settings) -> Scripted:
    torch.manual_seed(0)
    script = Scripted(SCRIPT)
    data = open_data(backbone, root, tmp_path / "cache")
    make_trainer(tmp_path, script, plateau, max_epochs=6, **settings).fit(build_module(backbone), datamodule=data)
    return script


def test_a_task_without_a_better_score_gets_fewer_steps_until_it_has_one(tiny_backbone, cs224n_root, tmp_path):
    plateau = ReduceShareOnPlateau(patience=1, factor=0.2, floor=0.1)
    script = fit(tmp_path, tiny_backbone, cs224n_root, plateau)
    assert [len(epoch) for epoch in script.epochs] == [STEPS_AN_EPOCH] * 6
    # nine steps, one for each task and the other six in the proportion of the shares
    shares = [(1, 1, 1), (1, 1, 1), (0.2, 1, 0.2), (0.1, 1, 1), (0.1, 1, 1), (1, 1, 1)]
    steps = [(3, 3, 3), (3, 3, 3), (2, 5, 2), (1, 4, 4), (1, 4, 4), (3, 3, 3)]
    found = [tuple(epoch.count(task) for task in ("sst", "quora", "sts")) for epoch in script.epochs]
    assert found == steps, shares
    assert plateau.shares == {"sst": 1.0, "quora": 1.0, "sts": 1.0}


def test_a_validation_counts_for_the_tasks_trained_before_it(tiny_backbone, cs224n_root, tmp_path):
    schedule = Staged("quora", 3, then=RoundRobinShuffled())
    script = Scripted({name: [0.5] * 6 for name in SCRIPT})
    plateau = ReduceShareOnPlateau(patience=1, factor=0.2)
    data = open_data(tiny_backbone, cs224n_root, tmp_path / "cache", schedule=schedule)
    make_trainer(tmp_path, script, plateau, max_epochs=4).fit(build_module(tiny_backbone), datamodule=data)
    assert set(script.epochs[2]) == {"quora"}
    assert script.epochs[3].count("sst") == 4  # quora's share is down, sst's and sts' whole
    assert script.epochs[3].count("quora") == 1


def test_it_does_not_go_with_steps_that_hold_every_task(tiny_backbone, cs224n_root, tmp_path):
    data = open_data(tiny_backbone, cs224n_root, tmp_path / "cache", schedule=Joint())
    trainer = make_trainer(tmp_path, ReduceShareOnPlateau(patience=1), accumulate_grad_batches=3)
    with pytest.raises(InputError, match="plateau: Joint has a batch of every task in each step"):
        trainer.fit(build_module(tiny_backbone), datamodule=data)


def test_patience_is_the_number_of_validations_without_a_better_score(tiny_backbone, cs224n_root, tmp_path):
    script = fit(tmp_path, tiny_backbone, cs224n_root, ReduceShareOnPlateau(patience=3, factor=0.2))
    assert [epoch.count("sst") for epoch in script.epochs] == [3, 3, 3, 3, 1, 3]


def test_switched_off_it_changes_nothing(tiny_backbone, cs224n_root, tmp_path):
    script = fit(tmp_path, tiny_backbone, cs224n_root, ReduceShareOnPlateau())
    assert [epoch.count("sst") for epoch in script.epochs] == [3] * 6


@pytest.mark.parametrize("options", [{"patience": -1}, {"factor": 1.0}, {"factor": 0.0}, {"floor": 0.0}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(InputError, match=f"{next(iter(options))} (is )?{next(iter(options.values()))}"):
        ReduceShareOnPlateau(**options)


def test_its_state_goes_over_a_resume_and_another_plateau_is_refused():
    before, after = ReduceShareOnPlateau(patience=2), ReduceShareOnPlateau(patience=2)
    for score in (0.5, 0.4, 0.4):
        before._count("sst", score)
    after.load_state_dict(before.state_dict())
    assert after.state_dict() == before.state_dict()
    assert after.state_dict()["coming"] == {"sst": 0.5}
    for other, said in (
        (ReduceShareOnPlateau(), "but was given plateau.patience: 0 (the checkpoint: 2)"),
        (ReduceShareOnPlateau(patience=2, factor=0.3), "but was given plateau.factor: 0.3 (the checkpoint: 0.5)"),
    ):
        with pytest.raises(InputError, match=f"{re.escape(said)}$"):
            other.load_state_dict(before.state_dict())
