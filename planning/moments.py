"""When validations come, checkpoints are written and stages begin, in optimiser steps."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from planning.draws import Draws
from planning.length import Length


@dataclass(frozen=True)
class ValidationRule:
    """When a validation comes, as the trainer has it.

    Args:
        interval: A share of an epoch or a number of batches; None where it is a time.
        every_epochs: Epochs from one with validations to the next; None to count batches over epochs.
        enabled: Whether there are any.
    """

    interval: int | float | None = 1.0
    every_epochs: int | None = 1
    enabled: bool = True


@dataclass(frozen=True)
class Stage:
    """A change in what is trained.

    Args:
        epoch: Epoch it begins with, from 1.
        step: Optimiser steps done by then.
        what: What begins.
    """

    epoch: int
    step: int
    what: str


def find_validations(length: Length, rule: ValidationRule) -> list[int]:
    """Return the optimiser steps after which a validation comes, the last step among them.

    A time says nothing about steps; of such validations the last one alone is returned.
    """
    if not rule.enabled:
        return []
    found = {length.steps}
    for epoch, count in enumerate(length.batches):
        if rule.interval is None or (rule.every_epochs is not None and (epoch + 1) % rule.every_epochs):
            continue
        every = rule.interval
        if isinstance(every, float):
            every = max(1, int(length.epoch_batches * every))
        offset = epoch * length.epoch_batches if rule.every_epochs is None else 0
        first = every - offset % every
        found |= {length.step_after(epoch, batch) for batch in range(first, count + 1, every)}
    return sorted(found)


def find_checkpoints(length: Length, every_n_steps: int) -> list[int]:
    """Return the optimiser steps after which last.ckpt is written.

    Args:
        length: Length of the training.
        every_n_steps: Steps from one to the next; 0 for the last step alone.
    """
    regular = range(every_n_steps, length.steps + 1, every_n_steps) if every_n_steps else ()
    return sorted({*regular, length.steps})


def find_stages(
    draws: Draws, length: Length, *, probe_epochs: int, head_only_from: Mapping[str, int | None]
) -> list[Stage]:
    """Return the changes in which tasks are trained, and in what of the model is.

    Args:
        draws: What the training draws.
        length: Its length.
        probe_epochs: Epochs at its start that train the heads only.
        head_only_from: Epoch from which a task trains its head only, by task; None for never.
    """
    begun: list[tuple[int, str]] = []
    if probe_epochs:
        begun += [(0, "linear probe: heads only"), (probe_epochs, "everything trains")]
    before: list[str] = list(draws.tasks)
    for epoch in range(len(length.batches)):
        present = [draws.tasks[number] for number in np.unique(draws.task[draws.epoch == epoch])]
        if present != before:
            begun.append((epoch, "all tasks" if present == list(draws.tasks) else f"{', '.join(present)} alone"))
        before = present
    begun += [(start, f"{name} trains its head only") for name, start in head_only_from.items() if start is not None]
    within = sorted((each for each in begun if each[0] < len(length.batches)), key=lambda each: each[0])
    return [Stage(epoch + 1, length.step_after(epoch, 0), what) for epoch, what in within]
