"""Gradient accumulation whose last window of an epoch counts like the others."""

import lightning.pytorch as L


def window_scale(trainer: L.Trainer | None, batch_idx: int) -> float:
    """Give the factor that makes a window's gradient the mean over its batches.

    Lightning divides every loss by `accumulate_grad_batches`, also in the last window of an epoch, which may hold fewer
    batches.

    Args:
        trainer: The trainer; None outside a training.
        batch_idx: Number of the batch in its epoch.
    """
    if trainer is None or trainer.accumulate_grad_batches == 1:
        return 1.0
    window = trainer.accumulate_grad_batches
    first = batch_idx - batch_idx % window
    return window / min(window, int(trainer.num_training_batches) - first)
