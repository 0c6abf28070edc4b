"""The checkpoint to resume from, and the best ones."""

import logging
from pathlib import Path
from typing import Any

import lightning.pytorch as L
from lightning.pytorch.callbacks import Checkpoint, ModelCheckpoint

from callbacks.run_folder import run_folder
from callbacks.saving import save_to_resume
from lightning_internals import stops_here, validation_follows
from runtime.run_folders import last_checkpoint, note_best
from runtime.whole_files import remove_left_behind
from tasks import InputError

log = logging.getLogger(__name__)


class ResumableCheckpoint(Checkpoint):
    """Keeps `checkpoints/last.ckpt` in the run's folder: weights, optimiser, position in the data, everything.

    It is written every `every_n_train_steps` optimiser steps and at the end of training, after the validation if one
    falls on the same step: a checkpoint from before it would resume without ever validating there. Belongs behind the
    callbacks whose state goes into the checkpoint, BestCheckpoint among them. Where training stops inside an epoch (at
    `max_steps`, `max_time` or by EarlyStopping) it is written there and not after the loop, which counts the epoch as
    done: a longer training would resume with the next one and leave out the rest of the data.

    Args:
        every_n_train_steps: Optimiser steps between two writes; 0 writes at the end of training only.

    Raises:
        InputError: If it is negative.
    """

    def __init__(self, every_n_train_steps: int = 500) -> None:
        if every_n_train_steps < 0:
            raise InputError(f"checkpoint.every_n_train_steps is {every_n_train_steps} (expected 0 or more)")
        self.every_n_train_steps = every_n_train_steps
        self._saved_step = 0
        self._is_due = False

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take the step that training starts or resumes at as saved; a killed writer's part of a file goes."""
        self._saved_step = trainer.global_step
        if trainer.ckpt_path and trainer.is_global_zero:
            remove_left_behind(Path(trainer.ckpt_path).parent.glob(".*.ckpt.*"))
            log.info("resumes from %s, step %s", trainer.ckpt_path, trainer.global_step)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Write when due, or leave it to the validation that follows this step."""
        step = trainer.global_step
        is_regular = bool(self.every_n_train_steps) and step % self.every_n_train_steps == 0
        if step != self._saved_step and (is_regular or stops_here(trainer)):
            self._is_due = True
        if self._is_due and not validation_follows(trainer):
            self._save(trainer)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write what came due right before the validation, or by a stop that it asks for."""
        is_last = stops_here(trainer) and trainer.global_step != self._saved_step
        if (self._is_due or is_last) and not trainer.sanity_checking:
            self._save(trainer)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the final state."""
        if self._saved_step != trainer.global_step:
            self._save(trainer)

    def _save(self, trainer: L.Trainer) -> None:
        self._saved_step, self._is_due = trainer.global_step, False
        folder = run_folder(trainer)
        if folder is not None:
            save_to_resume(trainer, last_checkpoint(folder))


class BestCheckpoint(ModelCheckpoint):
    """Lightning's ModelCheckpoint; a resumed run, whose folder is a new one, goes on from its best score.

    Where it keeps several checkpoints (`save_top_k`), or the best one lies in the folder of the run that is resumed, it
    writes down beside them which one it is (see `note_best`).
    """

    which = "best"  # what `--ckpt_path` calls it
    _noted = ""

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Save if the validation was among the best."""
        super().on_validation_end(trainer, pl_module)
        self._note_best(trainer)

    def _note_best(self, trainer: L.Trainer) -> None:
        if self.best_model_path in ("", self._noted) or not trainer.is_global_zero or trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        folder, best = Path(str(self.dirpath)), Path(self.best_model_path)
        if self.save_top_k not in (0, 1) or best.parent != folder or self._noted:
            self._noted = self.best_model_path
            note_best(folder, self.which, best)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the best score; files of the resumed run's folder are left where they are."""
        super().load_state_dict({**state_dict, "dirpath": self.dirpath})


class BestTaskCheckpoint(BestCheckpoint):
    """Keeps `best-<task>-....ckpt`, the weights with the best first metric of one task, beside those of the best mean.

    Args:
        task: Name of the task.
        metric: Its metric.
    """

    def __init__(self, task: str, metric: str) -> None:
        super().__init__(
            monitor=f"val/{task}/{metric}",
            mode="max",
            filename=f"best-{task}-epoch={{epoch}}-step={{step}}-{metric}={{val/{task}/{metric}:.4f}}",
            auto_insert_metric_name=False,
            save_weights_only=True,
            save_on_train_epoch_end=False,  # but after each validation, before last.ckpt
        )
        self.task = task
        self.which = f"best-{task}"
