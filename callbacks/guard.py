"""What happens when a loss is no number any more."""

import json
import logging
import math
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import torch
from torch import Tensor

from callbacks.stopping import resume_command
from tasks import InputError

log = logging.getLogger(__name__)


class NonFiniteLossError(InputError):
    """A loss or gradient became NaN or infinite."""


class LossGuard(L.Callback):
    """Stops the run at the first NaN or infinite loss, or leaves such steps out up to a limit.

    It stops before the backward pass, so `last.ckpt` still holds the state that the bad step started from;
    `nonfinite.json` names task, step, learning rate and ids of the batch. With `skip_limit`, an optimiser step with
    a gradient that is no finite number is left out whole, on every rank; that costs a look at all gradients.

    Args:
        skip_limit: Steps to leave out before the run stops after all; 0 stops at the first.
    """

    def __init__(self, skip_limit: int = 0) -> None:
        if skip_limit < 0:
            raise InputError(f"guard.skip_limit is {skip_limit} (expected 0 or more)")
        self.skip_limit = skip_limit
        self.skipped = 0
        self._batch: Any = None

    def state_dict(self) -> dict[str, Any]:
        """Keep the count over a resume."""
        return {"skipped": self.skipped}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the count of the resumed run."""
        self.skipped = state_dict["skipped"]

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Remember the batch for the message."""
        self._batch = batch

    def on_before_backward(self, trainer: L.Trainer, pl_module: L.LightningModule, loss: Tensor) -> None:
        """Stop at a bad loss."""
        if self.skip_limit == 0 and not self._all_finite(trainer, [loss]):
            self._stop(trainer, f"the loss is {float(loss.detach())}")

    def on_before_optimizer_step(
        self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        """Leave out a step with bad gradients."""
        if self.skip_limit == 0:
            return
        gradients = [parameter.grad for parameter in pl_module.parameters() if parameter.grad is not None]
        if self._all_finite(trainer, gradients):
            return
        self.skipped += 1
        if self.skipped > self.skip_limit:
            self._stop(trainer, f"{self.skipped} steps had gradients that are no finite numbers")
        log.warning(
            "step %d left out: gradients are no finite numbers (%s)", trainer.global_step, self._describe(trainer)
        )
        optimizer.zero_grad(set_to_none=True)  # AdamW leaves a parameter without a gradient alone

    def _all_finite(self, trainer: L.Trainer, tensors: list[Tensor]) -> bool:
        finite = all(
            math.isfinite(norm) for norm in torch.stack([tensor.detach().float().norm() for tensor in tensors])
        )
        return bool(trainer.strategy.reduce_boolean_decision(finite)) if trainer.world_size > 1 else finite

    def _describe(self, trainer: L.Trainer) -> str:
        rates = ", ".join(f"{group['lr']:.3g}" for group in trainer.optimizers[0].param_groups[:1])
        return f"task {self._batch.task}, learning rate {rates}, rows {self._batch.rows.tolist()}"

    def _stop(self, trainer: L.Trainer, what: str) -> None:
        folder = Path(str(trainer.log_dir))
        path = folder / "checkpoints" / "last.ckpt"
        trainer.save_checkpoint(path)
        details = {
            "task": self._batch.task,
            "step": trainer.global_step,
            "epoch": trainer.current_epoch,
            "learning_rates": [group["lr"] for group in trainer.optimizers[0].param_groups],
            "ids": list(getattr(self._batch, "ids", [])),
            "rows": self._batch.rows.tolist(),
        }
        if trainer.is_global_zero:
            (folder / "nonfinite.json").write_text(json.dumps(details, indent=2) + "\n")
        raise NonFiniteLossError(
            f"step {trainer.global_step}: {what} ({self._describe(trainer)}; see {folder / 'nonfinite.json'}). "
            f"Reproduce: {resume_command()} --ckpt_path {path} --trainer.max_steps {trainer.global_step + 1} "
            "--trainer.detect_anomaly true. A lower learning rate, --trainer.gradient_clip_val 1 or "
            "--guard.skip_limit 10 may help"
        )
