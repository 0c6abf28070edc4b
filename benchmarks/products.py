"""The bare matrix products of our batches: the limit of what a program could reach here."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.job import Job, Workload
from benchmarks.meter import Meter, Work
from benchmarks.ours.building import build_data
from runtime.allocation import keep_freed_memory


class Batch(NamedTuple):
    """Sizes of a batch.

    Args:
        tokens: Real tokens (T).
        examples: Examples (B), for whose first tokens alone the last layer is computed.
    """

    tokens: int
    examples: int


class Layer(NamedTuple):
    """A linear layer.

    Args:
        weight: (N, K).
        reads_all: Whether it has a row for each token, or one for each example.
    """

    weight: Tensor
    reads_all: bool


def run(job: Job, meter: Meter) -> None:
    """Compute the products of each batch: forward, and in training the two of the backward pass."""
    keep_freed_memory()
    dtype = torch.bfloat16 if job.precision == "bf16" else torch.float32
    layers = build_layers(job.workload, dtype)
    epochs = list(draw_batches(job))
    longest = max(batch.tokens for batches in epochs for batch in batches)
    widths = {size for layer in layers for size in layer.weight.shape}
    states = {width: torch.randn(longest, width).to(dtype) for width in widths}
    for batches in epochs:
        meter.begin()
        flops = sum(multiply(layers, states, batch, trains=job.trains) for batch in batches)
        tokens, examples = (sum(sizes) for sizes in zip(*batches, strict=True))
        meter.end(Work(examples=examples, tokens=tokens, slots=tokens, flops=flops))


def build_layers(workload: Workload, dtype: torch.dtype) -> list[Layer]:
    """Return the linear layers of the workload's BERT, the pooler last."""
    hidden, wide = workload.hidden_size, workload.intermediate_size
    layers = []
    for number in range(workload.num_layers):
        is_full = number < workload.num_layers - 1
        shapes = [(hidden, hidden, True)] * 2  # keys and values
        shapes += [(hidden, hidden, is_full)] * 2 + [(wide, hidden, is_full), (hidden, wide, is_full)]
        layers += [Layer(torch.randn(rows, columns).to(dtype), reads_all) for rows, columns, reads_all in shapes]
    return [*layers, Layer(torch.randn(hidden, hidden).to(dtype), reads_all=False)]


def draw_batches(job: Job) -> Iterator[list[Batch]]:
    """Yield the sizes of our batches in each epoch; in evaluation all epochs are the same."""
    data = build_data(job)
    data.prepare_data()
    data.setup("fit")
    loader: Any = data.train_dataloader() if job.trains else data.val_dataloader()
    for epoch in range(job.num_epochs):
        if job.trains:
            loader.sampler.set_epoch(epoch)
        yield [Batch(batch.tokens.input_ids.numel(), len(batch.rows)) for batch in loader]


def multiply(layers: list[Layer], states: dict[int, Tensor], batch: Batch, *, trains: bool) -> float:
    """Compute the products of a batch and return their FLOPs."""
    flops = 0.0
    with torch.no_grad():
        for weight, reads_all in layers:
            rows, (width, read) = batch.tokens if reads_all else batch.examples, weight.shape
            inputs, gradients = states[read][:rows], states[width][:rows]
            F.linear(inputs, weight)
            if trains:
                gradients @ weight
                gradients.t() @ inputs
            flops += 2.0 * rows * width * read * (3 if trains else 1)
    return flops
