"""Ours, training, in a plain PyTorch loop: what the forward and the batches cost without any framework around them."""

import torch
from torch import nn

from benchmarks.job import Job
from benchmarks.meter import Meter, Work
from benchmarks.ours.building import build_data, build_module, build_optimizer_settings
from datamodules import TaskBatch
from lightning_modules import MultitaskModule
from lightning_modules.optim import build_optimizer
from runtime.allocation import keep_freed_memory


def run(job: Job, meter: Meter) -> None:
    """Train the classifier."""
    torch.manual_seed(job.workload.seed)
    keep_freed_memory()
    module, data = build_module(job), build_data(job)
    data.prepare_data()
    data.setup("fit")
    loader = data.train_dataloader()
    optimizer = build_optimizer(build_optimizer_settings(job), module.backbone, module.heads, fused=True)
    for epoch in range(job.num_epochs):
        loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
        meter.begin()
        examples = tokens = 0
        for batch in loader:
            train_step(module, batch, optimizer, clip=job.workload.clip)
            examples += len(batch.rows)
            tokens += batch.tokens.input_ids.numel()
        meter.end(Work(examples=examples, tokens=tokens, slots=tokens))


def train_step(module: MultitaskModule, batch: TaskBatch, optimizer: torch.optim.Optimizer, *, clip: float) -> float:
    """Make one optimiser step and return the loss."""
    loss = module.training_step(batch, 0)["loss"]
    loss.backward()
    nn.utils.clip_grad_norm_(module.parameters(), clip)
    optimizer.step()
    optimizer.zero_grad()
    return float(loss.detach())
