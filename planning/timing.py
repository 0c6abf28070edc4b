"""How long a training takes here, and how much memory: measured on a few of its steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import lightning.pytorch as L

from callbacks import StepSeed, Stopwatch, TimedBatch
from datamodules import MultitaskDataModule
from datamodules.trial import choose_evenly
from lightning_modules import MultitaskModule
from runtime.memory import peak_memory


@dataclass(frozen=True)
class Expected:
    """Time and memory of a training on this machine.

    Args:
        steps: Batches that were timed.
        start_seconds: Preparations of `fit` behind the reading of the data, such as the vectors of a frozen backbone.
        train_seconds: All training steps.
        validation_seconds: All validations together.
        peak_memory_bytes: The most memory that the process held; None where the system does not count it.
    """

    steps: int
    start_seconds: float
    train_seconds: float
    validation_seconds: float
    peak_memory_bytes: int | None

    @property
    def seconds(self) -> float:
        """All of it; checkpoints and the reading of the data are left out."""
        return self.start_seconds + self.train_seconds + self.validation_seconds


def time_steps(
    data: MultitaskDataModule, module: MultitaskModule, options: Mapping[str, Any], *, steps: int
) -> Stopwatch:
    """Train a few steps on each task's batches, the largest first, and throw the result away.

    Args:
        data: The data.
        module: The model, whose weights change.
        options: Those of the trainer.
        steps: Batches of all tasks together, beside the largest of each.
    """
    each = max(1, steps // len(data.streams))
    stopwatch = Stopwatch()
    count = len(data.streams) * (1 + each)
    quiet = {"logger": False, "enable_progress_bar": False, "profiler": None, "fast_dev_run": count}
    trainer = L.Trainer(**{**options, **quiet, "callbacks": [StepSeed(data.seed), stopwatch]})
    module.linear_probe_epochs = 0  # the steps behind it are the ones that count
    data.choose = partial(choose_evenly, count=each)
    try:
        trainer.fit(module, datamodule=data)
    finally:
        data.choose = None
    return stopwatch


def expect(
    stopwatch: Stopwatch, train_tokens: Mapping[str, int], dev_tokens: Mapping[str, int], validations: int
) -> Expected:
    """Compute the time of a whole training from a few of its steps, by tokens.

    The first batch of each task is left out: it is the largest, for the memory, and bears what happens once.

    Args:
        stopwatch: What was timed.
        train_tokens: Tokens of all batches of the training, by task.
        dev_tokens: Tokens of the dev split, by task.
        validations: Number of validations.
    """
    tasks = len(train_tokens)
    train = scale(stopwatch.train[tasks:], train_tokens)
    return Expected(
        steps=len(stopwatch.train) - tasks,
        start_seconds=stopwatch.start_seconds,
        train_seconds=train,
        validation_seconds=validations * scale(stopwatch.dev, dev_tokens),
        peak_memory_bytes=peak_memory(stopwatch.device),
    )


def scale(timed: Sequence[TimedBatch], tokens: Mapping[str, int]) -> float:
    """Return the seconds that so many tokens of each task take, at the speed of some batches.

    Example:
        >>> scale([TimedBatch("sst", 4, 50, seconds=0.5), TimedBatch("sst", 4, 30, seconds=0.3)], {"sst": 1000})
        10.0
    """
    if not timed:
        return 0.0
    speed = sum(batch.seconds for batch in timed) / sum(batch.tokens for batch in timed)  # of tasks without a batch
    total = 0.0
    for name, count in tokens.items():
        own = [batch for batch in timed if batch.task == name]
        seconds = sum(batch.seconds for batch in own) / sum(batch.tokens for batch in own) if own else speed
        total += count * seconds
    return total
