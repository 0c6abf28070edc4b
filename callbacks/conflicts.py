"""Where in the backbone the tasks pull against each other."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from typing import Any
from zlib import crc32

import lightning.pytorch as L
import numpy as np
import torch
from lightning.fabric.utilities.apply_func import move_data_to_device
from torch import Tensor, nn

from datamodules import BatchRows, TaskBatch, collate
from objectives.surgery import compute_gram
from tasks import InputError

WHOLE = "all"


class ConflictMonitor(L.Callback):
    """Compares the tasks' gradients of the backbone on fixed train examples, without touching the training.

    Every N steps, for every pair of tasks and every layer, `conflicts/<task>-<task>/cosine/<layer>` and
    `.../norm_ratio/<layer>` (the first task's norm over the second's) are logged; a pair conflicts where the cosine
    over the whole backbone is below 0. A pair of which one has no gradient, such as a task that trains its head only,
    is left out, and there is no probe while the backbone is frozen. What an adapter has for each task is not compared.
    Losses are taken before all weights, in evaluation mode and in float32. A probe
    costs about a forward and a backward pass of `examples` examples of each task, and a copy of the backbone for each
    task while it lasts. With several processes the first one probes.

    Args:
        every_n_steps: Optimiser steps between two probes; 0 for none.
        examples: Train examples of a task's probe, drawn with the run's seed.

    Raises:
        InputError: If a number is out of range; from `fit` if no shared weight trains or there is one task only.
    """

    def __init__(self, every_n_steps: int = 0, examples: int = 16) -> None:
        for name, value, least in (("every_n_steps", every_n_steps, 0), ("examples", examples, 1)):
            if value < least:
                raise InputError(f"conflicts.{name} is {value} (expected {least} or more)")
        self.every_n_steps = every_n_steps
        self.examples = examples
        self._probes: dict[str, TaskBatch] = {}
        self._last_step = 0
        self._sums: dict[str, dict[str, list[float]]] = {}  # by pair and layer: probes, conflicts, sum of cosines

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Draw the examples."""
        if self.every_n_steps == 0:
            return
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        stores = data.stores["train"]
        if len(stores) < 2 or not _trained(pl_module):
            raise InputError("conflicts.every_n_steps: needs two tasks or more and a backbone that is trained")
        for name, store in stores.items():
            rng = np.random.default_rng([data.seed, crc32(b"conflicts"), crc32(name.encode())])
            rows = np.sort(rng.choice(len(store), min(self.examples, len(store)), replace=False))
            self._probes[name] = move_data_to_device(collate(store, BatchRows(name, rows)), pl_module.device)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Probe when due, once a step."""
        step = trainer.global_step
        if not self._probes or step % self.every_n_steps or step == self._last_step:
            return
        self._last_step = step
        if not trainer.is_global_zero or _backbone(pl_module).frozen:
            return
        gradients = [_compute_gradients(pl_module, probe) for probe in self._probes.values()]
        values: dict[str, float] = {}
        for layer, places in _layers(pl_module).items():
            gram = compute_gram([[task[place] for place in places] for task in gradients])
            for (one, first), (other, second) in combinations(enumerate(self._probes), 2):
                compared = _compare(gram, one, other)
                if compared is None:
                    continue
                pair, (cosine, ratio) = f"{first}-{second}", compared
                values |= {f"conflicts/{pair}/cosine/{layer}": cosine, f"conflicts/{pair}/norm_ratio/{layer}": ratio}
                sums = self._sums.setdefault(pair, {}).setdefault(layer, [0, 0, 0.0])
                self._sums[pair][layer] = [sums[0] + 1, sums[1] + (cosine < 0), sums[2] + cosine]
        for logger in trainer.loggers:
            logger.log_metrics(values, step=step)

    def summarize(self) -> dict[str, dict[str, Any]]:
        """Return by pair the number of probes, the share of conflicting ones (also by layer) and the mean cosine."""
        return {
            pair: {
                "probes": layers[WHOLE][0],
                "conflicting": layers[WHOLE][1] / layers[WHOLE][0],
                "mean_cosine": layers[WHOLE][2] / layers[WHOLE][0],
                "conflicting_by_layer": {layer: sums[1] / sums[0] for layer, sums in layers.items() if layer != WHOLE},
            }
            for pair, layers in self._sums.items()
        }

    def state_dict(self) -> dict[str, Any]:
        """Keep the counts over a resume."""
        return {"last_step": self._last_step, "sums": self._sums} if self.every_n_steps else {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the counts of the resumed run."""
        self._last_step, self._sums = state_dict["last_step"], state_dict["sums"]


def _backbone(module: L.LightningModule) -> nn.Module:
    return module.get_submodule("backbone")


def _trained(module: L.LightningModule) -> list[tuple[str, nn.Parameter]]:
    """Return the trained weights that all tasks share."""
    named = _backbone(module).named_parameters()
    return [(name, weight) for name, weight in named if weight.requires_grad and not name.startswith("task_layers.")]


def _layers(module: L.LightningModule) -> dict[str, list[int]]:
    """Return the places of the trained weights of each part of the backbone, and of all."""
    names = [name for name, _ in _trained(module)]
    layers: dict[str, list[int]] = {WHOLE: list(range(len(names)))}
    for place, name in enumerate(names):
        layers.setdefault(_name_layer(name), []).append(place)
    return layers


def _name_layer(name: str) -> str:
    """Name the part of a BERT that a weight belongs to.

    Example:
        >>> _name_layer("bert.encoder.layer.3.output.dense.bias"), _name_layer("bert.embeddings.LayerNorm.weight")
        ('layer_3', 'embeddings')
    """
    layer = re.search(r"\blayer\.(\d+)\.", name)
    if layer:
        return f"layer_{layer[1]}"
    return next((part for part in ("embeddings", "pooler") if part in name.split(".")), "other")


def _compute_gradients(module: L.LightningModule, probe: TaskBatch) -> list[Tensor]:
    """Return the gradients of a task's loss, zero where it has none; the module's own stay as they are."""
    heads: Any = module.get_submodule("heads")
    weights = [weight for _, weight in _trained(module)]
    with _resting(module), torch.random.fork_rng(devices=[module.device] if module.device.type == "cuda" else []):
        loss = heads[probe.task].loss(module(probe), probe.labels)
        gradients = torch.autograd.grad(loss, weights, allow_unused=True)
    return [torch.zeros_like(w) if g is None else g for w, g in zip(weights, gradients, strict=True)]


@contextmanager
def _resting(module: nn.Module) -> Iterator[None]:
    """Switch dropout off inside, and every part back to what it was afterwards."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode


def _compare(gram: Tensor, one: int, other: int) -> tuple[float, float] | None:
    """Return cosine and norm ratio; None where a gradient is zero."""
    first, second = gram[one, one].sqrt().item(), gram[other, other].sqrt().item()
    if first == 0 or second == 0:
        return None
    return gram[one, other].item() / (first * second), first / second
