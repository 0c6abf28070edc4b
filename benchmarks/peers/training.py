"""Hugging Face's Trainer on pre-tokenised pairs, padded to the longest of each batch."""

from transformers import DataCollatorWithPadding, Trainer

from benchmarks.job import Job
from benchmarks.meter import Meter
from benchmarks.peers.counting import WorkCounter
from benchmarks.peers.hugging_face import (
    EpochMeter,
    encode_pairs,
    load_classifier,
    load_tokenizer,
    training_arguments,
)


def run(job: Job, meter: Meter) -> None:
    """Train the classifier."""
    model = load_classifier(job)
    trainer = Trainer(
        model,
        training_arguments(job),
        train_dataset=encode_pairs(job),
        data_collator=DataCollatorWithPadding(load_tokenizer(job)),
        callbacks=[EpochMeter(meter, WorkCounter(model))],
    )
    trainer.train()
