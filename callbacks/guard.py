"""What happens when a loss is no number any more."""

import json
import logging
import math
from typing import Any, Literal

import lightning.pytorch as L
import torch
from torch import Tensor

from callbacks.run_folder import run_folder
from callbacks.saving import save_to_resume
from callbacks.stopping import resume_command
from lightning_internals import return_to_window_start
from objectives import reduce_over_processes
from runtime.run_folders import last_checkpoint
from runtime.whole_files import replacing_text
from tasks import InputError

log = logging.getLogger(__name__)


class NonFiniteLossError(InputError):
    """A loss or gradient became NaN or infinite."""


class BackgroundValue:
    """A number on its way from the device to the host.

    Args:
        value: A scalar; it is copied behind the work that the device has been given so far.
    """

    def __init__(self, value: Tensor) -> None:
        is_cuda = value.device.type == "cuda"
        self._host = torch.empty((), dtype=torch.float32, pin_memory=is_cuda)
        self._host.copy_(value, non_blocking=True)
        self._arrived: Any = torch.cuda.Event() if is_cuda else None  # type: ignore[no-untyped-call]
        if self._arrived is not None:
            self._arrived.record()

    def wait(self) -> float:
        """Return the number as soon as it is there; later work of the device is not waited for."""
        if self._arrived is not None:
            self._arrived.synchronize()
        return float(self._host.numpy())


class LossGuard(L.Callback):
    """Stops the run at the first NaN or infinite loss, or leaves such steps out up to a limit.

    It stops before the weights change, so `last.ckpt` holds the state that the bad step started from, the batches
    before the bad one in its accumulation window still to come;
    `nonfinite.json` names task, step, learning rate and ids of the batch. With `skip_limit`, an optimiser step with
    a gradient that is no finite number is left out whole, on every rank; that costs a look at all gradients. Under
    16-mixed, the gradient scaler leaves such steps out and halves its scale; they count once it is down to 1. Without
    it, such a step spoils the weights; `save_to_resume` does not let it spoil `last.ckpt`.

    On a CPU the loss is looked at before the backward pass. On a GPU that would make the host wait for each forward
    with nothing left to do for the device, so the loss is copied in the background and looked at after the backward
    pass has been handed over, before the optimiser step: the host waits for the loss alone while the device has the
    backward pass to do. With gradient accumulation it looks at all losses of a window at its end.

    Args:
        skip_limit: Steps to leave out before the run stops after all; 0 stops at the first.
        look: `before_backward` or `before_step`; `auto` for the former on a CPU and the latter elsewhere.
    """

    def __init__(self, skip_limit: int = 0, look: Literal["auto", "before_backward", "before_step"] = "auto") -> None:
        if skip_limit < 0:
            raise InputError(f"guard.skip_limit is {skip_limit} (expected 0 or more)")
        self.skip_limit = skip_limit
        self.look = look
        self.skipped = 0
        self._batch: Any = None
        self._coming: list[tuple[Any, BackgroundValue]] = []  # batches and losses that nobody has looked at

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
        """Stop at a bad loss, or send it on its way to the host."""
        if self.skip_limit > 0:
            return
        is_late = self.look == "before_step" or (self.look == "auto" and loss.device.type != "cpu")
        if is_late:
            total = reduce_over_processes(loss.detach().float().clone(), "sum")  # finite only if all are
            self._coming.append((self._batch, BackgroundValue(total)))
        elif not self._all_finite(trainer, [loss]):
            self._stop(trainer, f"the loss is {float(loss.detach())}")

    def on_before_optimizer_step(
        self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        """Stop at a bad loss of the window, or leave out a step with bad gradients."""
        if self.skip_limit == 0:
            self._look_at_losses(trainer)
            return
        gradients = [parameter.grad for parameter in pl_module.parameters() if parameter.grad is not None]
        if self._all_finite(trainer, gradients) or _is_scaled_up(trainer):
            return
        self.skipped += 1
        if self.skipped > self.skip_limit:
            self._stop(trainer, f"{self.skipped} steps had gradients that are no finite numbers")
        log.warning(
            "step %d left out: gradients are no finite numbers (%s)", trainer.global_step, self._describe(trainer)
        )
        optimizer.zero_grad(set_to_none=True)  # AdamW leaves a parameter without a gradient alone

    def _look_at_losses(self, trainer: L.Trainer) -> None:
        coming, self._coming = self._coming, []
        for batch, value in coming:
            loss = value.wait()
            if not math.isfinite(loss):
                self._batch = batch
                self._stop(trainer, f"the loss is {loss}")

    def _all_finite(self, trainer: L.Trainer, tensors: list[Tensor]) -> bool:
        finite = all(
            math.isfinite(norm) for norm in torch.stack([tensor.detach().float().norm() for tensor in tensors])
        )
        return bool(trainer.strategy.reduce_boolean_decision(finite)) if trainer.world_size > 1 else finite

    def _describe(self, trainer: L.Trainer) -> str:
        rates = ", ".join(f"{group['lr']:.3g}" for group in trainer.optimizers[0].param_groups[:1])
        return f"task {self._batch.stream}, learning rate {rates}, rows {self._batch.rows.tolist()}"

    def _stop(self, trainer: L.Trainer, what: str) -> None:
        said = f"step {trainer.global_step}: {what} ({self._describe(trainer)}"
        helps = "A lower learning rate, --trainer.gradient_clip_val 1 or --guard.skip_limit 10 may help"
        folder = run_folder(trainer)
        if folder is None:
            raise NonFiniteLossError(f"{said}). {helps}")
        path = last_checkpoint(folder)
        return_to_window_start(trainer)
        save_to_resume(trainer, path)
        details = {
            "task": self._batch.stream,
            "step": trainer.global_step,
            "epoch": trainer.current_epoch,
            "learning_rates": [group["lr"] for group in trainer.optimizers[0].param_groups],
            "ids": list(getattr(self._batch, "ids", [])),
            "rows": self._batch.rows.tolist(),
        }
        if trainer.is_global_zero:
            with replacing_text(folder / "nonfinite.json") as file:
                file.write(json.dumps(details, indent=2) + "\n")
        one_more = ("--trainer.max_steps", str(trainer.global_step + 1), "--trainer.detect_anomaly", "true")
        command = resume_command(path, *one_more)
        raise NonFiniteLossError(f"{said}; see {folder / 'nonfinite.json'}). {helps}. Reproduce: {command}")


def _is_scaled_up(trainer: L.Trainer) -> bool:
    """Whether the scale of a gradient scaler may be what is too large, which finds it by trying."""
    scaler = getattr(trainer.precision_plugin, "scaler", None)
    return scaler is not None and scaler.get_scale() > 1
