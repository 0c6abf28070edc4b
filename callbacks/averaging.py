"""Averaged weights: what is evaluated, kept and reported is an average of the trained weights."""

import logging
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import lightning.pytorch as L
from lightning.pytorch.callbacks import ModelPruning, StochasticWeightAveraging, WeightAveraging
from lightning.pytorch.utilities import rank_zero_only
from torch.optim.swa_utils import get_ema_multi_avg_fn

from callbacks.precision import convert_weights
from lightning_internals import averaged_model
from lightning_modules.resumed_settings import refuse_other_averaging
from tasks import InputError

log = logging.getLogger(__name__)


class Averaging(WeightAveraging, ABC):
    """Lightning's WeightAveraging, resumed exactly: Ema or Swa.

    Validation, the best checkpoint, `state_dict` in every checkpoint, the predictions and `weights_sha256` at the end
    are those of the averaged weights; training goes on from the others, which `last.ckpt` keeps beside them. Before the
    first averaging step both are the same. Buffers are copied, not averaged: an average of BERT's integer positions is
    no position. Belongs before the callbacks that look at the weights.

    Args:
        settings: Own options, to be the same when a training is resumed.
        averaging: Options of PyTorch's AveragedModel.
    """

    def __init__(self, settings: dict[str, float], averaging: dict[str, Any]) -> None:
        super().__init__(use_buffers=False, **averaging)
        self.settings = {"kind": type(self).__name__, **settings}
        self._num_steps = math.inf

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Begin an average on the device and in the precision that the weights are going to have."""
        super().setup(trainer, pl_module, stage)
        model = averaged_model(self)
        if model is not None:  # which is a copy of the weights before the strategy moves and converts them
            convert_weights(model.module.to(trainer.strategy.root_device), trainer)

    @abstractmethod
    def averages_after(self, step: int) -> bool:
        """Whether the weights after an optimiser step (from 1) enter the average."""

    def should_update(self, step_idx: int | None = None, epoch_idx: int | None = None) -> bool:
        """Answer Lightning, which counts steps from 0."""
        return step_idx is not None and self.averages_after(step_idx + 1)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Count the optimiser steps of the whole training."""
        self._num_steps = trainer.estimated_stepping_batches

    def on_validation_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Evaluate the averaged weights."""
        self._follow(pl_module)
        super().on_validation_epoch_start(trainer, pl_module)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Leave the trained weights for `last.ckpt`, which is written after this."""

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Leave the averaged weights in the module."""
        model = averaged_model(self)
        if model is not None and int(model.n_averaged) == 0 and trainer.global_step:
            settings = ", ".join(f"{name} {value}" for name, value in self.settings.items() if name != "kind")
            rank_zero_only(log.warning)(
                "averaging: none of %d steps entered the average, so the weights are those of the last step (%s)",
                trainer.global_step,
                settings,
            )
        self._follow(pl_module)
        super().on_train_end(trainer, pl_module)

    def on_save_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Save the averaged weights as `state_dict`, the trained ones and the number of averaged steps beside them."""
        if averaged_model(self) is None:
            return
        self._follow(pl_module)
        super().on_save_checkpoint(trainer, pl_module, checkpoint)
        checkpoint["averaging"] = self.settings

    def on_load_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Go on with both weights; outside a training those of `state_dict` are the averaged ones.

        Raises:
            InputError: If the training to resume averaged in another way or not at all.
        """
        if averaged_model(self) is None:
            return
        refuse_other_averaging(checkpoint.get("averaging"), self.settings)
        super().on_load_checkpoint(trainer, pl_module, checkpoint)

    def _follow(self, pl_module: L.LightningModule) -> None:
        """Make the average the weights as they are while nothing has entered it."""
        model = averaged_model(self)
        if model is not None and int(model.n_averaged) == 0:
            model.module.load_state_dict(pl_module.state_dict())


class Ema(Averaging):
    """Exponential moving average of the weights; it forgets old ones, so it fits any schedule. Prefer it to Swa.

    It starts as the weights after the first step; after each further one average = decay * average + (1 - decay) *
    weights.

    Args:
        decay: Share of the average that stays at each step; about 1 / (1 - decay) steps count. Take fewer steps than a
            tenth of the training.

    Raises:
        ValueError: If decay is not in [0, 1).

    Source: Polyak & Juditsky 1992; Tarvainen & Valpola 2017, https://arxiv.org/abs/1703.01780
    """

    def __init__(self, decay: float = 0.999) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"averaging.decay is {decay} (expected 0 or more, less than 1)")
        super().__init__({"decay": decay}, {"multi_avg_fn": get_ema_multi_avg_fn(decay)})  # type: ignore[no-untyped-call]

    def averages_after(self, step: int) -> bool:
        """Average after every step."""
        return True


class Swa(Averaging):
    """Plain mean of the weights of the later part of the training; fits a constant learning rate.

    Under a rate that falls to 0 the last weights barely move and the mean lies near weights of a higher rate.

    Args:
        start: Share of all optimiser steps after which weights enter the mean.
        every_n_steps: Optimiser steps from one entry to the next.

    Raises:
        ValueError: If start is not in [0, 1) or every_n_steps less than 1.

    Source: Izmailov et al. 2018, https://arxiv.org/abs/1803.05407
    """

    def __init__(self, start: float = 0.5, every_n_steps: int = 1) -> None:
        if not 0 <= start < 1 or every_n_steps < 1:
            raise ValueError(
                f"averaging: start is {start}, every_n_steps {every_n_steps} (expected a share in [0, 1), 1 or more)"
            )
        super().__init__({"start": start, "every_n_steps": every_n_steps}, {})
        self.start = start
        self.every_n_steps = every_n_steps

    def averages_after(self, step: int) -> bool:
        """Average after the steps of the later part."""
        return step > self.start * self._num_steps and step % self.every_n_steps == 0


def refuse_changed_weights(callbacks: Iterable[L.Callback], *, has_averaging: bool) -> None:
    """Refuse Lightning's callbacks that leave other weights than those that were validated and kept.

    Args:
        callbacks: The trainer's callbacks.
        has_averaging: Whether the command has `--averaging`.

    Raises:
        InputError: If there is such a callback, or more than one averages.
    """
    averaging = [callback for callback in callbacks if isinstance(callback, Averaging)]
    if len(averaging) > 1:
        raise InputError(f"{' and '.join(type(each).__name__ for each in averaging)} both average the weights")
    for callback in callbacks:
        if isinstance(callback, Averaging) or not isinstance(
            callback, StochasticWeightAveraging | WeightAveraging | ModelPruning
        ):
            continue
        name = "Swa" if isinstance(callback, StochasticWeightAveraging) else "Ema or Swa"
        instead = "" if isinstance(callback, ModelPruning) or not has_averaging else f"; use --averaging {name}"
        raise InputError(
            f"trainer.callbacks: {type(callback).__name__} changes the weights after their validation, the scores "
            f"would be those of others{instead}"
        )
