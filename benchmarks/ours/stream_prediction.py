"""Ours, three label columns of one table: `Trainer.predict`, in one pass a row or one for each task."""

from typing import Any

import lightning.pytorch as L

from benchmarks.job import Job
from benchmarks.meter import Meter, Work
from benchmarks.ours.streams import build_data, build_module, count_rows
from runtime.messages import silence_lightning


class PredictionMeter(L.Callback):
    """Measures every prediction of the dev split, from before its first batch to after its last.

    Args:
        meter: Keeps the clocks.
    """

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._examples = self._tokens = 0

    def on_predict_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clocks."""
        self._examples = self._tokens = 0
        self._meter.begin()

    def on_predict_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Count the batch."""
        examples, tokens, _ = count_rows(batch)
        self._examples += examples
        self._tokens += tokens

    def on_predict_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Stop the clocks."""
        self._meter.end(Work(examples=self._examples, tokens=self._tokens, slots=self._tokens))


def run(job: Job, meter: Meter) -> None:
    """Predict all rows for all tasks."""
    silence_lightning()
    module, data = build_module(job), build_data(job)
    trainer = L.Trainer(
        accelerator="cpu",
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        use_distributed_sampler=False,
        callbacks=[PredictionMeter(meter)],
    )
    for _ in range(job.num_epochs):
        trainer.predict(module, datamodule=data, return_predictions=False)
