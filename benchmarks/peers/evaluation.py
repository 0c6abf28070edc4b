"""Hugging Face's Trainer, evaluation with accuracy and F1, in the file's order or sorted by length."""

from dataclasses import replace

import numpy as np
from transformers import DataCollatorWithPadding, EvalPrediction, Trainer

from benchmarks.job import Job
from benchmarks.meter import Meter
from benchmarks.peers.counting import WorkCounter
from benchmarks.peers.hugging_face import encode_pairs, load_classifier, load_tokenizer, training_arguments


def run(job: Job, meter: Meter) -> None:
    """Evaluate the classifier."""
    model = load_classifier(job)
    features = encode_pairs(job)
    if job.sorts_by_length:
        features.sort(key=lambda row: len(row["input_ids"]))
    trainer = Trainer(
        model,
        training_arguments(replace(job, sorts_by_length=False)),  # group_by_length would regroup evaluation too
        eval_dataset=features,
        data_collator=DataCollatorWithPadding(load_tokenizer(job)),
        compute_metrics=scores,
    )
    counter = WorkCounter(model)
    for _ in range(job.num_epochs):
        meter.begin()
        found = trainer.evaluate()
        loss = float(found["eval_loss"])
        meter.end(replace(counter.take(), score=None if job.precision == "bf16" else loss))


def scores(evaluated: EvalPrediction) -> dict[str, float]:
    """Return accuracy and F1 of yes/no predictions, from (rows, 1) logits and labels."""
    predicted, labels = np.asarray(evaluated.predictions)[:, 0] > 0, np.asarray(evaluated.label_ids)[:, 0] > 0.5
    hits, positives = int(np.sum(predicted & labels)), int(np.sum(predicted)) + int(np.sum(labels))
    return {"accuracy": float(np.mean(predicted == labels)), "f1": 2 * hits / max(1, positives)}
