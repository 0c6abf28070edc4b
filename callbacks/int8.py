"""Prediction with int8 layers."""

from pathlib import Path

import lightning.pytorch as L

from inference.int8_choice import quantize
from lightning_modules import MultitaskModule


class Int8Prediction(L.Callback):
    """Makes the backbone compute in int8 once its weights are loaded, in `predict` alone; see inference.int8_choice."""

    def on_predict_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Put int8 layers into the place of the encoder's linear layers."""
        assert isinstance(pl_module, MultitaskModule)
        quantize(pl_module.backbone, Path(str(trainer.ckpt_path)), pl_module.device)
