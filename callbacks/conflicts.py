"""Where in the backbone the tasks pull against each other."""

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

from datamodules import BatchRows, TaskBatch, collate, multitask_data
from lightning_modules import MultitaskModule
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
        assert isinstance(pl_module, MultitaskModule)
        data = multitask_data(trainer)
        stores = data.stores["train"]
        if len(stores) < 2 or not pl_module.backbone.shared_parameters():
            raise InputError("conflicts.every_n_steps: needs two tasks or more and a backbone that is trained")
        for name, store in stores.items():
            rng = np.random.default_rng([data.seed, crc32(b"conflicts"), crc32(name.encode())])
            known = store.train_rows
            rows = np.sort(rng.choice(known, min(self.examples, len(known)), replace=False))
            self._probes[name] = move_data_to_device(collate(store, BatchRows(name, rows)), pl_module.device)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Probe when due, once a step."""
        step = trainer.global_step
        if not self._probes or step % self.every_n_steps or step == self._last_step:
            return
        self._last_step = step
        assert isinstance(pl_module, MultitaskModule)
        if not trainer.is_global_zero or pl_module.backbone.frozen:
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


def _layers(module: MultitaskModule) -> dict[str, list[int]]:
    """Return the places of the trained weights of each part of the backbone, and of all."""
    names = list(module.backbone.shared_parameters())
    layers: dict[str, list[int]] = {WHOLE: list(range(len(names)))}
    for place, name in enumerate(names):
        layers.setdefault(_name_layer(module.backbone.depth_of(name)), []).append(place)
    return layers


def _name_layer(depth: int | None) -> str:
    """Name a part of the backbone.

    Example:
        >>> [_name_layer(depth) for depth in (0, 1, None)]
        ['embeddings', 'layer_0', 'pooler']
    """
    if depth is None:
        return "pooler"
    return f"layer_{depth - 1}" if depth else "embeddings"


def _compute_gradients(module: MultitaskModule, probe: TaskBatch) -> list[Tensor]:
    """Return the gradients of a task's loss, zero where it has none; the module's own stay as they are."""
    heads: Any = module.heads
    weights = list(module.backbone.shared_parameters().values())
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
