"""Ours, three label columns of one table: trained in one stream, apart, or one of them alone."""

from typing import Any

from benchmarks.job import Job
from benchmarks.meter import Meter
from benchmarks.ours.building import EpochMeter, build_optimizer_settings, fit
from benchmarks.reviews import TAGS, TOPICS
from datamodules import Batch, MultitaskDataModule, RoundRobin, passes
from lightning_modules import MultitaskModule
from tasks import Classification, MultiLabel, Regression, Source, Task

FIRST = "topic"


def run(job: Job, meter: Meter) -> None:
    """Train for some epochs; each task sees each row once in each."""
    fit(job, EpochMeter(meter, count_rows), build_module(job), build_data(job))


def build_tasks(job: Job) -> dict[str, Task]:
    """Return the first `job.num_tasks` tasks; train and dev are the same rows."""
    rows: dict[str, Any] = {"source": Source(train=job.table.name, dev=job.table.name), "texts": ("text",), "id": "id"}
    tasks: dict[str, Task] = {
        FIRST: Classification(**rows, label="topic", classes=TOPICS),
        "stars": Regression(**rows, label="stars", low=1, high=5),
        "tags": MultiLabel(**rows, label="tags", classes=TAGS, separator=";"),
    }
    return dict(list(tasks.items())[: job.num_tasks])


def build_module(job: Job) -> MultitaskModule:
    """Build the encoder with the prepared initial weights, and a head for each task."""
    return MultitaskModule(build_tasks(job), str(job.classifier), optimizer=build_optimizer_settings(job))


def build_data(job: Job) -> MultitaskDataModule:
    """Build the data module; tasks that are kept apart take turns."""
    return MultitaskDataModule(
        build_tasks(job),
        str(job.classifier),
        root=str(job.folder),
        batch_size=job.workload.batch_size,
        max_length=job.workload.max_length,
        schedule=RoundRobin(),
        share_rows=job.shares_rows,
        cache_dir=str(job.folder / "cache"),
        seed=job.workload.seed,
    )


def count_rows(batch: Batch) -> tuple[int, int, int]:
    """Count a batch's examples, which are rows of the first task, and the tokens of its passes; none is padding."""
    rows = len(batch.rows) if any(part.task == FIRST for part in batch.parts) else 0
    tokens = sum(parts[0].tokens.input_ids.numel() for parts in passes(batch))
    return rows, tokens, tokens
