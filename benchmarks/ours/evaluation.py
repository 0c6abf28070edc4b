"""Ours, evaluation: `Trainer.validate` over the dev split, metrics included."""

from typing import Any

import lightning.pytorch as L

from benchmarks.job import Job
from benchmarks.meter import Meter, Work
from benchmarks.ours.building import TASK, build_data, build_module
from runtime.messages import silence_lightning


class EvaluationMeter(L.Callback):
    """Measures every pass over the dev split, from before its first batch to after its metrics.

    Args:
        meter: Keeps the clocks.
        is_exact: Whether the loss is that of fp32.
    """

    def __init__(self, meter: Meter, *, is_exact: bool) -> None:
        self._meter, self._is_exact = meter, is_exact
        self._examples = self._tokens = 0

    def on_validation_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clocks."""
        self._examples = self._tokens = 0
        self._meter.begin()

    def on_validation_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Count the batch."""
        self._examples += len(batch.rows)
        self._tokens += batch.tokens.input_ids.numel()

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Stop the clocks."""
        loss = float(trainer.callback_metrics[f"val/{TASK}/loss"]) if self._is_exact else None
        self._meter.end(Work(examples=self._examples, tokens=self._tokens, slots=self._tokens, score=loss))


def run(job: Job, meter: Meter) -> None:
    """Evaluate the classifier."""
    silence_lightning()
    module, data = build_module(job), build_data(job)
    trainer = L.Trainer(
        accelerator="cpu",
        devices=1,
        precision="bf16-mixed" if job.precision == "bf16" else "32-true",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        use_distributed_sampler=False,
        callbacks=[EvaluationMeter(meter, is_exact=job.precision != "bf16")],
    )
    for _ in range(job.num_epochs):
        trainer.validate(module, datamodule=data, verbose=False)
