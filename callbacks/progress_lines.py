"""Progress where there is no terminal: lines for a file."""

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import lightning.pytorch as L
from rich import get_console

from callbacks.losses import TaskLosses
from lightning_modules import MaskedLMModule, MultitaskModule
from runtime.terminal import describe_seconds

INTERVAL = 30.0  # seconds from one line to the next, at least


class ProgressLines(L.Callback):
    """Prints a line every `log_every_n_steps` steps, `interval` after the last at least, and one for a validation.

    A line of a training names step, share, each task's latest loss, examples a second since the last line (validations
    left out) and the time left, at the speed of the run so far, validations and checkpoints included. Every line is
    flushed, so that it is in the file at once. With several processes the first one prints. `log_every_n_steps` 0
    leaves the lines of validations. Belongs behind TaskLosses. Prefer TaskProgressBar on a terminal.

    Args:
        interval: Seconds from one line to the next, at least.
    """

    def __init__(self, interval: float = INTERVAL) -> None:
        self.interval = interval
        self._started = self._printed = self._counted_from = self._validation_started = 0.0
        self._paused = 0.0  # seconds of validations since the last line
        self._first_step = self._last_step = self._examples = 0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clock."""
        self._started = self._counted_from = time.monotonic()
        self._first_step = self._last_step = trainer.global_step
        self._printed = -self.interval  # so that the first line comes at once
        self._paused, self._examples = 0.0, 0

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Print a line when due."""
        self._examples += len(batch.rows) * trainer.world_size
        step, every = trainer.global_step, trainer.log_every_n_steps  # type: ignore[attr-defined]
        now = time.monotonic()
        if not every or step % every or step == self._last_step or now - self._printed < self.interval:
            return
        self._last_step, self._printed = step, now
        callbacks: list[L.Callback] = trainer.callbacks  # type: ignore[attr-defined]
        losses = next((each.latest for each in callbacks if isinstance(each, TaskLosses)), {})
        rate = self._examples / max(now - self._counted_from - self._paused, 1e-9)
        self._counted_from, self._paused, self._examples = now, 0.0, 0
        total = trainer.estimated_stepping_batches
        left = (now - self._started) / (step - self._first_step) * (total - step)
        self._print(
            trainer,
            describe_step(step, total),
            describe_numbers("loss", losses, digits=3),
            f"{rate:,.0f} examples/s",
            "" if total == float("inf") else f"{describe_seconds(left)} left",
        )

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clock of a validation."""
        self._validation_started = time.monotonic()

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Print what a validation inside a training gave."""
        if trainer.state.fn != "fit" or trainer.sanity_checking:
            return
        seconds = time.monotonic() - self._validation_started
        self._paused += seconds
        self._print(
            trainer,
            describe_step(trainer.global_step, trainer.estimated_stepping_batches),
            describe_numbers("validation", pick_scores(shown_scores(pl_module), trainer.callback_metrics), digits=4),
            f"took {describe_seconds(seconds)}",
        )

    def _print(self, trainer: L.Trainer, *parts: str) -> None:
        if trainer.is_global_zero and not trainer.fast_dev_run:  # type: ignore[attr-defined]
            print("  ".join(part for part in parts if part), flush=True)


def prints_lines() -> bool:
    """Whether standard output is no place for a bar: a file or a pipe, not a terminal or a notebook."""
    return not (sys.stdout.isatty() or get_console().is_jupyter)


def shown_scores(pl_module: L.LightningModule) -> list[str]:
    """Return the names of the scores to show: the mean and each task's first metric, or all of a masked LM."""
    if isinstance(pl_module, MultitaskModule):
        firsts = [f"val/{name}/{task.metric_names[0]}" for name, task in pl_module.tasks.items()]
        return ["val/mean", "val/score", *firsts]
    assert isinstance(pl_module, MaskedLMModule)
    return list(pl_module.validation_scores())


def pick_scores(names: Sequence[str], logged: Mapping[str, Any]) -> dict[str, float]:
    """Return those of some scores that were logged, by short names.

    Example:
        >>> pick_scores(["val/mean", "val/score", "val/sst/accuracy"], {"val/sst/accuracy": 0.5, "val/mean": 0.6})
        {'mean': 0.6, 'sst accuracy': 0.5}
    """
    return {name.removeprefix("val/").replace("/", " "): float(logged[name]) for name in names if name in logged}


def describe_step(step: int, total: float) -> str:
    """Name a step and its share of the training.

    Example:
        >>> describe_step(150, 1320), describe_step(150, float("inf"))
        ('step 150/1,320 (11 %)', 'step 150')
    """
    share = "" if total == float("inf") else f"/{total:,.0f} ({100 * step / max(total, 1):.0f} %)"
    return f"step {step:,}{share}"


def describe_numbers(name: str, numbers: Mapping[str, float], *, digits: int) -> str:
    """Name some numbers in one phrase; nothing where there are none.

    Example:
        >>> describe_numbers("loss", {"sst": 1.42, "sts": 0.5}, digits=3), describe_numbers("loss", {}, digits=3)
        ('loss: sst 1.420, sts 0.500', '')
    """
    return f"{name}: {', '.join(f'{key} {value:.{digits}f}' for key, value in numbers.items())}" if numbers else ""
