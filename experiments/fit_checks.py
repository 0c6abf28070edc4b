"""What a training refuses of settings that its parser accepts, as far as it needs neither backbone nor data."""

from collections.abc import Mapping
from typing import Any

from jsonargparse import Namespace

from callbacks import check_monitors
from datamodules import MultitaskSampler
from datamodules.schedules import RoundRobinShuffled
from datamodules.streams import check_teachers, find_streams
from lightning_modules.building import build_score, check_probe
from lightning_modules.effect import check_surgery
from lightning_modules.evaluation import directions
from lightning_modules.regularization import Regularization
from lightning_modules.score import Score
from lightning_modules.task_scores import TaskScores
from objectives import Fixed


def check_parts(built: Namespace) -> None:
    """Raise an error where a training would refuse its parts: most of all, where one names a task that is not there.

    Args:
        built: All settings of `fit`, whose values are built; `model` and `data` are the arguments of their classes.

    Raises:
        InputError: If it would; the message is its own.
        ValueError: Likewise.
    """
    model, tasks = built.model, built.tasks
    Regularization(model["regularizer"], tasks, is_frozen=model["freeze_backbone"])
    score = build_score(model["score"], tasks)
    check_probe(model["linear_probe_epochs"], is_frozen=model["freeze_backbone"])
    (model["weighting"] or Fixed)({name: task.labels for name, task in tasks.items()})
    _check_order(model, built.data, built.trainer.accumulate_grad_batches)
    built.predictions.check(tasks)
    _check_monitors(built, score)


def _check_order(model: Mapping[str, Any], data: Mapping[str, Any], accumulated: int) -> None:
    """Check the schedule, as if each stream had one batch, and whether surgery has several tasks to join.

    Args:
        model: Arguments of the model.
        data: Arguments of the data.
        accumulated: Batches of an optimiser step; 1 for as many as the schedule says.
    """
    limits = {"train": data["train_limit"], "dev": data["dev_limit"]}
    tasks = {name: task.with_limits(**limits) for name, task in data["tasks"].items()}
    streams = find_streams(tasks, share_rows=data["share_rows"])
    check_teachers(tasks, streams)
    sizes = {name: tasks[first].batch_size or data["batch_size"] for name, (first, *_) in streams.items()}
    schedule = data["schedule"] or RoundRobinShuffled()
    MultitaskSampler(sizes, sizes, schedule, seed=data["seed"], max_epochs=data["max_epochs"])
    if model["surgery"] is not None:
        check_surgery(
            model["surgery"],
            tasks,
            streams,
            window=schedule.window(len(streams)) if accumulated == 1 else accumulated,
            is_frozen=model["freeze_backbone"],
            is_compiled=model["compile"] != "none",
        )


def _check_monitors(built: Namespace, score: Score | None) -> None:
    scores = directions(TaskScores(built.tasks), list(built.tasks), score, split="val")
    callbacks = built.trainer.callbacks or []
    check_monitors([built.best_checkpoint, *(callbacks if isinstance(callbacks, list) else [callbacks])], scores)
