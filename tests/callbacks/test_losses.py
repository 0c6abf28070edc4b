from collections import defaultdict
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest
from lightning.pytorch.loggers import TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from callbacks import TaskLosses
from objectives import RDrop
from tests.tiny import STEPS_AN_EPOCH, build_module, make_trainer, open_data


class Seen(L.Callback):
    """Keeps task, loss and number of rows of each batch, with the optimiser steps done by then."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, str, float, int]] = []

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.batches.append((trainer.global_step, batch.task, float(outputs["task_loss"]), len(batch.rows)))


def read_losses(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return the points of each task's curve."""
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    return {
        tag.split("/")[1]: [(point.step, point.value) for point in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
        if tag.startswith("train/")
    }


def windows(seen: Seen, every: int, last: int) -> dict[str, list[tuple[int, float]]]:
    """Return the mean over the examples of each task in each stretch of `every` optimiser steps."""
    totals: dict[tuple[int, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    batches = list(seen.batches)
    for number, (step, task, loss, rows) in enumerate(batches):
        # With accumulation a step is done by its last batch; the earlier ones belong to it too.
        done = next(later for later, *_ in batches[number:] if later > (batches[number - 1][0] if number else 0))
        end = min(-(-max(step, done) // every) * every, last)
        totals[end, task][0] += loss * rows
        totals[end, task][1] += rows
    points: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for (end, task), (total, rows) in sorted(totals.items()):
        points[task].append((end, total / rows))
    return dict(points)


@pytest.mark.parametrize(("every", "accumulate"), [(1, 1), (2, 1), (4, 1), (50, 1), (2, 3)])
def test_points_are_means_of_the_steps_since_the_last_log(every, accumulate, tiny_backbone, cs224n_root, tmp_path):
    losses, seen = TaskLosses(), Seen()
    trainer = make_trainer(
        tmp_path,
        losses,
        seen,
        max_epochs=2,
        logger=TensorBoardLogger(tmp_path, name="run"),
        log_every_n_steps=every,
        accumulate_grad_batches=accumulate,
    )
    trainer.fit(
        build_module(tiny_backbone), datamodule=open_data(tiny_backbone, cs224n_root, tmp_path / "cache", batch_size=5)
    )
    assert len(seen.batches) == 2 * STEPS_AN_EPOCH
    assert {rows for *_, rows in seen.batches} == {5, 2}  # so that means of batch means would differ
    found, expected = read_losses(tmp_path / "run" / "version_0"), windows(seen, every, trainer.global_step)
    assert set(found) == {"sst", "quora", "sts"}
    for task, points in expected.items():
        assert [step for step, _ in found[task]] == [step for step, _ in points]
        assert [value for _, value in found[task]] == pytest.approx([value for _, value in points], rel=1e-5)
    assert losses.latest == pytest.approx({task: points[-1][1] for task, points in expected.items()}, rel=1e-5)


def test_a_task_has_no_point_where_it_was_not_trained(tiny_backbone, cs224n_root, tmp_path):
    seen = Seen()
    trainer = make_trainer(
        tmp_path, TaskLosses(), seen, logger=TensorBoardLogger(tmp_path, name="run"), log_every_n_steps=1
    )
    trainer.fit(build_module(tiny_backbone), datamodule=open_data(tiny_backbone, cs224n_root, tmp_path / "cache"))
    points = [(step, task) for task, curve in read_losses(tmp_path / "run" / "version_0").items() for step, _ in curve]
    assert sorted(points) == [(step, task) for step, task, *_ in seen.batches]


class Added(L.Callback):
    """Keeps what was added to each step's loss, and what was minimised."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, float, float, dict[str, float]]] = []

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        terms = {name.partition("/")[2]: float(value) for name, (value, _) in outputs["terms"].items()}
        added = {name: value for name, value in terms.items() if name != "loss"}
        self.steps.append((batch.task, float(outputs["loss"]), float(outputs["task_loss"]), added))


def test_what_is_added_to_a_loss_has_a_curve_of_its_own(tiny_backbone, cs224n_root, tmp_path):
    added = Added()
    trainer = make_trainer(
        tmp_path, TaskLosses(), added, logger=TensorBoardLogger(tmp_path, name="run"), log_every_n_steps=1
    )
    module = build_module(tiny_backbone, regularizer=RDrop(alpha=2.0, tasks=("sst", "quora")))
    trainer.fit(module, datamodule=open_data(tiny_backbone, cs224n_root, tmp_path / "cache"))
    events = EventAccumulator(str(tmp_path / "run" / "version_0"), size_guidance={"scalars": 0}).Reload()
    curves = {tag for tag in events.Tags()["scalars"] if tag.endswith("/regularizer")}
    assert curves == {"train/sst/regularizer", "train/quora/regularizer"}
    for task in ("sst", "quora"):
        values = [point.value for point in events.Scalars(f"train/{task}/regularizer")]
        assert values == pytest.approx([terms["regularizer"] for name, *_, terms in added.steps if name == task])
    for _, minimised, task_loss, terms in added.steps:
        assert minimised == pytest.approx(task_loss + sum(terms.values()), rel=1e-5)
