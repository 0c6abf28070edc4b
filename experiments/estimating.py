"""What each task gains from another by the gradients of one finished run."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import nn

from analysis.run import Run
from backbones.digest import digest_tensors
from experiments.affinity import Gains, find_shared, measure_gains
from experiments.batches import count_batches
from experiments.probes import Probe, build_probe
from inference import Predictor
from inference.checkpoint import find_checkpoint, read_checkpoint
from inference.model import TrainedModel
from lightning_modules import OptimizerSettings
from lightning_modules.optim import build_optimizer
from tasks import InputError, Split


def find_checkpoints(path: Path) -> list[Path]:
    """Return a checkpoint, or of a run all whose weights differ, by name.

    Raises:
        InputError: If there is none.
    """
    newest = find_checkpoint(path)
    if path.is_file():
        return [path]
    distinct: dict[str, Path] = {}
    for each in sorted(newest.parent.glob("*.ckpt")):
        distinct.setdefault(digest_tensors(read_checkpoint(each).weights), each)
    return list(distinct.values())


def read_run(checkpoint: Path) -> Run:
    """Return the run of a checkpoint.

    Raises:
        InputError: If it lies in none, or the run has fewer than two tasks.
    """
    folder = read_checkpoint(checkpoint).run
    if folder is None:
        raise InputError(f"{checkpoint}: lies in no run folder (expected a run of train.py fit, with config.yaml)")
    run = Run(folder)
    if len(run.tasks) < 2:
        raise InputError(f"{run.name}: trained {len(run.tasks)} task (expected a run of two tasks or more)")
    return run


def count_steps(run: Run) -> dict[str, int]:
    """Return how many batches of each task a run has drawn (see `count_batches`).

    Raises:
        InputError: If its report does not say so.
    """
    found = count_batches(run.report, list(run.tasks))
    if not found:
        raise InputError(f"{run.folder / 'report.json'}: does not say how many batches were drawn of each task")
    return found


def estimate(run: Run, checkpoints: Sequence[Path], *, batches: int, seed: int) -> Gains:
    """Measure the gains of a run's tasks, averaged over its checkpoints.

    Args:
        run: The run.
        checkpoints: Its checkpoints.
        batches: Batches of each task and split.
        seed: Seed of their examples.
    """
    settings = OptimizerSettings(**run.config["model"]["optimizer"])
    found: list[Gains] = []
    probes: dict[Split, list[Probe]] = {}
    for path in checkpoints:
        predictor = Predictor.load(path)
        probes = probes or {split: draw_probes(run, predictor, split, batches, seed) for split in ("train", "dev")}
        lr = find_rates(predictor.model, settings)
        found.append(measure_gains(predictor.model, probes["train"], probes["dev"], batches=batches, lr=lr))
    return Gains(found[0].tasks, np.mean([gains.values for gains in found], axis=0))


def find_rates(model: TrainedModel, settings: OptimizerSettings) -> list[float]:
    """Return the learning rate of each weight that the tasks share, at the top of the schedule, as for `find_shared`.

    A trunk learns with the heads' rate, lower layers with less than upper ones where there is a `layer_decay`.
    """
    shared, heads = find_shared(model), nn.ModuleList([] if model.trunk is None else [model.trunk])
    optimizer = build_optimizer(settings, model.backbone, heads, fused=False)
    rates = {id(weight): group["lr"] for group in optimizer.param_groups for weight in group["params"]}
    return [float(rates[id(weight)]) for weight in shared]


def draw_probes(run: Run, predictor: Predictor, split: Split, batches: int, seed: int) -> list[Probe]:
    """Draw the batches of a split of each task."""
    return [
        build_probe(
            name,
            task,
            split,
            run.read_examples(name, split),
            tokenizer=predictor.tokenizer,
            max_length=predictor.max_length,
            batches=batches,
            batch_size=task.batch_size or int(run.config["data"]["batch_size"]),
            seed=seed,
        )
        for name, task in run.tasks.items()
    ]
