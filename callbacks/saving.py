"""Writing `last.ckpt`, which never holds weights that are no numbers."""

from pathlib import Path

import lightning.pytorch as L

from tasks import InputError


class NonFiniteWeightsError(InputError):
    """Weights became NaN or infinite."""


def save_to_resume(trainer: L.Trainer, path: Path) -> None:
    """Write a checkpoint to resume from, in the place of the one before.

    A step may spoil the weights though its loss was finite: by a gradient that was not. Nothing could be resumed from
    them, so the checkpoint from before stays.

    Args:
        trainer: The trainer, on every rank.
        path: Where the checkpoint belongs.

    Raises:
        NonFiniteWeightsError: If a weight is no finite number; what `path` holds is left alone.
    """
    for name, weight in trainer.lightning_module.named_parameters():
        if not weight.isfinite().all():
            left = f"{path} is left as it was before" if path.exists() else "Nothing is saved"
            raise NonFiniteWeightsError(
                f"step {trainer.global_step}: the weights {name} are no finite numbers; a step had a finite loss, but "
                f"gradients that were not. {left}. --guard.skip_limit 10 leaves such steps out; a lower learning rate "
                "or --trainer.gradient_clip_val 1 may help"
            )
    trainer.save_checkpoint(path)
