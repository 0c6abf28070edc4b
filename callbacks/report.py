"""The end of a run: report.json, a table and where everything lies."""

import importlib.metadata
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import lightning.pytorch as L
import torch
from lightning.pytorch.utilities import rank_zero_only

from backbones import Backbone
from backbones.digest import digest_weights
from callbacks.conflicts import ConflictMonitor
from callbacks.drawn import DrawnExamples
from callbacks.ending import describe_best, describe_stop, summarize_best
from callbacks.own_packages import find_own_versions
from callbacks.predictions import gather_predictions
from callbacks.report_scores import (
    collect_metrics,
    describe_failures,
    find_evaluated,
    order_metrics,
    score_baselines,
    score_classes_by_task,
)
from callbacks.report_table import build_table, show_end
from callbacks.run_folder import run_folder
from datamodules import Batch, MultitaskDataModule, ResumableDataModule, resumable_data
from datamodules.multitask import multitask_data
from datamodules.row_orders import find_drawn
from inference.thresholds import find_thresholds
from runtime.evaluated import describe_part
from runtime.memory import peak_memory
from runtime.terminal import plain_console
from runtime.version import find_code_version
from runtime.whole_files import replacing

log = logging.getLogger(__name__)
PACKAGES = ("torch", "lightning", "torchmetrics", "transformers", "datasets")


class RunReport(L.Callback):
    """Writes `report.json` into the run's folder and shows the scores beside those of a constant prediction.

    The scores are those of the last validation, the final weights' (see FinalValidation); where it saw a part of the
    examples, `evaluated` says how many of each task, and a line below the scores; the constant is scored on the same
    examples. Further lines say which task predicts one class only or no better than the constant, what ended the
    training early, and where the best weights are. `drawn` holds the batches and
    examples of each task over the whole training, also over its resumes; it is null where a checkpoint from before
    that count was resumed. Tasks that share their rows are drawn together, under their names joined by `+`; `streams`
    says which, and from how many rows. `thresholds` are those that sets of labels were predicted with. Other `threads`
    sum in another order: the weights differ by rounding.
    """

    def __init__(self) -> None:
        self._started = self._validated = 0.0
        self._examples = 0
        self._drawn = DrawnExamples()
        self._knows_all_drawn = True
        self._took_count = False
        self._count_done: Callable[[], int] = lambda: 0

    def state_dict(self) -> dict[str, Any]:
        """Keep what was drawn over a resume."""
        return {"drawn": self._drawn.until(self._count_done()) if self._knows_all_drawn else None}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the count of the resumed run."""
        self._took_count = state_dict["drawn"] is not None
        self._drawn.restore(state_dict["drawn"] or {})

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clock; take the version of the code before it may change."""
        self._describe_code(trainer)
        self._started = time.monotonic()
        self._knows_all_drawn = self._took_count or not trainer.ckpt_path
        progress: Any = trainer.fit_loop.epoch_loop.batch_progress.current
        self._count_done = lambda: progress.processed

    def _name_undrawn(self, trainer: L.Trainer) -> None:
        """Say which tasks the training never drew: their heads are as they were at the start."""
        drawn = self._drawn.as_dict()
        if drawn and self._knows_all_drawn:
            undrawn = [name for name in multitask_data(trainer).streams if name not in drawn]
            if undrawn:
                rank_zero_only(log.warning)("no batch in the whole training: %s", ", ".join(undrawn))

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Count the batches of the coming epoch from its start."""
        self._drawn.begin_window(0)

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Note where an accumulation window begins: LossGuard takes the batches of a bad one back."""
        if batch_idx % trainer.accumulate_grad_batches == 0:
            self._drawn.begin_window(batch_idx)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count the examples."""
        self._examples += len(batch.rows) * trainer.world_size
        if isinstance(batch, Batch):
            self._drawn.add(batch, world_size=trainer.world_size)

    def on_test_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Say whose weights are tested."""
        _tell_weights(trainer)

    def on_predict_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Say whose weights predict."""
        _tell_weights(trainer)

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Leave the validation out of the training time; say whose weights `validate` evaluates."""
        if trainer.state.fn == "validate":
            _tell_weights(trainer)
        self._validation_started = time.monotonic()

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Leave the validation out of the training time; report what `validate` scored."""
        self._validated += time.monotonic() - self._validation_started
        if trainer.state.fn == "validate":
            self._finish(trainer, "val", _name_weights(trainer))

    def on_test_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Report what `test` scored."""
        self._finish(trainer, "test", _name_weights(trainer))

    def on_predict_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Name the folder of the predictions."""
        folder = run_folder(trainer)
        if folder is not None and trainer.is_global_zero:
            plain_console().print(f"predictions: {folder / 'predictions'}", soft_wrap=True)

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Report the training."""
        wall = time.monotonic() - self._started
        callbacks: list[L.Callback] = trainer.callbacks  # type: ignore[attr-defined]
        stopped = describe_stop(callbacks, step=trainer.global_step, total=trainer.estimated_stepping_batches)
        backbone = pl_module.backbone
        assert isinstance(backbone, Backbone)
        self._name_undrawn(trainer)
        self._finish(
            trainer,
            "val",
            {
                "weights_sha256": digest_weights(pl_module),
                "steps": trainer.global_step,
                "drawn": self._drawn.as_dict() if self._knows_all_drawn else None,
                "wall_seconds": round(wall, 3),
                "examples_per_second": round(self._examples / max(wall - self._validated, 1e-9), 2),
                "peak_memory_bytes": peak_memory(trainer.strategy.root_device),
                "backbone": pl_module.hparams.get("backbone"),
                "encoder": {"family": backbone.family, "way": backbone.way},
                "resumed_from": str(trainer.ckpt_path) if trainer.ckpt_path else None,
                "stopped_early": stopped,
                **summarize_best(trainer.checkpoint_callbacks),
                **_conflicts(trainer),
            },
            [*([stopped] if stopped else []), *describe_best(trainer.checkpoint_callbacks, trainer.callback_metrics)],
        )

    def _describe_code(self, trainer: L.Trainer) -> dict[str, Any]:
        """Return which code makes a run: versions, those of the user's own packages too, commit, and what differs."""
        code, schedule = find_code_version(), getattr(resumable_data(trainer), "schedule", None)
        used = [*trainer.callbacks, schedule]  # type: ignore[attr-defined]
        own = find_own_versions(dict(trainer.lightning_module.hparams), used, known=PACKAGES)
        libraries = {name: importlib.metadata.version(name) for name in PACKAGES}
        return {
            "versions": {"tandem": code.version, **libraries, **own},
            "commit": code.commit,
            "dirty": code.dirty,
        }

    def _finish(self, trainer: L.Trainer, split: str, training: Mapping[str, Any], notes: Sequence[str] = ()) -> None:
        name = "dev" if split == "val" else split
        predicted = gather_predictions(trainer.callbacks, name)  # type: ignore[attr-defined]
        folder = run_folder(trainer)
        if folder is None or not trainer.is_global_zero:
            return
        data = resumable_data(trainer)
        metrics = collect_metrics(trainer.callback_metrics, split)
        stores, tasks = (data.stores, data.tasks) if isinstance(data, MultitaskDataModule) else ({}, {})
        metrics = order_metrics(metrics, tasks)
        evaluated = find_evaluated(stores.get(name, {}), predicted)
        baselines = score_baselines(stores.get("train", {}), stores.get(name, {}), predicted)
        module: Any = trainer.lightning_module
        thresholds = find_thresholds(module.heads, tasks) if tasks else {}
        report = {
            "metrics": metrics,
            **({"evaluated": evaluated} if evaluated else {}),
            "baseline": baselines,
            "classes": score_classes_by_task(stores.get(name, {}), predicted),
            **({"thresholds": thresholds} if thresholds else {}),
            **training,
            "precision": trainer.precision,
            "threads": torch.get_num_threads(),
            "seed": data.seed,
            "data": data.describe_data(),
            **describe_shared(data),
            **self._describe_code(trainer),
        }
        with replacing(folder / "report.json") as file:
            file.write(f"{json.dumps(report, indent=2)}\n".encode())
        said = [describe_part(evaluated, name)] if evaluated else []
        lines = [*said, *describe_failures(tasks, metrics, baselines, predicted), *notes]
        table = build_table(metrics, baselines, title=name if tasks else "held-out text")
        show_end(table, lines, folder, trainer.loggers)


