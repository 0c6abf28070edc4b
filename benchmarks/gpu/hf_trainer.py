"""Hugging Face's Trainer in bf16 on the same examples, padded to the longest of each batch."""

from pathlib import Path
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from benchmarks.gpu.measuring import StepClock, StepTimes
from benchmarks.gpu.workload import Size, Work
from benchmarks.job import Job, Workload
from benchmarks.peers.hugging_face import shared_arguments

Features = dict[str, Any]


class TrainerClock(TrainerCallback):
    """Feeds a StepClock from the Trainer's loop.

    Args:
        clock: The clock.
    """

    def __init__(self, clock: StepClock) -> None:
        self._clock = clock

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Tell the clock which step begins."""
        self._clock.before_step(state.global_step)

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Tell the clock that the last step is over."""
        self._clock.before_step(state.global_step)


def run_hf_trainer(work: Work, size: Size, device: torch.device, folder: Path) -> StepTimes:
    """Train and return what a step took; the Trainer has its defaults, except for what all programs share.

    Raises:
        ImportError: If accelerate is missing.
    """
    torch.manual_seed(0)
    batch_size = len(work.order[0].rows)
    workload = Workload(batch_size=batch_size, lr=2e-5, max_length=size.max_length)
    job = Job(program="", folder=folder, workload=workload, precision="bf16", device=device.type)
    one_logit: dict[str, Any] = {"num_labels": 1, "problem_type": "multi_label_classification"}
    config = BertConfig(**size.config, **one_logit)
    clock = StepClock(size, device)
    rows = [int(row) for batch in work.order for row in batch.rows]
    arguments = {
        **shared_arguments(job),
        "train_sampling_strategy": "sequential",  # the rows are in the order of the batches
        "max_steps": size.total_steps,
        "disable_tqdm": True,
    }
    trainer = Trainer(
        BertForSequenceClassification(config),
        TrainingArguments(output_dir=str(folder / "hugging-face"), **arguments),
        train_dataset=[_features(work, row) for row in rows],
        data_collator=pad,
        callbacks=[TrainerClock(clock)],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return clock.result()


def _features(work: Work, row: int) -> Features:
    ids = torch.from_numpy(work.store.tokens(row).astype("int64"))
    first = int(work.store.first_lengths[row])
    types = (torch.arange(ids.numel()) >= first).long()
    label = torch.tensor([float(work.store.labels[row])])
    return {"input_ids": ids, "token_type_ids": types, "labels": label}


def pad(features: list[Features]) -> dict[str, torch.Tensor]:
    """Pad to the longest of the batch."""
    ids, types = ([row[name] for row in features] for name in ("input_ids", "token_type_ids"))
    return {
        "input_ids": pad_sequence(ids, batch_first=True),
        "token_type_ids": pad_sequence(types, batch_first=True),
        "attention_mask": pad_sequence([torch.ones_like(row) for row in ids], batch_first=True),
        "labels": torch.stack([row["labels"] for row in features]),
    }
