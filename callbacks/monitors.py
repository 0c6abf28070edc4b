"""Whether what a callback monitors is ever logged, and is better in the direction that the callback takes."""

from collections.abc import Iterable, Mapping

import lightning.pytorch as L
from lightning.pytorch.callbacks import ModelCheckpoint

from callbacks.checkpoints import BestCheckpoint, BestTaskCheckpoint
from lightning_modules import Direction
from tasks import InputError

COUNTERS = ("epoch", "step")  # which ModelCheckpoint may monitor too


def check_monitors(callbacks: Iterable[L.Callback], scores: Mapping[str, Direction], *, where: str = "") -> None:
    """Refuse a monitor that a validation does not log, and a mode that keeps or waits for the worst.

    Args:
        callbacks: All callbacks; those with a `monitor` are looked at.
        scores: What a validation logs.
        where: What makes it log less than usual, for the message.

    Raises:
        InputError: If so.
    """
    for callback in callbacks:
        monitor, mode = getattr(callback, "monitor", None), getattr(callback, "mode", None)
        if monitor is None or (isinstance(callback, ModelCheckpoint) and _needs_no_score(callback)):
            continue
        flag = _name(callback)
        if monitor not in scores:
            raise InputError(f"{flag}.monitor is {monitor}{where} (expected one of {', '.join(scores)})")
        better = scores[monitor]
        if better != "either" and mode in ("min", "max") and mode != better:
            word = "more" if better == "max" else "less"
            raise InputError(f"{flag}.mode is {mode}, but {word} of {monitor} is better (expected {better})")


def refuse_other_last(callbacks: Iterable[L.Callback]) -> None:
    """Refuse a callback that would write over the `last.ckpt` that a training resumes from.

    Args:
        callbacks: All callbacks, before those without a folder get that of the run.

    Raises:
        InputError: If there is one.
    """
    for callback in callbacks:
        if isinstance(callback, ModelCheckpoint) and callback.save_last and callback.dirpath is None:
            raise InputError(
                f"{_name(callback)}.save_last is {callback.save_last} (expected null, or a dirpath: the run's "
                "last.ckpt is what a training resumes from)"
            )


def _needs_no_score(checkpoint: ModelCheckpoint) -> bool:
    return checkpoint.monitor in COUNTERS or checkpoint.save_top_k == 0


def _name(callback: L.Callback) -> str:
    if isinstance(callback, BestTaskCheckpoint):
        return "best_checkpoint_per_task"
    return "best_checkpoint" if isinstance(callback, BestCheckpoint) else f"trainer.callbacks.{type(callback).__name__}"
