"""sentence-transformers' CrossEncoderTrainer with BinaryCrossEntropyLoss, which tokenises inside the step."""

from datasets import Dataset
from sentence_transformers.cross_encoder import CrossEncoder, CrossEncoderTrainer, CrossEncoderTrainingArguments
from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss
from transformers import BertForSequenceClassification

from benchmarks.job import Job
from benchmarks.meter import Meter
from benchmarks.peers.counting import WorkCounter
from benchmarks.peers.hugging_face import EpochMeter, shared_arguments
from benchmarks.rows import read_pairs


def run(job: Job, meter: Meter) -> None:
    """Train the classifier."""
    model = CrossEncoder(str(job.classifier), num_labels=1, max_length=job.workload.max_length, device="cpu")
    bert = next(module for module in model.modules() if isinstance(module, BertForSequenceClassification))
    rows = [
        {"sentence1": pair.first, "sentence2": pair.second, "label": float(pair.label)}
        for pair in read_pairs(job.pairs)
    ]
    trainer = CrossEncoderTrainer(
        model=model,
        args=CrossEncoderTrainingArguments(
            output_dir=str(job.folder / "sentence-transformers"), **shared_arguments(job)
        ),
        train_dataset=Dataset.from_list(rows),
        loss=BinaryCrossEntropyLoss(model),
        callbacks=[EpochMeter(meter, WorkCounter(bert))],
    )
    trainer.train()
