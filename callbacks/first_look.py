"""A word on the data before the first step."""

import logging

import lightning.pytorch as L

from checks.quick import describe_problems
from datamodules.multitask import multitask_data

log = logging.getLogger(__name__)


class FirstLook(L.Callback):
    """Says in one line how many dev rows are trained on and how many train rows contradict each other."""

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Look at the tokens, on the first process."""
        if not trainer.is_global_zero:
            return
        stores = multitask_data(trainer).stores
        if line := describe_problems(stores["train"], stores["dev"]):
            log.info(line)
