"""Ours, a trained model: `Predictor.predict`, or `predict_all` for three tasks."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch

from benchmarks.job import Job
from benchmarks.meter import Meter, Unavailable, Work
from benchmarks.ours.trained_model import TASKS
from benchmarks.probe import bf16_is_fast
from benchmarks.serving import Served, Texts, serve
from inference import Predictor


def run(job: Job, meter: Meter) -> None:
    """Answer the pairs."""
    if job.precision == "bf16" and not bf16_is_fast():
        raise Unavailable("products in bf16 are no faster than in fp32 here")
    serve(job, meter, load)


def load(job: Job) -> Served:
    """Load the checkpoint; bf16 is autocast's, around the call."""
    predictor = Predictor.load(job.checkpoint, threads=job.threads, device="cpu", int8=job.precision == "int8")
    counter = _Counter(predictor.model.backbone)

    def answer(texts: Texts) -> Sequence[float]:
        with torch.autocast("cpu", torch.bfloat16) if job.precision == "bf16" else nullcontext():
            found = predictor.predict(TASKS[0], texts) if job.num_tasks == 1 else predictor.predict_all(texts)[TASKS[0]]
        counter.examples += len(texts)
        return [prediction.probabilities["1"] for prediction in found]

    return Served(answer, counter.take, job.checkpoint)


class _Counter:
    """Counts examples and the tokens that go into a backbone."""

    def __init__(self, backbone: torch.nn.Module) -> None:
        self.examples = self._tokens = 0
        backbone.register_forward_pre_hook(self._count)

    def _count(self, backbone: torch.nn.Module, arguments: tuple[Any, ...]) -> None:
        self._tokens += arguments[0].input_ids.numel()

    def take(self) -> Work:
        work = Work(examples=self.examples, tokens=self._tokens, slots=self._tokens)
        self.examples = self._tokens = 0
        return work