def _tell_weights(trainer: L.Trainer) -> None:
    if trainer.ckpt_path:
        rank_zero_only(log.info)("weights: %s", trainer.ckpt_path)


def _name_weights(trainer: L.Trainer) -> dict[str, str]:
    return {"checkpoint": str(trainer.ckpt_path)} if trainer.ckpt_path else {}


def describe_shared(data: ResumableDataModule) -> dict[str, Any]:
    """Return the tasks that share their rows, by stream, and in training how many rows are drawn from."""
    if not isinstance(data, MultitaskDataModule):
        return {}
    joint = {name: tasks for name, tasks in data.streams.items() if len(tasks) > 1}
    train = data.stores.get("train", {})
    described = {
        name: {
            "tasks": list(tasks),
            **({"rows": len(find_drawn([train[task] for task in tasks]))} if train else {}),
        }
        for name, tasks in joint.items()
    }
    return {"streams": described} if described else {}


def _conflicts(trainer: L.Trainer) -> dict[str, Any]:
    """Return what a ConflictMonitor counted, if there is one at work."""
    callbacks: list[L.Callback] = trainer.callbacks  # type: ignore[attr-defined]
    for callback in callbacks:
        if isinstance(callback, ConflictMonitor) and callback.every_n_steps:
            return {"conflicts": callback.summarize()}
    return {}
