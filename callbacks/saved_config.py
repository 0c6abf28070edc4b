"""The configuration that a run leaves in its folder."""

import lightning.pytorch as L
from lightning.pytorch.cli import SaveConfigCallback


class SavedConfig(SaveConfigCallback):
    """Lightning's SaveConfigCallback, which leaves out what a training resumed from; `report.json` names that.

    A later command with the file would use those weights, and not the run's own, without a word.
    """

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Write `config.yaml`."""
        if stage == "fit":
            self.config = self.config.clone()
            self.config["ckpt_path"] = None
        super().setup(trainer, pl_module, stage)
