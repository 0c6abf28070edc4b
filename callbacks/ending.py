"""How a training ended, and where its best weights are."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

import lightning.pytorch as L
from lightning.pytorch.callbacks import Checkpoint, EarlyStopping, ModelCheckpoint, Timer

from callbacks.checkpoints import BestCheckpoint, BestTaskCheckpoint


def describe_stop(callbacks: Sequence[L.Callback], *, step: int, total: float) -> str | None:
    """Say what ended the training before its time; None where nothing did.

    Args:
        callbacks: The trainer's callbacks.
        step: The optimiser step it ended at.
        total: Optimiser steps that were asked for; a stop right after the last one ended nothing.
    """
    if step >= total:
        return None
    for callback in callbacks:
        if isinstance(callback, EarlyStopping) and callback.stopping_reason_message:
            reason = callback.stopping_reason_message.replace(" Signaling Trainer to stop.", "").rstrip(".")
            return f"stopped early in epoch {callback.stopped_epoch + 1}, at step {step}: {reason}"
        remaining = callback.time_remaining() if isinstance(callback, Timer) else None
        if remaining is not None and remaining <= 0:
            return f"stopped at step {step}: its time is over (--trainer.max_time)"
    return None


def describe_best(checkpoints: Sequence[Checkpoint], logged: Mapping[str, Any]) -> Iterator[str]:
    """Say of each best checkpoint what it scored, where it lies, and what the last weights score.

    Equal scores do not make the weights equal: of two validations with the same score the first one's are kept.

    Args:
        checkpoints: The trainer's checkpoint callbacks.
        logged: What the last validation logged.
    """
    for callback in checkpoints:
        if not keeps_best(callback) or not callback.best_model_path or callback.best_model_score is None:
            continue
        best, last = float(callback.best_model_score), logged.get(str(callback.monitor))
        number = f"{best:.4f}" if math.isfinite(best) else "undefined"
        said = f"best {callback.monitor}: {number}, in {callback.best_model_path}"
        if last is None:
            yield said
        elif float(last) == best:
            yield f"{said} (the last weights score the same)"
        else:
            yield f"{said} (scores above are of the last weights: {float(last):.4f})"


def summarize_best(checkpoints: Sequence[Checkpoint]) -> dict[str, Any]:
    """Return the best checkpoint and what it scored, and each task's best checkpoint, for the report.

    A score that no validation defined is None.
    """
    found = [one for one in checkpoints if keeps_best(one) and not isinstance(one, BestTaskCheckpoint)]
    overall = next((one for one in found if isinstance(one, BestCheckpoint)), next(iter(found), None))
    of_tasks = {one.task: one.best_model_path for one in checkpoints if isinstance(one, BestTaskCheckpoint)}
    score = None if overall is None or overall.best_model_score is None else float(overall.best_model_score)
    return {
        "best_checkpoint": None if overall is None else overall.best_model_path,
        "best_score": None if score is None or not math.isfinite(score) else score,
        **({"best_checkpoints": of_tasks} if of_tasks else {}),
    }


def keeps_best(callback: Checkpoint) -> TypeGuard[ModelCheckpoint]:
    """Whether a checkpoint callback keeps the best weights of a score."""
    return isinstance(callback, ModelCheckpoint) and callback.monitor is not None
