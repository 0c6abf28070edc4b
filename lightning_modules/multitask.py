"""Multitask training: its settings, its steps and its checkpoints."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast

from backbones import Adapter, AttentionChoice, PoolingChoice, WeightCasts
from datamodules import Batch, TaskBatch, multitask_data
from heads import Trunk, TrunkSettings
from inference.thresholds import read_thresholds, use_thresholds
from lightning_internals import attached_trainer, window_ends
from lightning_modules.acceleration import CompileChoice, accelerate
from lightning_modules.accumulation import WindowMean
from lightning_modules.building import (
    build_backbone,
    build_heads,
    build_score,
    check_compile,
    check_probe,
    check_saving,
)
from lightning_modules.effect import check_dropout, check_surgery, report_plain_weighting
from lightning_modules.hyperparameters import check_fit, check_resumable, keep_plain_hyperparameters
from lightning_modules.init_from import NEW_TRAINING, init_from
from lightning_modules.meaning import compare_with_checkpoint, model_meaning
from lightning_modules.network import TaskNetwork
from lightning_modules.objective import TaskPass, Term, build_objective, name_terms
from lightning_modules.optim import OptimizerSettings, check_learnt, clip, configure
from lightning_modules.regularization import Regularization
from lightning_modules.resumed_settings import list_dropouts
from lightning_modules.saved_weights import (
    drop_trained,
    fill_in_frozen,
    find_averaging,
    frozen_weights,
    is_whole,
    leave_out_frozen,
    refuse_forgotten_averaging,
    report_parameters,
    take_own_objective,
)
from lightning_modules.steps import as_forward_pass, as_task_passes, factor, regularize, report_own_passes, teach, weigh
from lightning_modules.surgery import GradientSurgeon
from lightning_modules.wide_scores import report_wide_scores
from objectives import Fixed, ForwardPass, RandomState, Regularizer, StepId, Surgery, WeightingFactory
from tasks import Task


class MultitaskModule(TaskNetwork):
    """One encoder, the backbone, and a head for each task, and how they train.

    Logs `<split>/<task>/<metric>`, `<split>/<task>/loss` and `<split>/mean`, the plain mean of the tasks' first metrics
    (the paper's average) but for tasks that say `in_mean: false`. `mean` is NaN, which never wins a checkpoint, where a
    correlation is undefined because all predictions are equal.
    With `score` also logs `<split>/score`, where all of its tasks have such a split.

    Args:
        tasks: The tasks by name.
        backbone: A folder with a Hugging Face encoder, `package:NAME` for weights inside a Python package, or a name on
            the hub.
        pooling: How a sequence becomes one vector (see Backbone); `auto` is `pooler` where the weights have one, else
            what the family is used with, `cls` or `mean`. Checkpoints set what it was.
        freeze_backbone: Train the heads only.
        backbone_dropout: Probability of all dropout inside the backbone; None for what its files say, usually 0.1.
        linear_probe_epochs: Epochs at the start that train the heads only, at their full rate, on a frozen backbone
            without dropout (its vectors are computed once, see cache_vectors); then everything trains, and the
            learning-rate schedule, warm-up included, is laid over the steps from there (LP-FT: Kumar et al. 2022,
            https://arxiv.org/abs/2202.10054).
        adapter: Train few new weights in the place of the backbone's, or beside them: Lora or Pals.
        trunk: Layers between the backbone and all heads, which every task trains: each head reads the pooled vector and
            the trunk's behind it; None for none. It learns with the heads' rate, also on a frozen backbone, and its
            gradients take part in surgery; a task that trains its head only leaves it alone.
        save_trainable_only: Leave the frozen weights out of every checkpoint; loading takes them from `backbone` and
            refuses other ones.
        fresh_layers: Start backbone layers that the weights lack (such as a pooler) at random instead of refusing.
        cache_vectors: Compute each example's vectors once in `fit` while the backbone is frozen: S * H numbers an
            example, in the type that a step would compute.
        regularizer: A term added to the tasks' losses, or a list of them: Smart, RDrop, BregmanProximalPoint; None for
            none.
        weighting: How the tasks' losses become one: Fixed, Uncertainty, DynamicWeightAverage or RandomWeights; None for
            Fixed.
        surgery: How the tasks' gradients of the backbone become one in each optimiser step: PcGrad or UpGrad; None for
            their sum. An accumulation window must hold several tasks, see Joint.
        optimizer: AdamW and its schedule.
        score: Weights of a sum of metrics, such as `{sst.accuracy: 0.5, sts.pearson: 0.5}` (see Score); the best
            checkpoint follows it with `--best_checkpoint.monitor val/score`.
        attention: How attention is computed: `auto` is `varlen` on a GPU where a probe passes, else `grouped`. The
            numbers are the same, the dropout masks are not.
        weight_casts: Under bf16-mixed or 16-mixed, cast all weights of the backbone together (`together`) or each by
            itself (`each`): the same numbers with fewer operations, where nothing is compiled.
        compile: Compile the encoder's training steps, with CUDA graphs for `reduce-overhead`; needs data.round_tokens.
        seed: Seed of what weighting and surgery draw, at each step anew; the run's.
        init_from: A checkpoint or the folder of a run whose backbone, trunk and heads a new training starts from, the
            heads where a task of the same name has the same labels, encoding and head; other tasks start new.
        backbone_config: Shape of the backbone; given, its weights start at random. Checkpoints set it, so that they
            load without the backbone's files.

    Raises:
        InputError: If a task's name or head is unfit, the regulariser does not fit tasks or backbone, or two settings
            exclude each other.
        ValueError: If the backbone cannot be loaded.
    """

    def __init__(
        self,
        tasks: dict[str, Task],
        backbone: str,
        *,
        pooling: PoolingChoice = "auto",
        freeze_backbone: bool = False,
        backbone_dropout: float | None = None,
        linear_probe_epochs: int = 0,
        adapter: Adapter | None = None,
        trunk: TrunkSettings | None = None,
        save_trainable_only: bool = False,
        fresh_layers: bool = False,
        cache_vectors: bool = True,
        regularizer: Regularizer | list[Regularizer] | None = None,
        weighting: WeightingFactory | None = None,
        surgery: Surgery | None = None,
        optimizer: OptimizerSettings = OptimizerSettings(),
        score: dict[str, float] | None = None,
        attention: AttentionChoice = "auto",
        weight_casts: WeightCasts = "each",
        compile: CompileChoice = "none",
        seed: int = 42,
        init_from: str | None = None,
        backbone_config: dict[str, Any] | None = None,
    ) -> None:
        regularization = Regularization(regularizer, tasks, is_frozen=freeze_backbone)
        sum_of_metrics = build_score(score, tasks)
        check_probe(linear_probe_epochs, is_frozen=freeze_backbone)
        encoder = build_backbone(
            backbone,
            tasks,
            pooling=pooling,
            frozen=freeze_backbone,
            adapter=adapter,
            fresh_layers=fresh_layers,
            dropout=backbone_dropout,
            config=backbone_config,
        )
        if save_trainable_only:
            check_saving(encoder, has_own_weights=fresh_layers or bool(backbone_config or init_from))
        check_compile(compile, encoder, adapter)
        super().__init__(
            tasks,
            encoder,
            build_heads(tasks, encoder.hidden_size, trunk),
            None if trunk is None else Trunk(encoder.hidden_size, trunk),
            score=sum_of_metrics,
            linear_probe_epochs=linear_probe_epochs,
            cache_vectors=cache_vectors,
        )
        self.init_from = init_from
        self.optimizer = optimizer
        self.seed = seed
        self.save_trainable_only = save_trainable_only
        self._attention: AttentionChoice = attention
        self._weight_casts: WeightCasts = weight_casts
        self._compile: CompileChoice = compile
        self._regularization = regularization
        self._window = WindowMean()
        self._surgeon = GradientSurgeon(surgery, self.backbone, self.trunk) if surgery else None
        self.weighting = (weighting or Fixed)({name: task.labels for name, task in tasks.items()})
        methods: list[object] = [surgery, *regularization.regularizers]
        self.remembering = nn.ModuleList([each for each in methods if isinstance(each, nn.Module)])  # to save buffers
        list(self.modules())  # a part whose class never called Module.__init__ fails here and not in the training
        config = None if save_trainable_only else self.backbone.bert.config.to_diff_dict()
        keep_plain_hyperparameters(self, backbone_config=config, init_from=None, pooling=self.backbone.pooling)

    def setup(self, stage: str) -> None:
        """Clear what a fit that failed has left, and settle how the backbone computes on the trainer's device."""
        self._forget_vectors()
        regularizers = self._regularization.regularizers
        objectives = [each for task in self.tasks.values() for each in task.auxiliary]
        accelerate(
            self.backbone,
            self.trainer,
            attention=self._attention,
            weight_casts=self._weight_casts,
            compiling=self._compile,
            passes_again=bool(regularizers) or any(each.passes_again for each in objectives),
            repeats_masks=any(each.needs_gradients for each in regularizers),
        )

    def take_first_weights(self, tokenizer: PreTrainedTokenizerFast) -> None:
        """Give backbone, trunk and heads the weights that `init_from` names, if it names some.

        Args:
            tokenizer: The tokenizer of the texts to come.

        Raises:
            InputError: As for `lightning_modules.init_from.init_from`.
        """
        if self.init_from is not None:
            init_from(Path(self.init_from), self.backbone, self.heads, self.trunk, self.tasks, tokenizer=tokenizer)

    def on_fit_start(self) -> None:
        """Take the weights to start from, check methods, count parameters, and compute a frozen backbone's vectors."""
        if self.init_from is not None and not self.trainer.ckpt_path:
            self.take_first_weights(multitask_data(self.trainer).tokenizer)
        others = [self.heads] if self.trunk is None else [self.trunk, self.heads]
        check_dropout(self.backbone, others, self._regularization.regularizers, self.tasks)
        report_plain_weighting(self.weighting, self.trainer)
        if self._surgeon is not None:
            check_surgery(
                self._surgeon.surgery,
                self.tasks,
                multitask_data(self.trainer).streams,
                window=self.trainer.accumulate_grad_batches,
                is_frozen=self.backbone.frozen,
                is_compiled=self._compile != "none",
            )
            self._surgeon.start()
        shared = [*self.backbone.parameters(), *(self.trunk.parameters() if self.trunk is not None else ())]
        only_heads = all(task.head_only_from == 0 for task in self.tasks.values())
        report_parameters(self.parameters(), unreached=shared if only_heads else ())
        if isinstance(self.weighting, Fixed):
            report_wide_scores(self.tasks, self.heads)
        if self.backbone.task_layers is not None:
            report_own_passes(multitask_data(self.trainer).streams)
        self._remember_vectors()

    def on_train_start(self) -> None:
        """Begin linear probe and past weights, or go on with them."""
        super().on_train_start()
        if self._regularization.past is not None:
            self._regularization.past.start(self)

    def training_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """Return the loss to minimise, and for the logs each task's own mean loss and what was added to it.

        The loss of several tasks is the sum of theirs, each with its factors.
        """
        made = teach([each for parts in self._passes(batch) for each in self._make_pass(parts)], self.tasks, self.heads)
        step_id, trainer = self._step_id(batch_idx), attached_trainer(self)
        size = 1 if trainer is None else trainer.accumulate_grad_batches
        share = self._window.share(size, batch_idx, batch.fullness)
        losses, terms = dict[str, Tensor](), dict[str, Term]()
        for each in made:
            name = each.batch.task
            objective, found = self._learn(each)
            weighted = weigh(self.weighting, each.batch, objective, found, step_id)
            losses[name] = weighted * (factor(self.tasks[name], each.batch, found) * share)
            terms |= name_terms(each.batch, found)
        if self._surgeon is not None:
            frozen = [task for task in losses if self._trains_head_only(task)]
            self._surgeon.begin(self.trainer, losses, step_id, frozen=frozen)
        own = [value for name, (value, _) in terms.items() if name.endswith("/loss")]
        first, *others = losses.values()
        return {"loss": sum(others, first), "task_loss": sum(own[1:], own[0]), "terms": terms}

    def _make_pass(self, parts: Sequence[TaskBatch]) -> list[TaskPass]:
        """Make the forward pass that some parts of a batch share."""
        regularized = any(self._regularizers(part.task) for part in parts)
        before = RandomState.take(self.device) if regularized else None
        pooled = self.share_pass(parts)
        return as_task_passes(parts, pooled, self._read_heads(parts, pooled), before, self._progress())

    @property
    def has_past_weights(self) -> bool:
        """Whether a moving average of the weights that train is kept beside them, also in last.ckpt."""
        return self._regularization.past is not None

    def _regularizers(self, task: str) -> list[Regularizer]:
        is_frozen = self.backbone.frozen or self._trains_head_only(task)
        return self._regularization.covering(task, is_frozen=is_frozen)

    def _learn(self, made: TaskPass) -> tuple[Tensor, dict[str, Tensor]]:
        """Return what a task's batch minimises before the tasks' weights, and its terms."""
        task, head = self.tasks[made.batch.task], self._head(made.batch.task)
        learnt = build_objective(task, head, made, pool_again=partial(self.pool, made.batch))
        regularizers = self._regularizers(made.batch.task)
        return regularize(*learnt, self._as_forward_pass(made), regularizers) if regularizers else learnt

    def _as_forward_pass(self, made: TaskPass) -> ForwardPass:
        """Return what regularisers see of a pass that is made."""
        past = self._regularization.past
        return as_forward_pass(
            made,
            self.tasks[made.batch.task],
            self._head(made.batch.task),
            embedding_size=self.backbone.embedding_size,
            forward=self,
            forward_with_past=None if past is None else partial(past.call, self),
        )

    def _step_id(self, batch_idx: int) -> StepId:
        trainer = attached_trainer(self)
        size = 1 if trainer is None else trainer.accumulate_grad_batches
        return StepId(self.seed, self.current_epoch, batch_idx // size)

    def _progress(self) -> float:
        """Return the share of the optimiser steps that lie behind."""
        trainer = attached_trainer(self)
        return 0.0 if trainer is None else trainer.global_step / trainer.estimated_stepping_batches

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Make the gradients of an accumulation window means over its rows."""
        self._window.settle(self.parameters())

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Make the optimiser step; the past weights follow before anything is saved."""
        super().optimizer_step(*args, **kwargs)
        if self._regularization.past is not None:
            self._regularization.past.follow(self)

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Log the weights of the losses, where they change."""
        every: int = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        if isinstance(self.weighting, Fixed) or every == 0 or self.global_step % every:
            return
        if window_ends(self.trainer):
            factors = self.weighting.factors(self._step_id(batch_idx))
            for logger in self.loggers:
                values = {f"train/{task}/weight": float(factor) for task, factor in factors.items()}
                logger.log_metrics(values, step=self.global_step)

    def on_before_backward(self, loss: Tensor) -> None:
        """Keep the gradients of the tasks of one batch apart where surgery is to join them."""
        if self._surgeon is not None:
            self._surgeon.before_backward(loss)

    def on_after_backward(self) -> None:
        """Keep the tasks' gradients apart where surgery is to join them."""
        if self._surgeon is not None:
            self._surgeon.after_backward(self.trainer)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save averaged weights, what regularisers remember, and the trained part alone if asked to."""
        averaging = find_averaging(self.trainer.callbacks)  # type: ignore[attr-defined]
        if averaging is not None and not is_whole(checkpoint):  # Lightning asks its callbacks only for whole ones
            averaging.on_save_checkpoint(self.trainer, self, checkpoint)
            drop_trained(checkpoint)
        self._regularization.save(checkpoint)
        checkpoint["meaning"] = model_meaning(self.backbone, self.tasks, self.heads)
        checkpoint["dropout"] = list_dropouts(self)
        if self.save_trainable_only:
            leave_out_frozen(checkpoint, frozen_weights(self))

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse weights of other tasks, heads or backbones, and those that meant something else, in one sentence."""
        trainer = attached_trainer(self)
        resumes = trainer is not None and trainer.training
        otherwise = NEW_TRAINING if resumes else ""
        compare_with_checkpoint(checkpoint, model_meaning(self.backbone, self.tasks, self.heads), otherwise=otherwise)
        fill_in_frozen(checkpoint, frozen_weights(self), backbone=str(self.hparams["backbone"]))
        if not resumes:
            take_own_objective(checkpoint, self.state_dict())
        check_fit(checkpoint, self.state_dict(), otherwise=otherwise)
        if resumes:
            trained = [name for name, weight in self.named_parameters() if weight.requires_grad]
            check_resumable(checkpoint, trained, self.hparams, list_dropouts(self))
            refuse_forgotten_averaging(checkpoint, find_averaging(self.trainer.callbacks))  # type: ignore[attr-defined]
            self._regularization.load(checkpoint)
        elif trainer is not None and trainer.ckpt_path:
            use_thresholds(self.heads, self.tasks, read_thresholds(Path(trainer.ckpt_path)))

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Build AdamW and its schedule over all optimiser steps of the training."""
        own_groups = self.weighting.parameter_groups()
        check_learnt([self.weighting, *self.remembering], own_groups)
        return configure(
            self.optimizer,
            self.trainer,
            self.backbone,
            self.heads if self.trunk is None else nn.ModuleList([self.heads, self.trunk]),
            probe_epochs=self.linear_probe_epochs,
            own_groups=own_groups,
        )

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: int | float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip all but the losses' learnt weights as the Trainer asks; see `clip`."""
        but = list(self.weighting.parameters())
        clip(optimizer, gradient_clip_val, gradient_clip_algorithm, but=but)
