"""Plain PyTorch with transformers' model: batches padded to their longest pair, in file order or sorted by length."""

from collections.abc import Sequence

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from benchmarks.job import Job
from benchmarks.meter import Meter
from benchmarks.peers.counting import WorkCounter
from benchmarks.peers.ordering import in_batches
from benchmarks.serving import Served, Texts, serve


def run(job: Job, meter: Meter) -> None:
    """Answer the pairs."""
    serve(job, meter, load)


def load(job: Job) -> Served:
    """Load the exported folder."""
    model = AutoModelForSequenceClassification.from_pretrained(job.exported).eval()
    tokenizer = AutoTokenizer.from_pretrained(job.exported)
    counter = WorkCounter(model)

    def answer_batch(texts: Texts) -> list[float]:
        firsts, seconds = [first for first, _ in texts], [second for _, second in texts]
        with torch.inference_mode():
            logits = model(**tokenizer(firsts, seconds, padding=True, truncation=True, return_tensors="pt")).logits
            found: list[float] = logits.softmax(dim=1)[:, 1].tolist()
        return found

    def answer(texts: Texts) -> Sequence[float]:
        return in_batches(answer_batch, texts, size=job.workload.batch_size, sorts=job.sorts_by_length)

    return Served(answer, counter.take, job.exported)
