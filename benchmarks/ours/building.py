"""Our modules and data modules, built from a job as a user's configuration would build them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import torch
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.loggers import TensorBoardLogger
from safetensors.torch import load_file
from torch import nn

from benchmarks.job import Job
from benchmarks.meter import Meter, Work
from callbacks import LossGuard, StepSeed, StopOnSignal, TaskLosses, TaskProgressBar
from datamodules import CorpusSettings, MaskedLMDataModule, Masking, MultitaskDataModule
from heads import LinearHead
from lightning_modules import MaskedLMModule, MultitaskModule, OptimizerSettings
from runtime.messages import silence_lightning
from tasks import Quora, Source, Task, Texts

TASK = "quora"


def build_tasks(job: Job) -> dict[str, Task]:
    """Return the one task of the benchmarks; train and dev are the same rows."""
    head = partial(LinearHead, dropout=job.workload.dropout)
    return {TASK: Quora(source=Source(train=job.pairs.name, dev=job.pairs.name), head=head)}


def build_optimizer_settings(job: Job) -> OptimizerSettings:
    """Return AdamW with a constant rate."""
    return OptimizerSettings(
        lr=job.workload.lr, weight_decay=job.workload.weight_decay, schedule="constant", warmup=0.0
    )


def build_module(job: Job) -> MultitaskModule:
    """Build the classifier with the prepared initial weights."""
    module = MultitaskModule(
        build_tasks(job),
        str(job.classifier),
        freeze_backbone=job.frozen,
        cache_vectors=job.caches_vectors,
        optimizer=build_optimizer_settings(job),
    )
    initial = load_file(job.classifier / "model.safetensors")
    linear: Any = module.heads[TASK].get_submodule("linear")
    assert isinstance(linear, nn.Linear)
    prefix = "classifier.out_proj" if "classifier.out_proj.weight" in initial else "classifier"
    linear.load_state_dict({name: initial[f"{prefix}.{name}"] for name in ("weight", "bias")})
    return module


def build_data(job: Job) -> MultitaskDataModule:
    """Build the data module of the sentence pairs."""
    return MultitaskDataModule(
        build_tasks(job),
        str(job.classifier),
        root=str(job.folder),
        batch_size=job.workload.batch_size,
        max_length=job.workload.max_length,
        cache_dir=str(job.folder / "cache"),
        seed=job.workload.seed,
        round_tokens=job.round_tokens,
    )


def build_masked_lm(job: Job) -> MaskedLMModule:
    """Build the masked language model with the prepared initial weights."""
    return MaskedLMModule(str(job.masked_lm), optimizer=build_optimizer_settings(job))


def build_masked_lm_data(job: Job) -> MaskedLMDataModule:
    """Build the data module of the sentences; tokens are masked one by one, as the peers' collator does."""
    held_out = min(0.5, 16 / job.workload.num_rows)  # the data module insists on some
    return MaskedLMDataModule(
        str(job.masked_lm),
        texts={TASK: Texts(source=Source(train=job.sentences.name))},
        corpus=CorpusSettings(duplicates="keep", held_out=held_out),
        masking=Masking(whole_words=False),
        root=str(job.folder),
        batch_size=job.workload.batch_size,
        max_length=job.workload.max_length,
        cache_dir=str(job.folder / "cache"),
        seed=job.workload.seed,
    )


def build_trainer(job: Job, *extra: L.Callback, max_epochs: int, shows_progress: bool = True) -> L.Trainer:
    """Build the trainer with the callbacks that every run of `train.py` has, without checkpoints and validation."""
    silence_lightning()
    callbacks: list[L.Callback] = [
        StepSeed(job.workload.seed),
        StopOnSignal(),
        LearningRateMonitor(logging_interval="step"),
        TaskLosses(),
        LossGuard(),
        *([TaskProgressBar()] if shows_progress else []),
        *extra,
    ]
    return L.Trainer(
        accelerator="cpu",
        devices=1,
        precision="bf16-mixed" if job.precision == "bf16" else "32-true",
        gradient_clip_val=job.workload.clip,
        max_epochs=max_epochs,
        limit_val_batches=0,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        enable_progress_bar=shows_progress,
        logger=TensorBoardLogger(str(job.folder / "runs"), name="", default_hp_metric=False),
        callbacks=callbacks,
    )


def count_batch(batch: Any) -> tuple[int, int, int]:
    """Count a batch's examples, its real tokens, and the tokens that are computed."""
    tokens = batch.tokens
    return len(batch.rows), int(tokens.cu_seqlens[tokens.num_sequences]), tokens.input_ids.numel()


class EpochMeter(L.Callback):
    """Measures every training epoch, from before its first batch is drawn to after its last step.

    Args:
        meter: Keeps the clocks.
        count: Counts the examples of a batch, its real tokens, and those that are computed.
    """

    def __init__(self, meter: Meter, count: Callable[[Any], tuple[int, int, int]] = count_batch) -> None:
        self._meter = meter
        self._count = count
        self._examples = self._tokens = self._slots = 0

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clocks."""
        self._examples = self._tokens = self._slots = 0
        self._meter.begin()

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Count the batch."""
        examples, tokens, slots = self._count(batch)
        self._examples += examples
        self._tokens += tokens
        self._slots += slots

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Stop the clocks."""
        self._meter.end(Work(examples=self._examples, tokens=self._tokens, slots=self._slots))


def fit(job: Job, meter: EpochMeter, module: L.LightningModule, data: L.LightningDataModule) -> None:
    """Train for a warm-up epoch and the measured ones."""
    torch.manual_seed(job.workload.seed)
    Path(job.folder / "runs").mkdir(exist_ok=True)
    build_trainer(job, meter, max_epochs=job.num_epochs).fit(module, datamodule=data)
