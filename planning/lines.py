"""What a plan says beside its tables."""

from collections.abc import Iterator, Sequence

from planning.plan import Plan
from runtime.counts import counted
from runtime.terminal import describe_bytes, describe_seconds

SHOWN = 4  # steps of a long list


def describe_plan(plan: Plan) -> Iterator[str]:
    """Yield the lines below the tables."""
    length = plan.length
    window = "" if length.window == 1 else f" of {length.window} batches"
    yield (
        f"length:       {counted(len(length.batches), 'epoch')}, {length.steps:,} optimiser steps{window}, "
        f"{sum(length.batches):,} batches ({plan.schedule})"
    )
    filled = f", {plan.filled:.0%} more to fill static shapes up" if plan.filled else ""
    yield f"tokens:       {plan.tokens:,}; a padded model would have {plan.padding_saved:.0%} padding{filled}"
    for stage in plan.stages:
        yield f"stage:        epoch {stage.epoch}, after step {stage.step:,}: {stage.what}"
    yield f"rate:         {', '.join(f'{each.rate:.3g} at step {each.step:,} ({each.what})' for each in plan.rates)}"
    yield f"validations:  {_list_steps(plan.validations)}"
    yield f"last.ckpt:    {_list_steps(plan.checkpoints)}"
    disk = plan.disk
    yield (
        f"disk:         last.ckpt {describe_bytes(disk.last)}, best weights {describe_bytes(disk.best)}; "
        f"{describe_bytes(disk.peak)} while last.ckpt is written anew"
    )
    yield from _describe_time(plan)
    yield from (f"note:         {note}" for note in plan.notes)
    yield from describe_concerns(plan)


def _describe_time(plan: Plan) -> Iterator[str]:
    found = plan.expected
    if found is None:
        return
    start = f", preparations {describe_seconds(found.start_seconds)}" if found.start_seconds >= 1 else ""
    yield (
        f"time:         about {describe_seconds(found.seconds)} on this machine: training "
        f"{describe_seconds(found.train_seconds)}, validations {describe_seconds(found.validation_seconds)}{start} "
        f"(from {found.steps} batches)"
    )
    if found.peak_memory_bytes is not None:
        yield f"memory:       {describe_bytes(found.peak_memory_bytes)}, the largest batch of each task included"


def describe_concerns(plan: Plan) -> Iterator[str]:
    """Yield what may be wrong with a plan."""
    yield from (f"{concern.level}: {concern.what}" for concern in plan.concerns)


def _list_steps(steps: Sequence[int]) -> str:
    """Name the steps of a list, the first few and the last of a long one.

    Example:
        >>> _list_steps([5, 10]), _list_steps(range(1, 9)), _list_steps([])
        ('after step 5, 10', 'after step 1, 2, 3, ..., 8 (8 times)', 'none')
    """
    if not steps:
        return "none"
    if len(steps) <= SHOWN:
        return f"after step {', '.join(f'{step:,}' for step in steps)}"
    first = ", ".join(f"{step:,}" for step in steps[: SHOWN - 1])
    return f"after step {first}, ..., {steps[-1]:,} ({len(steps):,} times)"
