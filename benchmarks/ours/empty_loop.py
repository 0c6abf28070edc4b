"""A module with one weight in Lightning's loop and in a plain one: their difference is what the loop costs."""

import time
from typing import Any

import lightning.pytorch as L
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from benchmarks.job import Job
from benchmarks.ours.building import build_trainer
from datamodules import TaskBatch


class OneWeight(L.LightningModule):
    """The smallest module that can be trained."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def training_step(self, batch: TaskBatch, batch_idx: int) -> dict[str, Tensor]:
        """Return a loss as our modules do."""
        loss = self.weight * 2
        return {"loss": loss, "task_loss": loss.detach()}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Build AdamW."""
        return torch.optim.AdamW(self.parameters(), fused=True)


class Stopwatch(L.Callback):
    """CPU seconds of the last epoch."""

    def __init__(self) -> None:
        self.cpu_s = 0.0

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start."""
        self.cpu_s = -time.process_time()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Stop."""
        self.cpu_s += time.process_time()


def time_lightning(job: Job, batches: list[TaskBatch]) -> float:
    """Return CPU milliseconds per step of Lightning's loop with our callbacks."""
    stopwatch = Stopwatch()
    loader: DataLoader[Any] = DataLoader(batches, batch_size=None)  # type: ignore[arg-type]
    build_trainer(job, stopwatch, max_epochs=1).fit(OneWeight(), loader)
    return stopwatch.cpu_s * 1000 / len(batches)


def time_plain(batches: list[TaskBatch]) -> float:
    """Return CPU milliseconds per step of a plain loop."""
    module = OneWeight()
    optimizer = module.configure_optimizers()
    started = time.process_time()
    for number, batch in enumerate(batches):
        module.training_step(batch, number)["loss"].backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    return (time.process_time() - started) * 1000 / len(batches)
