"""The end of a run: report.json, a table and where everything lies."""

import importlib.metadata
import json
import math
import sys
import time
from collections.abc import Mapping
from typing import Any, TypeGuard

import lightning.pytorch as L
import torch
from lightning.pytorch.callbacks import Checkpoint, ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from rich.console import Console
from rich.table import Table

from backbones.digest import digest_weights
from callbacks.baseline import score_baseline
from callbacks.checkpoints import BestTaskCheckpoint
from callbacks.conflicts import ConflictMonitor
from callbacks.drawn import DrawnExamples
from callbacks.evaluated import EvaluatedExamples, describe_part
from callbacks.run_folder import run_folder
from datamodules import MultitaskDataModule, TaskBatch, resumable_data
from objectives import reduce_over_processes
from runtime.version import find_code_version
from runtime.whole_files import replacing

PACKAGES = ("torch", "lightning", "torchmetrics", "transformers", "datasets")


class RunReport(L.Callback):
    """Writes `report.json` into the run's folder and shows the scores beside those of a constant prediction.

    The scores are those of the last validation, the final weights' (see FinalValidation); where it saw a part of the
    examples, `evaluated` says how many of each task, and a line below the scores. `drawn` holds the batches and
    examples of each task over the whole training, also over its resumes; it is null where a checkpoint from before
    that count was resumed.
    """

    def __init__(self) -> None:
        self._started = self._validated = 0.0
        self._examples = 0
        self._drawn = DrawnExamples()
        self._evaluated = EvaluatedExamples()
        self._knows_all_drawn = True
        self._took_count = False

    def state_dict(self) -> dict[str, Any]:
        """Keep what was drawn over a resume."""
        return {"drawn": self._drawn.as_dict() if self._knows_all_drawn else None}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the count of the resumed run."""
        self._took_count = state_dict["drawn"] is not None
        self._drawn.restore(state_dict["drawn"] or {})

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clock; take the version of the code before it may change."""
        find_code_version()
        self._started = time.monotonic()
        self._knows_all_drawn = self._took_count or not trainer.ckpt_path

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count the examples."""
        self._examples += len(batch.rows) * trainer.world_size
        if isinstance(batch, TaskBatch):
            self._drawn.add(batch, world_size=trainer.world_size)

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Leave the validation out of the training time."""
        self._validation_started = time.monotonic()
        self._evaluated.clear()

    def on_test_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Count the test's examples alone."""
        self._evaluated.clear()

    def on_validation_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Count the examples."""
        if isinstance(batch, TaskBatch):
            self._evaluated.add(batch)

    on_test_batch_end = on_validation_batch_end

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Leave the validation out of the training time; report what `validate` scored."""
        self._validated += time.monotonic() - self._validation_started
        if trainer.state.fn == "validate":
            self._finish(trainer, "val", {})

    def on_test_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Report what `test` scored."""
        self._finish(trainer, "test", {})

    def on_predict_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Name the folder of the predictions."""
        folder = run_folder(trainer)
        if folder is not None and trainer.is_global_zero:
            Console().print(f"predictions: {folder / 'predictions'}", soft_wrap=True)

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Report the training."""
        wall = time.monotonic() - self._started
        self._finish(
            trainer,
            "val",
            {
                "weights_sha256": digest_weights(pl_module),
                "steps": trainer.global_step,
                "drawn": self._drawn.as_dict() if self._knows_all_drawn else None,
                "wall_seconds": round(wall, 3),
                "examples_per_second": round(self._examples / max(wall - self._validated, 1e-9), 2),
                "peak_memory_bytes": peak_memory(),
                "backbone": pl_module.hparams.get("backbone"),
                "resumed_from": str(trainer.ckpt_path) if trainer.ckpt_path else None,
                "best_checkpoint": next(
                    (callback.best_model_path for callback in trainer.checkpoint_callbacks if _is_best(callback)), None
                ),
                **_conflicts(trainer),
                **_best_of_tasks(trainer),
            },
        )

    def _finish(self, trainer: L.Trainer, split: str, training: Mapping[str, Any]) -> None:
        name = "dev" if split == "val" else split
        evaluated = self._find_part(trainer, name)
        folder = run_folder(trainer)
        if folder is None or not trainer.is_global_zero:
            return
        data = resumable_data(trainer)
        metrics = collect_metrics(trainer.callback_metrics, split)
        code = find_code_version()
        report = {
            "metrics": metrics,
            **({"evaluated": evaluated} if evaluated else {}),
            "baseline": _baselines(data) if isinstance(data, MultitaskDataModule) else {},
            **training,
            "seed": data.seed,
            "data": data.describe_data(),
            "versions": {"tandem": code.version, **{name: importlib.metadata.version(name) for name in PACKAGES}},
            "commit": code.commit,
            "dirty": code.dirty,
        }
        with replacing(folder / "report.json") as file:
            file.write(f"{json.dumps(report, indent=2)}\n".encode())
        console = Console()
        console.print(build_table(metrics, report["baseline"], title=name))
        if evaluated:
            console.print(describe_part(evaluated, name), soft_wrap=True, highlight=False, markup=False)
        console.print(f"run folder: {folder}", soft_wrap=True)
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                console.print(f"curves:     tensorboard --logdir {logger.root_dir}", soft_wrap=True)

    def _find_part(self, trainer: L.Trainer, split: str) -> dict[str, list[int]]:
        data = resumable_data(trainer)
        if not isinstance(data, MultitaskDataModule):
            return {}
        stores = data.stores.get(split, {})
        return self._evaluated.find_part(
            {name: len(store) for name, store in stores.items() if store.is_labelled},
            lambda counts: reduce_over_processes(counts.to(trainer.strategy.root_device), "sum"),
        )


def collect_metrics(logged: Mapping[str, Any], split: str) -> dict[str, Any]:
    """Return `{task: {metric: value}, "mean": value}` of the last evaluation; None for an undefined value.

    Args:
        logged: Logged values by `<split>/<task>/<metric>`, and `<split>/mean` and `<split>/score` where they are.
        split: `val` or `test`.
    """
    metrics: dict[str, Any] = {}
    for name, value in logged.items():
        part, *rest = name.split("/")
        if part == split and len(rest) == 2:
            metrics.setdefault(rest[0], {})[rest[1]] = _number(value)
    for name in ("mean", "score"):
        if f"{split}/{name}" in logged:
            metrics[name] = _number(logged[f"{split}/{name}"])
    return metrics


def _conflicts(trainer: L.Trainer) -> dict[str, Any]:
    """Return what a ConflictMonitor counted, if there is one at work."""
    callbacks: list[L.Callback] = trainer.callbacks  # type: ignore[attr-defined]
    for callback in callbacks:
        if isinstance(callback, ConflictMonitor) and callback.every_n_steps:
            return {"conflicts": callback.summarize()}
    return {}


def _is_best(callback: Checkpoint) -> TypeGuard[ModelCheckpoint]:
    is_of_a_task = isinstance(callback, BestTaskCheckpoint)
    return isinstance(callback, ModelCheckpoint) and callback.monitor is not None and not is_of_a_task


def _best_of_tasks(trainer: L.Trainer) -> dict[str, dict[str, str]]:
    found = [callback for callback in trainer.checkpoint_callbacks if isinstance(callback, BestTaskCheckpoint)]
    return {"best_checkpoints": {callback.task: callback.best_model_path for callback in found}} if found else {}


def _number(value: Any) -> float | None:
    return None if value is None or math.isnan(float(value)) else float(value)


def _baselines(data: MultitaskDataModule) -> dict[str, dict[str, float | None]]:
    train, dev = data.stores.get("train", {}), data.stores.get("dev", {})
    return {name: score_baseline(train[name], dev[name]) for name in train if name in dev}


def build_table(metrics: Mapping[str, Any], baseline: Mapping[str, Any], *, title: str) -> Table:
    """Return the scores as a table, each beside the constant prediction's.

    Args:
        metrics: As `collect_metrics` gives them.
        baseline: `{task: {metric: value}}`; may be empty.
        title: Name of the split.
    """
    table = Table(title=f"{title} scores")
    for column in ("task", "metric", "score", *(["majority baseline"] if baseline else [])):
        table.add_column(column, justify="left" if column in ("task", "metric") else "right")
    for name, scores in metrics.items():
        if not isinstance(scores, Mapping):
            continue
        for metric, value in scores.items():
            reference = baseline.get(name, {}).get(metric)
            cells = [name, metric, _cell(value), "" if metric == "loss" or name not in baseline else _cell(reference)]
            table.add_row(*cells[: len(table.columns)])
    overall = [name for name in ("mean", "score") if name in metrics and not isinstance(metrics[name], Mapping)]
    for name in overall:
        if name == overall[0]:
            table.add_section()
        table.add_row(name, "", _cell(metrics[name]))
    return table


def _cell(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"


def peak_memory() -> int | None:
    """Return the most memory that this process has held, in bytes: the GPU's if there is one, else the machine's.

    None on Windows, which does not count it for the process.
    """
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    try:
        import resource
    except ModuleNotFoundError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
