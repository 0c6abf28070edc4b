"""A tiny multitask training from Python."""

from pathlib import Path
from typing import Any

import lightning.pytorch as L
import torch
from torch import Tensor

from datamodules import Batch, MultitaskDataModule, TaskBatch
from lightning_modules import MultitaskModule, OptimizerSettings
from tasks import Quora, Sst, Sts, Task

TASKS: dict[str, Task] = {"sst": Sst(), "quora": Quora(), "sts": Sts()}
STEPS_AN_EPOCH = 9  # three batches of four for each of three tasks with twelve rows


def open_data(
    backbone: Path, root: Path, cache: Path, *, tasks: dict[str, Task] | None = None, **settings: Any
) -> MultitaskDataModule:
    """Return the data of the shipped tasks in batches of four."""
    arguments = {"root": str(root), "cache_dir": str(cache), "batch_size": 4, **settings}
    return MultitaskDataModule(tasks or TASKS, str(backbone), **arguments)


def build_module(backbone: Path, *, tasks: dict[str, Task] | None = None, **settings: Any) -> MultitaskModule:
    """Return a module for the shipped tasks with a constant learning rate."""
    arguments = {"optimizer": OptimizerSettings(lr=1e-3, schedule="constant", warmup=0.0), **settings}
    return MultitaskModule(tasks or TASKS, str(backbone), **arguments)


def make_trainer(folder: Path, *callbacks: L.Callback, **settings: Any) -> L.Trainer:
    """Return a quiet trainer on the CPU that writes into `folder` only what its callbacks write."""
    defaults: dict[str, Any] = {"accelerator": "cpu", "max_epochs": 1, "logger": False, "enable_checkpointing": False}
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "num_sanity_val_steps": 0}
    own = {"default_root_dir": folder, "callbacks": list(callbacks), "use_distributed_sampler": False}
    return L.Trainer(**{**defaults, **quiet, **own, **settings})


def train_batches(data: MultitaskDataModule) -> dict[str, TaskBatch]:
    """Return the first training batch of each task."""
    data.prepare_data()
    data.setup("fit")
    first: dict[str, TaskBatch] = {}
    for batch in data.train_dataloader():
        for part in batch.parts:
            first.setdefault(part.task, part)
    return first


def batch_of(task: str, rows: Any, weight: float) -> TaskBatch:
    """Return a batch of which only what is counted is real."""
    nothing: Any = None
    return TaskBatch(task, nothing, torch.zeros(len(rows)), [], torch.tensor(rows), weight)


def batches_of(data: MultitaskDataModule) -> list[Batch]:
    """Return the training batches of an epoch."""
    data.prepare_data()
    data.setup("fit")
    return list(data.train_dataloader())


def gradients_of(module: MultitaskModule, loss: Tensor) -> dict[str, Tensor]:
    """Return the gradients that a loss gives to the weights of a module, by name."""
    module.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    return {name: weight.grad.clone() for name, weight in module.named_parameters() if weight.grad is not None}
