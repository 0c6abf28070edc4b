"""Ours, part by part: CPU milliseconds of what surrounds forward and backward in a training step."""

import time
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from benchmarks.job import Job
from benchmarks.meter import Meter, Work
from benchmarks.ours.building import TASK, build_data, build_module, build_optimizer_settings, build_tasks
from benchmarks.ours.empty_loop import time_lightning, time_plain
from datamodules import BatchRows, TaskBatch, TaskDataset
from lightning_modules import MultitaskModule
from lightning_modules.optim import build_optimizer


def run(job: Job, meter: Meter) -> None:
    """Measure all parts once a round, one after the other."""
    module, data = build_module(job), build_data(job)
    data.prepare_data()
    data.setup("fit")
    loader = data.train_dataloader()
    assert isinstance(loader.dataset, TaskDataset)
    for _ in range(job.rounds + 1):
        meter.begin()
        meter.end(Work(parts=time_parts(job, module, loader.dataset, loader.sampler)))


def time_parts(
    job: Job, module: MultitaskModule, dataset: TaskDataset, sampler: Iterable[BatchRows]
) -> dict[str, float]:
    """Return CPU milliseconds per step of each part."""
    plan = list(sampler)
    batches = [dataset[rows] for rows in plan]
    optimizer = build_optimizer(build_optimizer_settings(job), module.backbone, module.heads, fused=True)
    module.training_step(batches[0], 0)["loss"].backward()
    return {
        "sampler": time_steps(lambda: list(sampler), len(plan)),
        "collate": time_steps(lambda: [dataset[rows] for rows in plan], len(plan)),
        "metric update": time_steps(lambda: update_metrics(job, batches), len(plan)),
        "gradient clipping": time_steps(lambda: _clip(module, job.workload.clip, len(plan)), len(plan)),
        "AdamW, fused": time_steps(lambda: [optimizer.step() for _ in plan], len(plan)),
        "Lightning loop with callbacks, above a plain loop": time_lightning(job, batches) - time_plain(batches),
    }


def time_steps(work: Callable[[], Any], steps: int) -> float:
    """Return CPU milliseconds per step of work that makes `steps` steps."""
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1000 / steps


def update_metrics(job: Job, batches: list[TaskBatch]) -> None:
    """Update the task's validation metrics with every batch."""
    metrics = list(build_tasks(job)[TASK].build_metrics().values())
    for batch in batches:
        predictions = torch.zeros_like(batch.labels)
        for metric in metrics:
            metric.update(predictions, batch.labels)


def _clip(module: nn.Module, largest: float, times: int) -> None:
    for _ in range(times):
        nn.utils.clip_grad_norm_(module.parameters(), largest)
