"""The learning rate of each optimiser step, as a share of the highest."""

import math
from typing import Literal

Form = Literal["constant", "linear", "cosine"]


def rate_share(step: int, *, form: Form, num_warmup: int, num_steps: int) -> float:
    """Return the learning rate of a step as a share of the highest: as transformers' schedules of these names.

    Theirs come with peft, whose import takes longer than the rest of a start's model.

    Args:
        step: The step, from 0.
        form: What follows the warm-up.
        num_warmup: Steps in which the rate rises from 0.
        num_steps: Steps of the whole schedule.

    Example:
        >>> [rate_share(step, form="linear", num_warmup=2, num_steps=6) for step in range(7)]
        [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0]
    """
    if step < num_warmup:
        return step / num_warmup
    if form == "constant":
        return 1.0
    num_falling = max(1, num_steps - num_warmup)
    if form == "linear":
        return max(0.0, (num_steps - step) / num_falling)
    return max(0.0, 0.5 * (1.0 + math.cos(math.pi * ((step - num_warmup) / num_falling))))
