"""What the Hugging Face programs share: rows, models, arguments, and the callback that measures their epochs."""

import json
from typing import Any

from torch import Tensor, nn
from transformers import (
    AutoModelForSequenceClassification,
    BertForMaskedLM,
    BertTokenizer,
    PreTrainedModel,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from benchmarks.job import Job
from benchmarks.meter import Meter
from benchmarks.peers.counting import WorkCounter
from benchmarks.rows import read_pairs

Features = dict[str, Any]


def load_tokenizer(job: Job) -> BertTokenizer:
    """Load the tokenizer."""
    tokenizer: BertTokenizer = BertTokenizer.from_pretrained(job.classifier)
    return tokenizer


def load_classifier(job: Job) -> PreTrainedModel:
    """Load the classifier with its initial weights, in training mode; a frozen backbone has no dropout, as ours.

    DeBERTa's reads the first token without the dense layer before its classes, which ours does not have.
    """
    model: PreTrainedModel = AutoModelForSequenceClassification.from_pretrained(job.classifier)
    if job.workload.family.startswith("deberta"):
        model.pooler = FirstToken()
    model.train()
    if job.frozen:
        model.base_model.requires_grad_(False)
        for module in model.base_model.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0  # the Trainer switches to training mode at each step
    return model


class FirstToken(nn.Module):
    """A pooler that gives the first token's state."""

    def forward(self, states: Tensor) -> Tensor:
        """Return it, (N, H)."""
        return states[:, 0]


def load_masked_lm(job: Job) -> BertForMaskedLM:
    """Load the masked language model with its initial weights, in training mode."""
    model: BertForMaskedLM = BertForMaskedLM.from_pretrained(job.masked_lm)
    model.train()
    return model


def encode_pairs(job: Job) -> list[Features]:
    """Tokenise the pairs once, without padding; labels are one float each, for binary cross-entropy."""
    pairs = read_pairs(job.pairs)
    encoded = load_tokenizer(job)(
        [pair.first for pair in pairs],
        [pair.second for pair in pairs],
        truncation=True,
        max_length=job.workload.max_length,
        return_token_type_ids=job.workload.family not in ("modernbert", "mpnet"),
    )
    columns = dict(encoded)
    return [
        {**{name: values[row] for name, values in columns.items()}, "labels": [float(pair.label)]}
        for row, pair in enumerate(pairs)
    ]


def encode_sentences(job: Job) -> list[Features]:
    """Tokenise the trained sentences once, without padding, as the stock collator likes them best."""
    lines = job.sentences.read_text(encoding="utf-8").splitlines()
    chosen = [lines[number] for number in json.loads(job.train_lines.read_text(encoding="utf-8"))]
    columns = dict(
        load_tokenizer(job)(
            chosen, truncation=True, max_length=job.workload.max_length, return_special_tokens_mask=True
        )
    )
    return [{name: values[row] for name, values in columns.items()} for row in range(len(chosen))]


def training_arguments(job: Job) -> TrainingArguments:
    """Return the Trainer's arguments: its defaults, but for the work that all programs share."""
    return TrainingArguments(
        output_dir=str(job.folder / "hugging-face"),
        **shared_arguments(job),
        train_sampling_strategy="group_by_length" if job.sorts_by_length else "random",
    )


def shared_arguments(job: Job) -> dict[str, Any]:
    """Return the arguments that sentence-transformers' Trainer takes too."""
    workload = job.workload
    return {
        "use_cpu": job.device == "cpu",
        "bf16": job.precision == "bf16",
        "torch_compile": job.compiles,
        "num_train_epochs": job.num_epochs,
        "per_device_train_batch_size": workload.batch_size,
        "per_device_eval_batch_size": workload.batch_size,
        "learning_rate": workload.lr,
        "lr_scheduler_type": "constant",
        "weight_decay": workload.weight_decay,
        "max_grad_norm": workload.clip,
        "optim": "adamw_torch_fused",
        "seed": workload.seed,
        "save_strategy": "no",
        "report_to": "none",
        "dataloader_pin_memory": job.device != "cpu",
    }


class EpochMeter(TrainerCallback):
    """Measures every training epoch, from before its first batch is drawn to after its last step.

    Args:
        meter: Keeps the clocks.
        counter: Counts the work.
    """

    def __init__(self, meter: Meter, counter: WorkCounter) -> None:
        self._meter = meter
        self._counter = counter

    def on_epoch_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Start the clocks."""
        self._counter.take()
        self._meter.begin()

    def on_epoch_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Stop the clocks."""
        self._meter.end(self._counter.take())
