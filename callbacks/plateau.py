"""Fewer steps for the tasks that have stopped improving."""

import logging
from typing import Any

import lightning.pytorch as L
from lightning.pytorch.utilities import rank_zero_only

from datamodules import multitask_data
from lightning_modules.resumed_settings import refuse_changes
from tasks import InputError

log = logging.getLogger(__name__)
OPTIONS = ("patience", "factor", "floor")  # in the order of a checkpoint; those behind a patience of 0 are left out


class ReduceShareOnPlateau(L.Callback):
    """Early stopping for each task by itself: one without a better dev score gets a smaller share of the steps.

    A task whose first metric has not improved for `patience` validations has its share multiplied by `factor`, again
    after each further `patience`, down to `floor`; a new best score gives it back its whole share. Shares hold from the
    next epoch on, whose length stays: the other tasks get the steps (see `datamodules.shares`). The order of an epoch
    is then a function of seed, epoch and shares, and every checkpoint holds the shares. A validation counts for the
    tasks that were trained since the last one. Tasks that share their rows get the largest of their shares. No task is
    ever left out; Lightning's EarlyStopping ends the whole training. Belongs before the callbacks that write
    checkpoints.

    Args:
        patience: Validations without a better score; 0 switches it off.
        factor: What a share is multiplied by.
        floor: Smallest share.

    Raises:
        InputError: If a value is out of range, or every step is to hold a batch of each task (Joint); when resumed, if
            the training reduced shares in another way.
    """

    def __init__(self, patience: int = 0, factor: float = 0.5, floor: float = 0.1) -> None:
        if patience < 0 or not 0 < factor < 1 or not 0 < floor <= 1:
            raise InputError(
                f"plateau: patience is {patience}, factor {factor}, floor {floor} (expected patience of 0 or more, "
                "factor between 0 and 1, floor above 0, at most 1)"
            )
        self.patience = patience
        self.factor = factor
        self.floor = floor
        self.shares: dict[str, float] = {}  # of this epoch
        self._coming: dict[str, float] = {}  # of the next one
        self._best: dict[str, float] = {}
        self._waited: dict[str, int] = {}
        self._trained: set[str] = set()  # since the last validation

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Return the order the shares of the epoch that a resumed training is in."""
        data = multitask_data(trainer)
        if self.patience and data.schedule.window(len(data.streams)) > 1:
            raise InputError(
                f"plateau: {type(data.schedule).__name__} has a batch of every task in each step, so that none can get "
                "fewer (expected plateau.patience 0 or another data.schedule)"
            )
        self._apply(trainer)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Note which tasks are trained."""
        self._trained.update(part.task for part in batch.parts)

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Return the order of the coming epoch its shares, before the first batch is drawn."""
        self.shares = dict(self._coming)
        self._apply(trainer)

    def _apply(self, trainer: L.Trainer) -> None:
        if self.patience and trainer.train_dataloader is not None:
            streams = multitask_data(trainer).streams
            shares = {name: max(self.shares.get(task, 1.0) for task in tasks) for name, tasks in streams.items()}
            trainer.train_dataloader.sampler.set_shares(shares)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Look at each task's score."""
        if not self.patience or trainer.sanity_checking or trainer.state.fn != "fit":
            return
        before = dict(self._coming)
        for name, task in pl_module.tasks.items():  # type: ignore[union-attr, operator]
            score = trainer.callback_metrics.get(f"val/{name}/{task.metric_names[0]}")
            if score is not None and name in self._trained:
                self._count(name, float(score))
        self._trained.clear()
        changes = {name: share for name, share in self._coming.items() if before.get(name, 1.0) != share}
        for name, share in changes.items():
            rank_zero_only(log.info)("task %s: share %.3g of its steps from the next epoch on", name, share)
        for logger in trainer.loggers:
            logged = {f"train/{name}/share": share for name, share in changes.items()}
            logger.log_metrics(logged, step=trainer.global_step)

    def _count(self, task: str, score: float) -> None:
        """Count a validation of a task; an undefined score is no better one."""
        if score > self._best.get(task, float("-inf")):
            self._best[task], self._waited[task], self._coming[task] = score, 0, 1.0
            return
        self._waited[task] = self._waited.get(task, 0) + 1
        if self._waited[task] % self.patience == 0:
            self._coming[task] = max(self.floor, self._coming.get(task, 1.0) * self.factor)

    @property
    def _settings(self) -> list[float]:
        return [self.patience, self.factor, self.floor] if self.patience else [0]

    def state_dict(self) -> dict[str, Any]:
        """Keep shares and scores for a resumed training."""
        return {
            "settings": self._settings,
            "shares": dict(self.shares),
            "coming": dict(self._coming),
            "best": dict(self._best),
            "waited": dict(self._waited),
            "trained": sorted(self._trained),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the shares and scores of the training that is resumed."""
        old, new = (dict(zip(OPTIONS, each, strict=False)) for each in (state_dict["settings"], self._settings))
        both = [name for name in OPTIONS if name in old and name in new]
        refuse_changes({name: old[name] for name in both}, {name: new[name] for name in both}, "plateau")
        self.shares, self._coming = dict(state_dict["shares"]), dict(state_dict["coming"])
        self._best, self._waited = dict(state_dict["best"]), dict(state_dict["waited"])
        self._trained = set(state_dict["trained"])
