"""AdamW with decay groups and a learning-rate schedule."""

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import lightning.pytorch as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import nn
from torch.nn.utils import clip_grad_norm_, clip_grad_value_
from torch.optim.lr_scheduler import ConstantLR, LambdaLR, LRScheduler, SequentialLR

from backbones import Backbone
from lightning_modules.rate_shares import Form, rate_share
from tasks import InputError


@dataclass(frozen=True)
class OptimizerSettings:
    """AdamW; biases and LayerNorm weights are never decayed.

    Args:
        lr: Learning rate at the top of the schedule.
        head_lr: Learning rate of the task heads; None for `lr`.
        weight_decay: Decoupled weight decay.
        betas: Decay of the running means of gradients and squared gradients.
        eps: Added to the denominator.
        schedule: Learning rate after the warm-up: stays (`constant`), falls to 0 in a line (`linear`) or along a half
            cosine (`cosine`).
        warmup: Share of all optimiser steps in which the learning rate rises from 0, in [0, 1].
        layer_decay: Discriminative rates: layer k of n (from 1) learns with lr * layer_decay^(n - k), the embeddings
            with lr * layer_decay^n, the pooler with lr, the heads with their own rate; 1 is one rate for all. (ELECTRA
            counts two layers more on top: its lr is this one divided by layer_decay^2.)

    Raises:
        ValueError: If a value is out of range.

    Source: Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101; layer_decay: Howard & Ruder 2018 (ULMFiT),
        section 3.2 (there 1 / 2.6), https://arxiv.org/abs/1801.06146; Clark et al. 2020 (ELECTRA; 0.8 and 0.9),
        https://arxiv.org/abs/2003.10555
    """

    lr: float = 2e-5
    head_lr: float | None = None
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    schedule: Form = "linear"
    warmup: float = 0.1
    layer_decay: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.layer_decay <= 1:
            raise ValueError(f"optimizer.layer_decay is {self.layer_decay} (expected more than 0, at most 1)")
        if not 0 <= self.warmup <= 1:
            raise ValueError(f"optimizer.warmup is {self.warmup} (expected a share of the steps, 0 to 1)")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"optimizer.betas is {[*self.betas]} (expected two numbers from 0, less than 1)")
        for name in ("lr", "head_lr", "weight_decay", "eps"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < math.inf:
                raise ValueError(f"optimizer.{name} is {value} (expected 0 or more)")


def configure(
    settings: OptimizerSettings,
    trainer: L.Trainer,
    backbone: Backbone,
    heads: nn.Module,
    *,
    probe_epochs: int = 0,
    own_groups: Sequence[dict[str, Any]] = (),
) -> OptimizerLRScheduler:
    """Build what `configure_optimizers` returns: AdamW and its schedule over all optimiser steps of the training.

    Args:
        settings: Rates, decay and schedule.
        trainer: The trainer, which knows the number of steps.
        backbone: Trained with `lr`.
        heads: Trained with `head_lr`.
        probe_epochs: Epochs at the start in which the rate stays constant, before the schedule begins.
        own_groups: Parameters with rate and decay of their own; they follow the same schedule.

    Raises:
        InputError: If the training has no end, or ends before the schedule begins.
    """
    fused = trainer.precision != "16-mixed"  # its gradient scaler needs the unfused kernel
    optimizer = build_optimizer(settings, backbone, heads, fused=fused)
    for group in own_groups:
        optimizer.add_param_group(group)
    num_steps = trainer.estimated_stepping_batches
    probe_steps = 0
    if probe_epochs:
        trainer.fit_loop.setup_data()  # which the number of steps needs only where epochs limit it
        probe_steps = probe_epochs * math.ceil(trainer.num_training_batches / trainer.accumulate_grad_batches)
        if probe_steps >= num_steps:
            raise InputError(
                f"model.linear_probe_epochs is {probe_epochs}, which are {probe_steps} optimiser steps (expected fewer "
                f"than the training's {num_steps:.0f}, see trainer.max_epochs and trainer.max_steps)"
            )
    scheduler = build_scheduler(settings, optimizer, num_steps, probe_steps=probe_steps)
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


def check_learnt(methods: Iterable[nn.Module], groups: Sequence[dict[str, Any]]) -> None:
    """Check that what methods want to learn is trained.

    Args:
        methods: A weighting, and what else keeps numbers in the module.
        groups: The optimiser's groups of parameters besides those of backbone, trunk and heads.

    Raises:
        InputError: If a parameter is in no group.
    """
    trained = {id(parameter) for group in groups for parameter in group["params"]}
    for method in methods:
        names = [name for name, each in method.named_parameters() if each.requires_grad and id(each) not in trained]
        if names:
            raise InputError(
                f"{type(method).__name__}: {', '.join(names)} would never train (expected in the parameter_groups of a "
                "Weighting; what is not learnt is a buffer)"
            )


def clip(
    optimizer: torch.optim.Optimizer,
    value: int | float | None,
    algorithm: str | None,
    *,
    but: Collection[nn.Parameter] = (),
) -> None:
    """Clip gradients as the Trainer asks, without Lightning, which refuses it for a fused optimiser under bf16.

    Args:
        optimizer: The optimiser whose parameters' gradients are clipped.
        value: `--trainer.gradient_clip_val`; None or 0 for no clipping.
        algorithm: `--trainer.gradient_clip_algorithm`: `value`, else by their norm.
        but: Parameters that are neither counted nor clipped, such as learnt weights of losses: theirs would shrink the
            model's gradients.
    """
    if not value:
        return
    left_out = {id(parameter) for parameter in but}
    every = (parameter for group in optimizer.param_groups for parameter in group["params"])
    parameters = [parameter for parameter in every if id(parameter) not in left_out]
    if algorithm == "value":
        clip_grad_value_(parameters, value)
    else:
        clip_grad_norm_(parameters, value)


def build_optimizer(
    settings: OptimizerSettings, backbone: Backbone, heads: nn.Module, *, fused: bool
) -> torch.optim.AdamW:
    """Build AdamW over the trainable parameters.

    Args:
        settings: Rates and decay.
        backbone: Trained with `lr`, its lower layers with less if `layer_decay` is less than 1.
        heads: Trained with `head_lr`.
        fused: Whether to use PyTorch's fused kernel, which is several times faster.
    """
    head_lr = settings.lr if settings.head_lr is None else settings.head_lr
    groups = [
        *_layer_groups(settings, backbone),
        *_decay_groups("heads", heads.parameters(), lr=head_lr, weight_decay=settings.weight_decay),
    ]
    return torch.optim.AdamW(groups, lr=settings.lr, betas=settings.betas, eps=settings.eps, fused=fused)


def _layer_groups(settings: OptimizerSettings, backbone: Backbone) -> list[dict[str, Any]]:
    """Divide a backbone by layers, from the top down, and each layer by decay; one layer if all have the same rate."""
    if settings.layer_decay == 1:
        return _decay_groups("backbone", backbone.parameters(), lr=settings.lr, weight_decay=settings.weight_decay)
    depths = {name: backbone.depth_of(name) for name, _ in backbone.named_parameters()}
    top = max((depth for depth in depths.values() if depth is not None), default=0)
    groups = []
    for depth in range(top, -1, -1):
        members = [
            parameter
            for name, parameter in backbone.named_parameters()
            if (top if depths[name] is None else depths[name]) == depth
        ]
        rate = settings.lr * settings.layer_decay ** (top - depth)
        name = f"layer-{depth}" if depth else "embeddings"
        groups += _decay_groups(name, members, lr=rate, weight_decay=settings.weight_decay)
    return groups


def _decay_groups(
    name: str, parameters: Iterable[nn.Parameter], *, lr: float, weight_decay: float
) -> list[dict[str, Any]]:
    """Divide parameters into matrices, which decay, and vectors (biases, LayerNorm), which do not.

    The logs call their learning rates `lr-AdamW/<name>` and `lr-AdamW/<name>-no-decay`.
    """
    trainable = [parameter for parameter in parameters if parameter.requires_grad]
    matrices = [parameter for parameter in trainable if parameter.dim() > 1]
    vectors = [parameter for parameter in trainable if parameter.dim() <= 1]
    groups = [
        {"name": name, "params": matrices, "lr": lr, "weight_decay": weight_decay},
        {"name": f"{name}-no-decay", "params": vectors, "lr": lr, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def build_scheduler(
    settings: OptimizerSettings, optimizer: torch.optim.Optimizer, num_steps: float, *, probe_steps: int = 0
) -> LRScheduler:
    """Build the learning-rate schedule.

    Args:
        settings: Its form and warm-up.
        optimizer: The optimiser whose rates it sets.
        num_steps: Optimiser steps of the whole training.
        probe_steps: Those at its start that have the full rate; the schedule, warm-up included, is laid over the rest.

    Raises:
        InputError: If the training has no end and the schedule needs one.
    """
    if num_steps == float("inf"):
        raise InputError("a learning-rate schedule needs an end: set trainer.max_epochs or trainer.max_steps")
    scheduler = LambdaLR(optimizer, rate_shares(settings, int(num_steps) - probe_steps))
    if probe_steps == 0:
        return scheduler
    return SequentialLR(optimizer, [ConstantLR(optimizer, factor=1.0), scheduler], milestones=[probe_steps])


def rate_shares(settings: OptimizerSettings, num_steps: int) -> Callable[[int], float]:
    """Return a function from the number of an optimiser step, from 0, to its learning rate as a share of the highest.

    Args:
        settings: The schedule and its warm-up.
        num_steps: Optimiser steps that it is laid over.
    """
    warmup = round(settings.warmup * num_steps)
    return partial(rate_share, form=settings.schedule, num_warmup=warmup, num_steps=num_steps)
