"""A training that is only tried: whether it would work, and how much memory it takes."""

from collections.abc import Sequence

import lightning.pytorch as L
import torch
from rich.table import Table
from rich.text import Text

from callbacks.stopwatch import Stopwatch, TimedBatch
from datamodules import multitask_data
from datamodules.trial import choose_largest
from runtime.memory import peak_memory
from runtime.terminal import describe_bytes, plain_console


class DryRun(Stopwatch):
    """Has a training draw the largest batch of each task, changes no weight, and says what it took.

    Belongs to a trainer that takes as many batches as there are tasks, under `fast_dev_run`, which leaves no files. The
    optimiser makes its step with all learning rates at 0: its state is there for the memory, and the weights stay.
    """

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Choose the batches."""
        multitask_data(trainer).choose = choose_largest

    def on_before_optimizer_step(
        self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        """Let the step change nothing."""
        for group in optimizer.param_groups:
            group["lr"] = 0.0

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Say what each batch took, and that the training would work."""
        if not trainer.is_global_zero:
            return
        console = plain_console()
        console.print(build_table(self.train, self.dev))
        device = trainer.strategy.root_device
        memory, where = peak_memory(device), "of the GPU" if device.type == "cuda" else "of this process"
        if memory is not None:
            console.print(f"peak memory: {describe_bytes(memory)} {where}")
        console.print("dry run: this training works; no weight was changed, no run folder made", soft_wrap=True)


def build_table(train: Sequence[TimedBatch], dev: Sequence[TimedBatch]) -> Table:
    """Return a row for each batch that was tried."""
    table = Table(title="dry run")
    table.add_column("batch")
    for heading in ("examples", "tokens", "seconds", "loss"):
        table.add_column(heading, justify="right")
    for split, batches in (("train", train), ("dev", dev)):
        for batch in batches:
            loss = "" if batch.loss is None else f"{batch.loss:.4f}"
            cells = (f"{batch.examples:,}", f"{batch.tokens:,}", f"{batch.seconds:.2f}", loss)
            table.add_row(Text(f"{batch.task} {split}"), *cells)
    return table
