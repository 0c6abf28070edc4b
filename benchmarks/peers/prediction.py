"""sentence-transformers' CrossEncoder.predict, which sorts by length and tokenises as it goes."""

from dataclasses import replace

import torch
from sentence_transformers.cross_encoder import CrossEncoder
from torch import nn
from torch.nn import functional as F
from transformers import BertForSequenceClassification

from benchmarks.job import Job
from benchmarks.meter import Meter
from benchmarks.peers.counting import WorkCounter
from benchmarks.rows import read_pairs


def run(job: Job, meter: Meter) -> None:
    """Predict the pairs; their loss shows that the predictions are those of the others."""
    model = CrossEncoder(str(job.classifier), num_labels=1, max_length=job.workload.max_length, device="cpu")
    model.eval()
    counter = WorkCounter(next(part for part in model.modules() if isinstance(part, BertForSequenceClassification)))
    rows = read_pairs(job.pairs)
    pairs, labels = [(row.first, row.second) for row in rows], torch.tensor([float(row.label) for row in rows])
    for _ in range(job.num_epochs):
        meter.begin()
        logits = model.predict(
            pairs,
            batch_size=job.workload.batch_size,
            activation_fn=nn.Identity(),
            convert_to_tensor=True,
            show_progress_bar=False,
        )
        loss = F.binary_cross_entropy_with_logits(logits.float(), labels)
        meter.end(replace(counter.take(), score=float(loss)))
