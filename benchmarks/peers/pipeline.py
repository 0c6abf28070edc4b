"""transformers' pipeline, which takes batches in file order."""

from collections.abc import Sequence
from typing import Any

from transformers import pipeline

from benchmarks.job import Job
from benchmarks.meter import Meter
from benchmarks.peers.counting import WorkCounter
from benchmarks.serving import Served, Texts, serve


def run(job: Job, meter: Meter) -> None:
    """Answer the pairs."""
    serve(job, meter, load)


def load(job: Job) -> Served:
    """Load the exported folder."""
    classify: Any = pipeline("text-classification", str(job.exported), top_k=None, device="cpu")
    counter = WorkCounter(classify.model)

    def answer(texts: Texts) -> Sequence[float]:
        inputs = [{"text": first, "text_pair": second} for first, second in texts]
        found = classify(inputs, batch_size=job.workload.batch_size, truncation=True)
        return [next(each["score"] for each in row if each["label"] == "1") for row in found]

    return Served(answer, counter.take, job.exported)
