"""Randomness as a function of (seed, rank, epoch, step)."""

import hashlib
from typing import Any

import lightning.pytorch as L
import torch


class StepSeed(L.Callback):
    """Seeds PyTorch before each training step, so that dropout masks repeat under a seed and after a resume.

    Args:
        seed: The run's seed.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Seed the coming step."""
        torch.manual_seed(step_seed(self.seed, trainer.global_rank, trainer.current_epoch, batch_idx))


def step_seed(*numbers: int) -> int:
    """Mix numbers into one 63-bit seed.

    Example:
        >>> step_seed(1, 0, 0, 1) == step_seed(1, 0, 1, 0)
        False
    """
    mixed = hashlib.blake2b(repr(numbers).encode(), digest_size=8).digest()
    return int.from_bytes(mixed, "little") >> 1
