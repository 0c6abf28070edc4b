"""Where a training stands that a bad loss ended inside an accumulation window."""

from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest
import torch

from callbacks import AtomicCheckpointIO, LossGuard, RunReport
from callbacks.guard import NonFiniteLossError
from datamodules.resumable import count_begun
from tests.tiny import build_module, make_trainer, open_data

WINDOW = 3


class SpoilOnce(L.Callback):
    """Makes the loss of one batch NaN, by rows, and notes which batches came."""

    def __init__(self, rows: list[int] | None = None, *, batch: int = -1) -> None:
        self.rows = rows
        self.batch = batch
        self.seen: list[tuple[int, str, list[int]]] = []

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        self.seen.append((batch_idx, batch.stream, batch.rows.tolist()))

    def on_before_backward(self, trainer: L.Trainer, pl_module: Any, loss: torch.Tensor) -> None:
        if self.seen[-1][0] == self.batch:
            loss.data.fill_(torch.nan)


@pytest.mark.parametrize("look", ["before_backward", "before_step"])
def test_a_resumed_run_makes_the_bad_step_from_its_first_batch_on(
    look: Any, tiny_backbone: Path, cs224n_root: Path, tmp_path: Path
) -> None:
    data = open_data(tiny_backbone, cs224n_root, tmp_path / "cache")
    settings: dict[str, Any] = {"accumulate_grad_batches": WINDOW, "limit_val_batches": 0}
    for callbacks, checkpoint in (([], None), ([], tmp_path / "checkpoints" / "last.ckpt")):
        spoil = SpoilOnce(batch=4)
        trainer = make_trainer(
            tmp_path, *callbacks, spoil, RunReport(), LossGuard(look=look), plugins=[AtomicCheckpointIO()], **settings
        )
        with pytest.raises(NonFiniteLossError, match="step 1: the loss is nan"):
            trainer.fit(build_module(tiny_backbone), datamodule=data, ckpt_path=checkpoint)
        if checkpoint is None:
            first = spoil.seen
    saved = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)
    assert saved["MultitaskDataModule"]["batch"] == WINDOW
    assert count_begun(saved["MultitaskDataModule"]) == 0
    progress = saved["loops"]["fit_loop"]["epoch_loop.batch_progress"]
    assert progress["current"]["completed"] == progress["total"]["completed"] == WINDOW
    drawn = saved["callbacks"]["RunReport"]["drawn"]
    assert sum(count["batches"] for count in drawn.values()) == WINDOW
    assert sum(count["examples"] for count in drawn.values()) == sum(len(rows) for *_, rows in first[:WINDOW])
    assert [number for number, *_ in spoil.seen][:2] == [3, 4]
    assert spoil.seen == first[WINDOW:]
