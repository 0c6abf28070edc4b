"""How long each batch takes."""

import time
from dataclasses import dataclass
from typing import Any

import lightning.pytorch as L
import torch

from datamodules import Batch, passes


@dataclass(frozen=True)
class TimedBatch:
    """One batch that was computed.

    Args:
        task: Name of its task, or of those that share its rows, joined by `+`.
        examples: Its examples on this process.
        tokens: Their tokens, each pair's once, without what fills a static shape up.
        seconds: How long it took: of training with backward pass and, where one is due, optimiser step.
        loss: The task's own loss in training, their sum of several; None of a dev batch.
    """

    task: str
    examples: int
    tokens: int
    seconds: float
    loss: float | None = None


class Stopwatch(L.Callback):
    """Times every training and dev batch; on a GPU it waits for each, so a training is not to have it.

    Attributes:
        train: The training batches in order.
        dev: The dev batches in order.
        start_seconds: From the start of fit to the first batch.
        device: What computes, once fit has started.
    """

    def __init__(self) -> None:
        self.train: list[TimedBatch] = []
        self.dev: list[TimedBatch] = []
        self.start_seconds = 0.0
        self.device = torch.device("cpu")
        self._fit_started = self._started = 0.0

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clock of the preparations."""
        self.device = pl_module.device
        self._fit_started = _now(pl_module.device)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take the time of the preparations."""
        self.start_seconds = _now(pl_module.device) - self._fit_started

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Start the clock."""
        self._started = _now(pl_module.device)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Take the time of a training batch."""
        seconds = _now(pl_module.device) - self._started
        self.train.append(_timed(batch, seconds, float(outputs["task_loss"])))

    def on_validation_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Start the clock."""
        self._started = _now(pl_module.device)

    def on_validation_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Take the time of a dev batch."""
        self.dev.append(_timed(batch, _now(pl_module.device) - self._started))


def _timed(batch: Batch, seconds: float, loss: float | None = None) -> TimedBatch:
    packed = [parts[0].tokens for parts in passes(batch)]
    tokens = sum(int(each.cu_seqlens[each.num_sequences]) for each in packed) // batch.orders
    return TimedBatch(batch.stream, len(batch.rows), tokens, seconds, loss)


def _now(device: torch.device) -> float:
    """Return the time once the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
