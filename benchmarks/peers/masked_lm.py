"""Hugging Face's Trainer with BertForMaskedLM and the stock DataCollatorForLanguageModeling."""

from transformers import DataCollatorForLanguageModeling, Trainer

from benchmarks.job import Job
from benchmarks.meter import Meter
from benchmarks.peers.counting import WorkCounter
from benchmarks.peers.hugging_face import (
    EpochMeter,
    encode_sentences,
    load_masked_lm,
    load_tokenizer,
    training_arguments,
)


def run(job: Job, meter: Meter) -> None:
    """Train the masked language model."""
    model = load_masked_lm(job)
    trainer = Trainer(
        model,
        training_arguments(job),
        train_dataset=encode_sentences(job),
        data_collator=DataCollatorForLanguageModeling(load_tokenizer(job)),
        callbacks=[EpochMeter(meter, WorkCounter(model))],
    )
    trainer.train()
