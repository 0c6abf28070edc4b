"""How much room the checkpoints of a training take."""

from dataclasses import dataclass

from lightning_modules import MultitaskModule

ADAM_BYTES = 8  # two running means of four bytes for each trained number


@dataclass(frozen=True)
class Kept:
    """Which checkpoints a training keeps.

    Args:
        best: Files of the best weights; as many as there are validations where it is -1.
        whole_best: Whether these hold the state of the optimiser too.
        per_task: Further files, of each task's best weights.
        averages: Whether averaged weights are kept beside the trained ones.
    """

    best: int = 1
    whole_best: bool = False
    per_task: int = 0
    averages: bool = False


@dataclass(frozen=True)
class Disk:
    """Bytes of the checkpoints.

    Args:
        last: last.ckpt, with everything that a resume needs.
        best: All files of best weights together.
        peak: All of them, with the copy of last.ckpt that is there while it is written anew.
    """

    last: int
    best: int
    peak: int


def expect_disk(module: MultitaskModule, kept: Kept, *, validations: int) -> Disk:
    """Compute the bytes of the checkpoints.

    Args:
        module: The model, as it is built.
        kept: Which checkpoints are kept.
        validations: Number of validations, each of which may write best weights.
    """
    training = [weight for weight in module.parameters() if weight.requires_grad]
    state = ADAM_BYTES * sum(weight.numel() for weight in training)
    if module.has_past_weights:
        state += sum(weight.nbytes for weight in training)
    frozen = {name for name, weight in module.named_parameters() if not weight.requires_grad}
    left_out = frozen if module.save_trainable_only else set()
    weights = sum(value.nbytes for name, value in module.state_dict().items() if name not in left_out)
    last = weights * (2 if kept.averages else 1) + state
    files = validations if kept.best < 0 else min(kept.best, validations)
    best = files * (last if kept.whole_best else weights) + min(validations, 1) * kept.per_task * weights
    return Disk(last=last, best=best, peak=2 * last + best)
