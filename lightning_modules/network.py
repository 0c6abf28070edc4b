"""What a model of several tasks does with a batch: forward pass, scores and predictions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import lightning.pytorch as L
import torch
from lightning.pytorch.trainer.states import TrainerFn, TrainerStatus
from torch import Tensor, nn

from backbones import Backbone
from datamodules import Batch, TaskBatch, multitask_data, passes
from heads import Head, Trunk
from lightning_internals import attached_trainer
from lightning_modules.evaluation import count_batch, directions, predict, summarize
from lightning_modules.frozen_vectors import FrozenVectors
from lightning_modules.score import Score
from lightning_modules.task_scores import Direction, TaskScores
from objectives import reduce_over_processes
from tasks import Task

EvaluationSplit = Literal["val", "test"]


class TaskNetwork(L.LightningModule):
    """Backbone, trunk and heads: MultitaskModule without its training.

    Args:
        tasks: The tasks by name.
        backbone: The encoder that they share.
        heads: The head of each task.
        trunk: What every head reads beside the pooled vector; None for nothing.
        score: The weighted sum of metrics that is logged beside the mean; None for none.
        linear_probe_epochs: Epochs at the start that train the heads only, on a frozen backbone.
        cache_vectors: Compute each example's vectors once in `fit` while the backbone is frozen.
    """

    def __init__(
        self,
        tasks: Mapping[str, Task],
        backbone: Backbone,
        heads: Mapping[str, Head],
        trunk: Trunk | None,
        *,
        score: Score | None,
        linear_probe_epochs: int,
        cache_vectors: bool,
    ) -> None:
        super().__init__()
        self.tasks = tasks
        self.backbone = backbone
        self.heads = nn.ModuleDict(heads)
        self.trunk = trunk
        self._score = score
        self._metrics = nn.ModuleDict({split: TaskScores(tasks) for split in ("val", "test")})
        self.linear_probe_epochs = linear_probe_epochs
        self.cache_vectors = cache_vectors
        self._frozen_vectors: FrozenVectors | None = None

    def forward(self, batch: TaskBatch, perturbation: Tensor | None = None, before: Sequence[TaskBatch] = ()) -> Tensor:
        """Return the output of the batch's head, (B, C) or (B,).

        Args:
            batch: The batch.
            perturbation: Moves the embeddings, (T, H).
            before: Batches of other tasks over the same tokens, whose heads come first: a pass that is made again draws
                its dropout masks in the same order then.
        """
        return self._read_heads([*before, batch], self.share_pass([*before, batch], perturbation))[-1]

    def pool(self, batch: TaskBatch, perturbation: Tensor | None = None) -> Tensor:
        """Return one vector a sequence, (B, S, H); (2B, S, H) where both orders of a pair are there."""
        return self.share_pass([batch], perturbation)[0]

    def share_pass(self, parts: Sequence[TaskBatch], perturbation: Tensor | None = None) -> list[Tensor]:
        """Return what each of some tasks over the same tokens reads of one forward pass, (B, S, H) each.

        Args:
            parts: The batch of each task.
            perturbation: As for `forward`.
        """
        first = parts[0]
        if self._frozen_vectors is not None and self._frozen_vectors.has(first.task) and self._is_fitting():
            split = "train" if self.trainer.training else "dev"
            pooled = self._frozen_vectors.look_up(split, first.task, first.rows)
        else:
            learns = not all(self._trains_head_only(part.task) for part in parts)
            with torch.set_grad_enabled(torch.is_grad_enabled() and learns):
                pooled = self.backbone(first.tokens, first.task, perturbation)
        pooled = pooled.view(-1, self._head(first.task).num_sequences, pooled.shape[-1])
        return [pooled.detach() if self._trains_head_only(part.task) else pooled for part in parts]

    def _read_heads(self, parts: Sequence[TaskBatch], pooled: Sequence[Tensor]) -> list[Tensor]:
        """Return the output of each task's head, given the vectors that it reads."""
        outputs = []
        for part, vectors in zip(parts, pooled, strict=True):
            head = self._head(part.task)
            output: Tensor = head(self.add_shared(vectors, part.task))
            if part.orders > 1:
                output = head.average(output.view(part.orders, -1, *output.shape[1:]))
            outputs.append(output)
        return outputs

    def _passes(self, batch: Batch) -> list[list[TaskBatch]]:
        """Return the parts of a batch in groups that share a forward pass: none do where each has layers of its own."""
        return passes(batch) if self.backbone.task_layers is None else [[part] for part in batch.parts]

    def _is_fitting(self) -> bool:
        state = self.trainer.state
        return state.fn == TrainerFn.FITTING and state.status == TrainerStatus.RUNNING

    def add_shared(self, pooled: Tensor, task: str) -> Tensor:
        """Return what the task's head reads, (B, S, H) or with the trunk's vector (B, S, H + P)."""
        if self.trunk is None:
            return pooled
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self._trains_head_only(task)):
            joined: Tensor = self.trunk(pooled)
        return joined

    def _trains_head_only(self, task: str) -> bool:
        start = self.tasks[task].head_only_from
        return start is not None and attached_trainer(self) is not None and self.current_epoch >= start

    def _head(self, task: str) -> Head:
        head = self.heads[task]
        assert isinstance(head, Head)
        return head

    def _remember_vectors(self) -> None:
        if self.backbone.frozen and self.cache_vectors:
            data = multitask_data(self.trainer)
            with self.trainer.precision_plugin.forward_context():
                self._frozen_vectors = FrozenVectors(
                    self.backbone, data.stores, tokens_per_batch=data.tokens_per_batch, device=self.device
                )

    def on_train_start(self) -> None:
        """Begin the linear probe, or go on with it: Lightning starts no epoch that it resumes inside."""
        if self.trainer.current_epoch < self.linear_probe_epochs:
            self.backbone.set_frozen(True)
            self._remember_vectors()

    def on_train_epoch_start(self) -> None:
        """End the linear probe."""
        if self.linear_probe_epochs and self.trainer.current_epoch >= self.linear_probe_epochs:
            self._forget_vectors()

    def on_fit_end(self) -> None:
        """Let the vectors go."""
        self._forget_vectors()

    def _forget_vectors(self) -> None:
        self._frozen_vectors = None
        if self.linear_probe_epochs and self.backbone.frozen:
            self.backbone.set_frozen(False)

    def validation_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """Count a dev batch and give its predictions by task."""
        return self._evaluate(batch, "val")

    def test_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """Count a test batch and give its predictions by task."""
        return self._evaluate(batch, "test")

    def predict_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> dict[str, Any]:
        """Return the predictions of a batch by task: labels in label units (B,), probabilities (B, C) or None."""
        return {part.task: predict(self._head(part.task), output) for part, output in self._outputs(batch)}

    def _evaluate(self, batch: Batch, split: EvaluationSplit) -> dict[str, Any]:
        scores = self._task_scores(split)
        return {
            part.task: count_batch(scores, self._head(part.task), output, part) for part, output in self._outputs(batch)
        }

    def _outputs(self, batch: Batch) -> Iterator[tuple[TaskBatch, Tensor]]:
        """Return the parts of a batch with the outputs of their heads, from one pass where they share it.

        There are none of a row that counts for nothing: this process has none of its own (see EvaluationSampler).
        """
        for parts in self._passes(batch) if batch.weight else ():
            yield from zip(parts, self._read_heads(parts, self.share_pass(parts)), strict=True)

    def _task_scores(self, split: EvaluationSplit) -> TaskScores:
        scores = self._metrics[split]
        assert isinstance(scores, TaskScores)
        return scores

    def on_validation_epoch_end(self) -> None:
        """Log the metrics of the whole dev split."""
        self._log_scores("val")

    def on_test_epoch_end(self) -> None:
        """Log the metrics of the whole test split."""
        self._log_scores("test")

    def _log_scores(self, split: EvaluationSplit) -> None:
        found = self._task_scores(split).take(lambda counts: reduce_over_processes(counts.to(self.device), "sum"))
        for name, values in found.items():
            self.log_dict({f"{split}/{name}/{key}": value for key, value in values.items()})
        for name, value in summarize(found, self.tasks, self._score).items():
            self.log(f"{split}/{name}", value, prog_bar=True)

    def validation_scores(self, batches: int | None = None) -> dict[str, Direction]:
        """Return what a validation logs, and which way it gets better.

        Args:
            batches: How many batches it has, of which the first are one of each stream; None for the whole split.
        """
        streams: list[tuple[str, ...]] = [(name,) for name in self.tasks]
        if batches is not None and attached_trainer(self) is not None:
            streams = list(multitask_data(self.trainer).streams.values())
        names = [name for stream in streams[:batches] for name in stream]
        return directions(self._task_scores("val"), names, self._score, split="val")
