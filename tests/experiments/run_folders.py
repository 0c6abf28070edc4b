"""Folders of finished runs, as training leaves them, with predictions of one's own."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from scipy import stats
from torch.utils.tensorboard import SummaryWriter

from experiments.job import Job
from runtime.file_digest import digest
from tasks import Quora, Sst, Sts

TASKS = {"sst": Sst(), "quora": Quora(), "sts": Sts()}
METRICS = {"sst": "accuracy", "quora": "accuracy", "sts": "pearson"}


def dev_labels(root: Path, task: str) -> np.ndarray:
    """Labels of the dev rows of a task."""
    return np.array([example.label for example in TASKS[task].read("dev", root, print)], dtype=float)


def make_job(folder: Path, name: str, seed: int = 1) -> Job:
    """Return a job whose run folder lies in `folder`."""
    return Job(name, folder / name / f"seed-{seed}", (), ())


def almost_right(root: Path, *, wrong: int) -> dict[str, np.ndarray]:
    """Return predictions of all tasks; `wrong` rows of SST are wrong, and STS is noisy by as much."""
    sst, quora, sts = (dev_labels(root, task) for task in ("sst", "quora", "sts"))
    noise = np.random.default_rng(0).normal(size=len(sts)) * wrong
    shifted = np.where(np.arange(len(sst)) < wrong, (sst + 1) % 5, sst)
    return {"sst": shifted, "quora": quora, "sts": sts + noise}


def write_run(
    job: Job,
    root: Path,
    predictions: Mapping[str, Sequence[float]],
    *,
    seed: int = 1,
    curve: Sequence[Mapping[str, float]] = (),
    **changes: Any,
) -> Path:
    """Write a finished attempt of a job.

    Args:
        job: The job.
        root: Folder of CS224N files.
        predictions: Predictions of the dev rows by task.
        seed: The run's seed.
        curve: Score of each task and `mean`, after each epoch of ten steps.
        changes: Other values of the report.
    """
    folder = job.folder / f"version_{len(job.attempts())}"
    (folder / "predictions").mkdir(parents=True)
    metrics: dict[str, Any] = {}
    for task, predicted in predictions.items():
        examples, labels = list(TASKS[task].read("dev", root, print)), dev_labels(root, task)
        with (folder / "predictions" / f"{task}-dev.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["id", " label"])
            rows.writerows(
                [example.id, f" {TASKS[task].format_label(value)}"]
                for example, value in zip(examples, predicted, strict=True)
            )
        value = stats.pearsonr(labels, predicted)[0] if task == "sts" else np.mean(labels == np.array(predicted))
        metrics[task] = {METRICS[task]: float(value)}
    metrics["mean"] = float(np.mean([value for scores in metrics.values() for value in scores.values()]))
    report = {
        "metrics": metrics,
        "weights_sha256": "0",
        "seed": seed,
        "steps": 10 * len(curve),
        "backbone": "tiny",
        "versions": {"torch": "2"},
        "data": {task: {split: describe(root, task, split) for split in ("train", "dev")} for task in predictions},
        **changes,
    }
    config = {
        "tasks": {task: type(TASKS[task]).__name__ for task in predictions},
        "data": {"root": str(root), "batch_size": 4, "schedule": {"class_path": "datamodules.Sequential"}},
        "trainer": {"max_epochs": 2, "max_steps": -1, "max_time": None},
    }
    with SummaryWriter(folder) as writer:
        for epoch, scores in enumerate(curve, start=1):
            for name, value in scores.items():
                tag = "val/mean" if name == "mean" else f"val/{name}/{METRICS[name]}"
                writer.add_scalar(tag, value, 10 * epoch - 1)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    (folder / "report.json").write_text(json.dumps(report))
    return folder


def describe(root: Path, task: str, split: str) -> dict[str, Any]:
    path = root / str(getattr(TASKS[task].source, split))
    return {"path": str(path), "rows": 12, "sha256": digest(path)}
