import json
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest
import torch

from callbacks import AtomicCheckpointIO, LossGuard
from callbacks.guard import NonFiniteLossError
from tasks import InputError
from tests.tiny import build_module, make_trainer, open_data


class Spoil(L.Callback):
    """Makes what the heads compute, or the gradients, no numbers at some steps."""

    def __init__(self, *steps: int, what: str) -> None:
        self.steps = set(steps)
        self.what = what
        self.seen: list[tuple[str, list[int], list[str]]] = []

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        self.seen.append((batch.task, batch.rows.tolist(), batch.ids))
        if self.what == "loss" and trainer.global_step in self.steps:
            for head in pl_module.heads.values():
                head.linear.register_forward_hook(lambda module, inputs, output: output + torch.inf)

    def on_after_backward(self, trainer: L.Trainer, pl_module: Any) -> None:
        if self.what == "gradient" and trainer.fit_loop.epoch_loop.batch_idx in self.steps:
            next(p for p in pl_module.parameters() if p.grad is not None).grad.flatten()[0] = torch.nan


def fit(folder: Path, backbone: Path, root: Path, *callbacks: L.Callback, **settings: Any) -> tuple[L.Trainer, Any]:
    module = build_module(backbone)
    trainer = make_trainer(
        folder, *callbacks, enable_checkpointing=False, plugins=[AtomicCheckpointIO()], limit_val_batches=0, **settings
    )
    trainer.fit(module, datamodule=open_data(backbone, root, folder / "cache"))
    return trainer, module


def test_a_bad_loss_stops_before_the_step_and_says_which_batch(tiny_backbone, cs224n_root, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["train.py", "fit", "-c", "a.yaml", "--ckpt_path", "last"])
    spoil = Spoil(5, what="loss")
    with pytest.raises(NonFiniteLossError) as caught:
        fit(tmp_path, tiny_backbone, cs224n_root, spoil, LossGuard())
    task, rows, ids = spoil.seen[5]
    for part in ("step 5: the loss is ", f"task {task}", "learning rate 0.001", f"rows {rows}", "nonfinite.json"):
        assert part in str(caught.value)
    path = tmp_path / "checkpoints" / "last.ckpt"
    assert f"python train.py fit -c a.yaml --ckpt_path {path} --trainer.max_steps 6" in str(caught.value)
    found = json.loads((tmp_path / "nonfinite.json").read_text())
    assert (found["task"], found["step"], found["rows"], found["ids"]) == (task, 5, rows, ids)
    assert torch.load(path, weights_only=True)["global_step"] == 5


def test_a_fast_run_leaves_no_files_and_names_none(tiny_backbone, cs224n_root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NonFiniteLossError, match=r"step 0: the loss is .* may help") as caught:
        fit(tmp_path, tiny_backbone, cs224n_root, Spoil(0, what="loss"), LossGuard(), fast_dev_run=True)
    assert "ckpt" not in str(caught.value)
    assert "nonfinite.json" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


def test_a_step_with_bad_gradients_is_left_out_and_counted(tiny_backbone, cs224n_root, tmp_path, caplog):
    guard = LossGuard(skip_limit=2)
    trainer, module = fit(tmp_path, tiny_backbone, cs224n_root, Spoil(3, 6, what="gradient"), guard)
    assert (guard.skipped, trainer.global_step) == (2, 9)
    assert all(torch.isfinite(parameter).all() for parameter in module.parameters())
    assert "step 3 left out" in caplog.text
    assert guard.state_dict() == {"skipped": 2}


def test_what_is_left_out_has_a_limit(tiny_backbone, cs224n_root, tmp_path):
    with pytest.raises(NonFiniteLossError, match="step 7: 3 steps had gradients that are no finite numbers"):
        fit(tmp_path, tiny_backbone, cs224n_root, Spoil(2, 4, 7, what="gradient"), LossGuard(skip_limit=2))


def test_leaving_out_holds_for_a_whole_accumulation_window(tiny_backbone, cs224n_root, tmp_path):
    guard = LossGuard(skip_limit=1)
    trainer, module = fit(
        tmp_path, tiny_backbone, cs224n_root, Spoil(1, what="gradient"), guard, accumulate_grad_batches=3
    )
    assert (guard.skipped, trainer.global_step) == (1, 3)
    assert all(torch.isfinite(parameter).all() for parameter in module.parameters())


def test_a_run_without_bad_numbers_is_the_same_with_and_without_a_guard(tiny_backbone, cs224n_root, tmp_path):
    states = []
    for number, callbacks in enumerate(([], [LossGuard()], [LossGuard(skip_limit=3)])):
        torch.manual_seed(0)
        _, module = fit(tmp_path / str(number), tiny_backbone, cs224n_root, *callbacks)
        states.append(module.state_dict())
    for other in states[1:]:
        assert all(torch.equal(other[name], tensor) for name, tensor in states[0].items())


def test_a_negative_limit_is_refused():
    with pytest.raises(InputError, match=r"guard.skip_limit is -1 \(expected 0 or more\)"):
        LossGuard(skip_limit=-1)
