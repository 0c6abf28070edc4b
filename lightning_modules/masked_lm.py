"""The steps of further masked-LM pre-training."""

import logging
from typing import Any

import lightning.pytorch as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.nn import functional as F

from backbones import (
    AttentionChoice,
    Backbone,
    build_encoder,
    load_encoder,
    load_masked_lm_head,
    load_masked_lm_predictions,
)
from backbones.masked_lm_head import FamilyMaskedLMHead, masked_lm_class
from datamodules import MaskedLMBatch
from heads.masked_lm import MaskedLMHead
from lightning_internals import attached_trainer
from lightning_modules.acceleration import accelerate
from lightning_modules.accumulation import WindowMean
from lightning_modules.hyperparameters import check_fit, check_resumable, keep_plain_hyperparameters
from lightning_modules.meaning import compare_with_checkpoint
from lightning_modules.objective import Term
from lightning_modules.optim import OptimizerSettings, clip, configure
from lightning_modules.task_scores import Direction
from objectives import reduce_over_processes
from tasks.exact_metrics import ExactMean

log = logging.getLogger(__name__)


class MaskedLMModule(L.LightningModule):
    """A backbone that learns to guess masked tokens; only their last-layer states and logits are computed.

    Logs `val/mlm/loss` (mean over masked tokens, nats), `val/mlm/perplexity` and `val/mlm/accuracy`. A pooler gets
    no gradient and leaves as it came. A backbone without a masked-LM head gets a fresh one.

    Args:
        backbone: A folder with a Hugging Face encoder, `package:NAME` for weights inside a Python package, or a name on
            the hub.
        optimizer: AdamW and its schedule.
        attention: How attention is computed: `auto` is `varlen` on a GPU where a probe passes, else `grouped`. The
            numbers are the same, the dropout masks are not.
        backbone_config: Shape of the backbone; given, its weights start at random. Checkpoints set it, so that they
            load without the backbone's files.

    Raises:
        ValueError: If the backbone cannot be loaded, or its family has no masked-LM head.

    Source: Gururangan et al. 2020, https://arxiv.org/abs/2004.10964; Zhong & Liu, section 3.4.
    """

    def __init__(
        self,
        backbone: str,
        *,
        optimizer: OptimizerSettings = OptimizerSettings(lr=5e-5),
        attention: AttentionChoice = "auto",
        backbone_config: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self._attention: AttentionChoice = attention
        self.optimizer = optimizer
        self._window = WindowMean()
        if backbone_config is None:
            bert = load_encoder(backbone)
        else:
            shape = {name: value for name, value in backbone_config.items() if name != "with_pooler"}
            bert = build_encoder(shape, with_pooler=bool(backbone_config.get("with_pooler", True)))
        if bert.config.model_type == "modernbert":
            bert.pooler = None  # type: ignore[assignment]  # which is a part of the head here
        self.backbone = Backbone(bert, pooling="cls")
        has_pooler = getattr(bert, "pooler", None) is not None
        if has_pooler:
            bert.pooler.requires_grad_(False)
        self.head = self._build_head(backbone, is_new=backbone_config is not None)
        self._metrics: Any = torch.nn.ModuleDict({"loss": ExactMean(), "accuracy": ExactMean()})
        config = {**bert.config.to_diff_dict(), "with_pooler": has_pooler}
        keep_plain_hyperparameters(self, backbone_config=config)

    def _build_head(self, backbone: str, *, is_new: bool) -> MaskedLMHead | FamilyMaskedLMHead:
        """Return the head of the backbone's weights, a fresh one if they have none or are new themselves."""
        config = self.backbone.bert.config
        head: MaskedLMHead | FamilyMaskedLMHead | None
        if config.model_type == "bert":
            head = MaskedLMHead(config)
            weights = None if is_new else load_masked_lm_predictions(backbone)
            if weights is not None:
                head.load_predictions(weights)
            has_head = weights is not None
        else:
            head = None if is_new else load_masked_lm_head(backbone)
            has_head = head is not None
            head = head or FamilyMaskedLMHead(masked_lm_class(config)(config))
        if has_head:
            log.info("backbone %s: its masked-LM head is trained on", backbone)
        elif not is_new:
            log.info("backbone %s has no masked-LM head: a fresh one is trained, its decoder tied", backbone)
        return head

    def setup(self, stage: str) -> None:
        """Settle how the backbone computes on the trainer's device."""
        accelerate(self.backbone, self.trainer, attention=self._attention)

    def forward(self, batch: MaskedLMBatch) -> Tensor:
        """Return the logits of the tokens to guess, (R, V)."""
        hidden = self.backbone.encode(batch.tokens, batch.wanted)
        logits: Tensor = self.head(hidden, self.backbone.bert.get_input_embeddings().weight)
        return logits

    def training_step(self, batch: MaskedLMBatch, batch_idx: int) -> dict[str, Any]:
        """Return the loss over the masked tokens of all ranks, and this rank's mean for the logs."""
        loss_sum = F.cross_entropy(self(batch), batch.targets, reduction="sum")
        count = torch.full((), float(batch.targets.numel()), device=loss_sum.device)  # a copy would wait for the device
        world_size = self.trainer.world_size
        total = reduce_over_processes(count.clone(), "sum")
        share = self._window.share(self.trainer.accumulate_grad_batches, batch_idx, total)
        task_loss = loss_sum.detach() / count.clamp(min=1)
        terms = {f"{batch.task}/loss": Term(task_loss, batch.targets.numel())}
        return {"loss": loss_sum * world_size / total.clamp(min=1) * share, "task_loss": task_loss, "terms": terms}

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Make the gradients of an accumulation window means over its masked tokens."""
        self._window.settle(self.parameters())

    def validation_step(self, batch: MaskedLMBatch, batch_idx: int) -> None:
        """Count a batch of held-out text."""
        if batch.targets.numel() == 0:
            return
        logits = self(batch)
        count = batch.targets.numel()
        self._metrics["loss"].update(F.cross_entropy(logits, batch.targets), weight=count)
        self._metrics["accuracy"].update((logits.argmax(dim=1) == batch.targets).float().mean(), weight=count)

    def on_validation_epoch_end(self) -> None:
        """Log the metrics of the whole held-out text."""
        values = {name: metric.compute() for name, metric in self._metrics.items()}
        values["perplexity"] = values["loss"].exp()
        for name, value in values.items():
            self.log(f"val/mlm/{name}", value, prog_bar=name == "loss")
        for metric in self._metrics.values():
            metric.reset()

    def validation_scores(self, batches: int | None = None) -> dict[str, Direction]:
        """Return what a validation logs, however many batches it has, and which way it gets better."""
        return {"val/mlm/loss": "min", "val/mlm/perplexity": "min", "val/mlm/accuracy": "max"}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save what the numbers mean."""
        checkpoint["meaning"] = {"backbone": self.backbone.meaning()}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse weights of another backbone with one sentence."""
        compare_with_checkpoint(checkpoint, {"backbone": self.backbone.meaning()})
        check_fit(checkpoint, self.state_dict())
        trainer = attached_trainer(self)
        if trainer is not None and trainer.training:
            trained = [name for name, weight in self.named_parameters() if weight.requires_grad]
            check_resumable(checkpoint, trained, self.hparams)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Build AdamW and its schedule over all optimiser steps of the training."""
        return configure(self.optimizer, self.trainer, self.backbone, self.head)

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: int | float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip as the Trainer asks; see `clip`."""
        clip(optimizer, gradient_clip_val, gradient_clip_algorithm)
