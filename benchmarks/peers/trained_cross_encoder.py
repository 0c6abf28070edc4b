"""sentence-transformers' CrossEncoder.predict with a trained model; it sorts by length."""

from collections.abc import Sequence

from sentence_transformers.cross_encoder import CrossEncoder
from transformers import BertForSequenceClassification

from benchmarks.job import Job
from benchmarks.meter import Meter
from benchmarks.peers.counting import WorkCounter
from benchmarks.serving import Served, Texts, serve


def run(job: Job, meter: Meter) -> None:
    """Answer the pairs."""
    serve(job, meter, load)


def load(job: Job) -> Served:
    """Load the exported folder."""
    model = CrossEncoder(str(job.exported), device="cpu")
    model.eval()
    counter = WorkCounter(next(part for part in model.modules() if isinstance(part, BertForSequenceClassification)))

    def answer(texts: Texts) -> Sequence[float]:
        found = model.predict(
            list(texts), batch_size=job.workload.batch_size, apply_softmax=True, show_progress_bar=False
        )
        return [float(row[1]) for row in found]

    return Served(answer, counter.take, job.exported)
