"""The steps of multitask training."""

from typing import Any, Literal

import lightning.pytorch as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torchmetrics import MeanMetric, MetricCollection

from backbones import Adapter, Backbone, Pooling, build_bert, load_bert
from datamodules import TaskBatch
from heads import Head
from lightning_modules.accumulation import window_scale
from lightning_modules.frozen_vectors import FrozenVectors
from lightning_modules.hyperparameters import check_fit, keep_plain_hyperparameters
from lightning_modules.optim import OptimizerSettings, clip, configure
from lightning_modules.saved_weights import (
    fill_in_resting,
    keep_averaged,
    leave_out_resting,
    refuse_forgotten_averaging,
    report_parameters,
)
from lightning_modules.score import Score
from tasks import InputError, Task

EvaluationSplit = Literal["val", "test"]


class MultitaskModule(L.LightningModule):
    """One BERT backbone and a head for each task.

    Logs `<split>/<task>/<metric>`, `<split>/<task>/loss` and `<split>/mean`, the plain mean of the tasks' first metrics
    (the paper's average). `mean` is NaN, which never wins a checkpoint, where a correlation is undefined because all
    predictions are equal. With `score` also logs `<split>/score`, where all tasks of the formula have such a split.

    Args:
        tasks: The tasks by name.
        backbone: A folder with a Hugging Face BERT, `package:NAME` for weights inside a Python package, or a hub name.
        pooling: How a sequence becomes one vector (see Backbone).
        freeze_backbone: Train the heads only.
        linear_probe_epochs: Epochs at the start that train the heads only, at their full rate, on a resting backbone
            without dropout (its vectors are computed once, see cache_vectors); then everything trains, and the
            learning-rate schedule, warm-up included, is laid over the steps from there (LP-FT: Kumar et al. 2022,
            https://arxiv.org/abs/2202.10054).
        adapter: Train few new weights in the place of the backbone's, or beside them: Lora or Pals.
        save_trainable_only: Leave the resting weights out of every checkpoint; loading takes them from `backbone` and
            refuses other ones.
        fresh_layers: Start backbone layers that the weights lack (such as a pooler) at random instead of refusing.
        cache_vectors: Compute each example's vectors once in `fit` while the backbone is frozen: fp32, 4 * S * H bytes
            an example.
        optimizer: AdamW and its schedule.
        score: A formula over `<task>.<metric>` (see Score), such as `0.5*sst.accuracy + 0.5*sts.pearson`; the best
            checkpoint follows it with `--best_checkpoint.monitor val/score`.
        backbone_config: Shape of the backbone; given, its weights start at random. Checkpoints set it, so that they
            load without the backbone's files.

    Raises:
        InputError: If a task's name or head is unfit, or two settings exclude each other.
        ValueError: If the backbone cannot be loaded.
    """

    def __init__(
        self,
        tasks: dict[str, Task],
        backbone: str,
        *,
        pooling: Pooling = "pooler",
        freeze_backbone: bool = False,
        linear_probe_epochs: int = 0,
        adapter: Adapter | None = None,
        save_trainable_only: bool = False,
        fresh_layers: bool = False,
        cache_vectors: bool = True,
        optimizer: OptimizerSettings = OptimizerSettings(),
        score: str | None = None,
        backbone_config: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.tasks = tasks
        self.optimizer = optimizer
        self.cache_vectors = cache_vectors
        self._score = None if score is None else _build_score(score, tasks)
        self._frozen_vectors: FrozenVectors | None = None
        if linear_probe_epochs < 0 or (linear_probe_epochs and freeze_backbone):
            raise InputError(
                f"model.linear_probe_epochs is {linear_probe_epochs} (expected 0 or more, and 0 with freeze_backbone)"
            )
        self.linear_probe_epochs = linear_probe_epochs
        if adapter is not None and freeze_backbone:
            raise InputError(
                "model.adapter and model.freeze_backbone exclude each other (the adapter has its own options)"
            )
        if save_trainable_only and (fresh_layers or backbone_config is not None):
            raise InputError("model.save_trainable_only needs weights that come from the backbone's files alone")
        self.save_trainable_only = save_trainable_only
        with_pooler = pooling == "pooler"
        if backbone_config is None:
            bert = load_bert(backbone, fresh_layers=fresh_layers)
        else:
            bert = build_bert(backbone_config, with_pooler=with_pooler)
        if not with_pooler:
            bert.pooler = None  # it would get no gradient
        self.backbone = Backbone(bert, pooling=pooling, frozen=freeze_backbone, adapter=adapter, tasks=list(tasks))
        if save_trainable_only and all(weight.requires_grad for weight in self.backbone.parameters()):
            raise InputError("model.save_trainable_only: all weights train (expected an adapter or freeze_backbone)")
        self.heads = nn.ModuleDict(_build_heads(tasks, self.backbone.hidden_size))
        self._metrics = nn.ModuleDict({split: _build_metrics(tasks) for split in ("val", "test")})
        config = None if save_trainable_only else bert.config.to_diff_dict()
        keep_plain_hyperparameters(self, backbone_config=config)

    def forward(self, batch: TaskBatch) -> Tensor:
        """Give the output of the batch's head, (B, C) or (B,)."""
        head = self._head(batch.task)
        if self._frozen_vectors is not None:
            split = "train" if self.trainer.training else "dev"
            pooled = self._frozen_vectors.look_up(split, batch.task, batch.rows)
        else:
            with torch.set_grad_enabled(torch.is_grad_enabled() and not self._trains_head_only(batch.task)):
                pooled = self.backbone(batch.tokens, batch.task)
        output: Tensor = head(pooled.view(-1, head.num_sequences, pooled.shape[-1]))
        return output

    def _trains_head_only(self, task: str) -> bool:
        start = self.tasks[task].head_only_from
        return start is not None and self._trainer is not None and self.trainer.current_epoch >= start

    def on_fit_start(self) -> None:
        """Say how many parameters train, and compute every vector of a frozen backbone once."""
        report_parameters(self)
        self._remember_vectors()

    def _remember_vectors(self) -> None:
        if self.backbone.frozen and self.cache_vectors:
            data: Any = self.trainer.datamodule  # type: ignore[attr-defined]
            self._frozen_vectors = FrozenVectors(
                self.backbone, data.stores, tokens_a_batch=data.tokens_a_batch, device=self.device
            )

    def on_train_start(self) -> None:
        """Begin the linear probe, or go on with it: Lightning starts no epoch that it resumes inside."""
        if self.trainer.current_epoch < self.linear_probe_epochs:
            self.backbone.rest(True)
            self._remember_vectors()

    def on_train_epoch_start(self) -> None:
        """End the linear probe."""
        if self.linear_probe_epochs and self.trainer.current_epoch >= self.linear_probe_epochs:
            self._end_probe()

    def _end_probe(self) -> None:
        self._frozen_vectors = None
        self.backbone.rest(False)

    def on_fit_end(self) -> None:
        """Let the vectors go."""
        self._frozen_vectors = None
        if self.linear_probe_epochs:
            self._end_probe()

    def _head(self, task: str) -> Head:
        head = self.heads[task]
        assert isinstance(head, Head)
        return head

    def training_step(self, batch: TaskBatch, batch_idx: int) -> dict[str, Tensor]:
        """Give the loss to minimise, and the task's own mean loss before weights for the logs."""
        loss = self._head(batch.task).loss(self(batch), batch.labels)
        factor = self.tasks[batch.task].weight * batch.weight * window_scale(self._trainer, batch_idx)
        return {"loss": loss * factor, "task_loss": loss.detach()}

    def validation_step(self, batch: TaskBatch, batch_idx: int) -> dict[str, Any]:
        """Count a dev batch and give its predictions."""
        return self._evaluate(batch, "val")

    def test_step(self, batch: TaskBatch, batch_idx: int) -> dict[str, Any]:
        """Count a test batch and give its predictions."""
        return self._evaluate(batch, "test")

    def predict_step(self, batch: TaskBatch, batch_idx: int, dataloader_idx: int = 0) -> dict[str, Any]:
        """Give the predictions of a batch: labels in label units (B,), probabilities (B, C) or None."""
        return self._predict(batch, self(batch))

    def _evaluate(self, batch: TaskBatch, split: EvaluationSplit) -> dict[str, Any]:
        output = self(batch)
        predictions = self._predict(batch, output)
        metrics = self._task_metrics(split, batch.task)
        metrics["scores"].update(predictions["prediction"], batch.labels)
        metrics["loss"].update(self._head(batch.task).loss(output, batch.labels), weight=len(batch.ids))
        return predictions

    def _predict(self, batch: TaskBatch, output: Tensor) -> dict[str, Any]:
        head = self._head(batch.task)
        return {"prediction": head.predict(output), "probabilities": head.probabilities(output)}

    def _task_metrics(self, split: EvaluationSplit, task: str) -> dict[str, Any]:
        metrics: Any = self._metrics[split]
        return {"scores": metrics[task]["scores"], "loss": metrics[task]["loss"]}

    def on_validation_epoch_end(self) -> None:
        """Log the metrics of the whole dev split."""
        self._log_scores("val")

    def on_test_epoch_end(self) -> None:
        """Log the metrics of the whole test split."""
        self._log_scores("test")

    def _log_scores(self, split: EvaluationSplit) -> None:
        first_metrics = []
        logged: dict[str, dict[str, float]] = {}
        for name in self._evaluated_tasks(split):
            task, metrics = self.tasks[name], self._task_metrics(split, name)
            scores = metrics["scores"].compute()
            first_metrics.append(float(scores[task.metric_names[0]]))
            values = {**scores, "loss": metrics["loss"].compute()}
            self.log_dict({f"{split}/{name}/{key}": value for key, value in values.items()})
            logged[name] = {key: float(value) for key, value in values.items()}
            metrics["scores"].reset()
            metrics["loss"].reset()
        self.log(f"{split}/mean", sum(first_metrics) / len(first_metrics), prog_bar=True)
        if self._score is not None and logged.keys() >= set(self._score.tasks):
            self.log(f"{split}/score", self._score(logged), prog_bar=True)

    def _evaluated_tasks(self, split: EvaluationSplit) -> list[str]:
        """Name the tasks with such a split, the same on every process: a small split leaves some without a batch."""
        counts = [self._task_metrics(split, name)["loss"].update_count for name in self.tasks]
        total = self.trainer.strategy.reduce(torch.tensor(counts, device=self.device), reduce_op="sum")
        return [name for name, count in zip(self.tasks, total.tolist(), strict=True) if count]

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save averaged weights where there are some, and the trained part alone if asked to."""
        keep_averaged(self, checkpoint)
        if self.save_trainable_only:
            leave_out_resting(self, checkpoint)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse weights of other tasks, heads or backbones with one sentence."""
        fill_in_resting(self, checkpoint)
        check_fit(self, checkpoint)
        refuse_forgotten_averaging(self, checkpoint)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Build AdamW and its schedule over all optimiser steps of the training."""
        probe_epochs = self.linear_probe_epochs
        return configure(self.optimizer, self.trainer, self.backbone, self.heads, probe_epochs=probe_epochs)

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: int | float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip as the Trainer asks; see `clip`."""
        clip(self, optimizer, gradient_clip_val, gradient_clip_algorithm)


def _build_heads(tasks: dict[str, Task], hidden_size: int) -> dict[str, Head]:
    if not tasks:
        raise InputError("tasks is empty (expected at least one task)")
    heads = {}
    for name, task in tasks.items():
        if not name.isidentifier() or hasattr(nn.ModuleDict, name) or name in ("training", "mean"):
            raise InputError(f"task name {name!r} cannot be used (expected letters, digits and _, no word of PyTorch)")
        try:
            heads[name] = task.build_head(hidden_size)
        except InputError as error:
            raise InputError(f"task {name}: {error}") from None
        if task.head_only_from is not None and not list(heads[name].parameters()):
            raise InputError(f"task {name}: head_only_from is set, but its {type(heads[name]).__name__} has no weights")
    return heads


def _build_score(formula: str, tasks: dict[str, Task]) -> Score:
    if "score" in tasks:
        raise InputError("task name 'score' cannot be used beside model.score (both would log val/score)")
    return Score(formula, {name: (*task.metric_names, "loss") for name, task in tasks.items()})


def _build_metrics(tasks: dict[str, Task]) -> nn.ModuleDict:
    return nn.ModuleDict(
        {name: nn.ModuleDict({"scores": _collect_scores(task), "loss": MeanMetric()}) for name, task in tasks.items()}
    )


def _collect_scores(task: Task) -> MetricCollection:
    return MetricCollection({str(name): metric for name, metric in task.build_metrics().items()})
