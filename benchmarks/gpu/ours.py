"""Our programs: Lightning's Trainer with our module and callbacks, as `train.py fit` runs them."""

from dataclasses import dataclass
from pathlib import Path

import lightning.pytorch as L
import torch
from torch.utils.data import DataLoader

from backbones import AttentionChoice, StaticShape, WeightCasts
from benchmarks.gpu.measuring import LightningClock, StepClock, StepTimes
from benchmarks.gpu.workload import TASK, Size, Work
from callbacks import LossGuard, StepSeed, TaskLosses
from datamodules import Batch, DeviceDataset, TaskDataset
from lightning_modules import MultitaskModule, OptimizerSettings
from lightning_modules.acceleration import CompileChoice
from runtime.messages import silence_lightning
from tasks import Quora


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A way to train.

    Args:
        precision: Lightning's precision.
        attention: `--model.attention`.
        weight_casts: `--model.weight_casts`.
        compile: `--model.compile`; static shapes with it.
        on_device: `--data.on_device`.
        for_all_batch_sizes: Whether it is measured beyond the first batch size; what is compiled takes long to start.
    """

    precision: str = "bf16-mixed"
    attention: AttentionChoice = "auto"
    weight_casts: WeightCasts = "each"
    compile: CompileChoice = "none"
    on_device: bool = False
    for_all_batch_sizes: bool = True


VARIANTS = {
    "ours eager, grouped attention": Variant(attention="grouped"),
    "ours eager": Variant(),
    "ours eager, weights cast together": Variant(weight_casts="together"),
    "ours eager, weights cast together, data on device": Variant(weight_casts="together", on_device=True),
    "ours CUDA graphs, data on device": Variant(compile="reduce-overhead", on_device=True),
    "ours CUDA graphs": Variant(compile="reduce-overhead", for_all_batch_sizes=False),
    "ours compiled, data on device": Variant(compile="default", on_device=True, for_all_batch_sizes=False),
}


class WorkData(L.LightningDataModule):
    """The batches of a work.

    Args:
        work: The batches.
        variant: Whether they have static shapes and are joined on the device.
    """

    def __init__(self, work: Work, variant: Variant) -> None:
        super().__init__()
        self._work = work
        self._variant = variant
        self.round_tokens = work.round_tokens if variant.compile != "none" else 0

    def train_dataloader(self) -> DataLoader[Batch]:
        """Return the batches in order."""
        assert self.trainer is not None
        device, module = self.trainer.strategy.root_device, self.trainer.lightning_module
        needs_groups = isinstance(module, MultitaskModule) and module.backbone.attention == "grouped"
        shapes: dict[str, StaticShape] = {TASK: self._work.shape} if self.round_tokens else {}
        dataset = TaskDataset({TASK: self._work.store}, num_groups=4 if needs_groups else 0, shapes=shapes)
        if self._variant.on_device:
            return DataLoader(DeviceDataset(dataset, device), sampler=self._work.order, batch_size=None)
        return DataLoader(dataset, sampler=self._work.order, batch_size=None, pin_memory=device.type == "cuda")


def run_ours(variant: Variant, work: Work, size: Size, device: torch.device, folder: Path) -> StepTimes:
    """Train and give what a step took."""
    silence_lightning("but have no `val_dataloader`")
    torch.manual_seed(0)
    clock = StepClock(size, device)
    module = MultitaskModule(
        {TASK: Quora()},
        "random",
        backbone_config=size.config,
        optimizer=OptimizerSettings(schedule="constant", warmup=0.0),
        attention=variant.attention,
        weight_casts=variant.weight_casts,
        compile=variant.compile,
    )
    trainer = L.Trainer(
        accelerator="gpu" if device.type == "cuda" else "cpu",
        devices=1,
        precision=variant.precision,  # type: ignore[arg-type]
        gradient_clip_val=1.0,
        max_epochs=1,
        limit_val_batches=0,
        num_sanity_val_steps=0,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        logger=False,
        default_root_dir=folder,
        callbacks=[StepSeed(0), TaskLosses(), LossGuard(), LightningClock(clock)],
    )
    trainer.fit(module, datamodule=WorkData(work, variant))
    return clock.result()
