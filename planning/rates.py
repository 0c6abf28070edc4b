"""The learning rate at the steps where it turns."""

from collections.abc import Callable
from dataclasses import dataclass

from lightning_modules import OptimizerSettings
from lightning_modules.optim import rate_shares


@dataclass(frozen=True)
class Rate:
    """The learning rate of one optimiser step.

    Args:
        what: What is special about the step.
        step: Its number, from 1.
        rate: The rate that the step is made with, of weights that learn with `lr`.
    """

    what: str
    step: int
    rate: float


def build_factor(settings: OptimizerSettings, num_steps: int, probe_steps: int) -> Callable[[int], float]:
    """Return a function from the number of an optimiser step, from 1, to the factor of every learning rate there.

    Args:
        settings: The schedule.
        num_steps: Optimiser steps of the training.
        probe_steps: Those of a linear probe at its start, which have the full rate.
    """
    share = rate_shares(settings, num_steps - probe_steps)
    return lambda step: 1.0 if step <= probe_steps else share(step - 1 - probe_steps)


def mark_rates(settings: OptimizerSettings, num_steps: int, probe_steps: int) -> list[Rate]:
    """Return the learning rate of the first step, of the first one after the warm-up, half-way and of the last."""
    if num_steps == 0:
        return []
    factor = build_factor(settings, num_steps, probe_steps)
    warm = end_of_warmup(settings, num_steps, probe_steps)
    marks = {1: "first step"}
    if warm > probe_steps:
        marks |= {warm + 1: "after the warm-up"}
    marks |= {(num_steps + 1) // 2: "half-way"} if (num_steps + 1) // 2 not in marks else {}
    marks |= {num_steps: "last step"}
    kept = {step: what for step, what in sorted(marks.items()) if step <= num_steps}
    return [Rate(what, step, settings.lr * factor(step)) for step, what in kept.items()]


def end_of_warmup(settings: OptimizerSettings, num_steps: int, probe_steps: int) -> int:
    """Return the last optimiser step of the warm-up; that of the linear probe, or 0, where there is no warm-up."""
    return probe_steps + round(settings.warmup * (num_steps - probe_steps))
