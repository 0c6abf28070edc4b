"""Steps of tasks that share their rows, against the same tasks computed by hand and apart."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest
import torch
from torch import Tensor, nn

from backbones import Pals
from callbacks import (
    AtomicCheckpointIO,
    FinalValidation,
    PredictionWriter,
    ReduceShareOnPlateau,
    ResumableCheckpoint,
    StepSeed,
    TaskLosses,
)
from callbacks.drawn import DrawnExamples
from datamodules import Batch, JointBatch, MultitaskDataModule, passes
from lightning_modules import MultitaskModule
from objectives import BregmanProximalPoint, CosineEmbedding, RDrop, SimCse, Smart, Uncertainty
from tasks import Task
from tests.tables import pair_tasks, table_tasks, write_table
from tests.tiny import batches_of, build_module, gradients_of, make_trainer, open_data

NAME = "topic+stars+tags"
Build = Callable[..., tuple[MultitaskModule, MultitaskDataModule]]


@pytest.fixture
def build(word_backbone: Path, tmp_path: Path) -> Build:
    def make(
        tasks: dict[str, Task] | None = None, *, dropout: bool = False, data: dict[str, Any] | None = None, **model: Any
    ) -> tuple[MultitaskModule, MultitaskDataModule]:
        for name in ("train.tsv", "dev.tsv"):
            write_table(tmp_path, name)
        tasks = tasks or table_tasks()
        torch.manual_seed(0)
        module = build_module(word_backbone, tasks=tasks, **model)
        for part in module.modules():
            if isinstance(part, nn.Dropout) and not dropout:
                part.p = 0.0
        return module, open_data(word_backbone, tmp_path, tmp_path / "cache", tasks=tasks, **(data or {}))

    return make


def assert_close(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-6, msg=name)


def test_a_joint_step_is_the_weighted_sum_of_the_losses_of_one_pass(build: Build) -> None:
    module, data = build(table_tasks(stars={"weight": 0.25}, tags={"weight": 3.0}))
    for batch in batches_of(data):
        first = batch.parts[0]
        pooled = module.backbone(first.tokens, first.task)[:, None]
        losses = []
        for part in batch.parts:
            assert torch.equal(part.tokens.input_ids, first.tokens.input_ids)
            head, store = module.heads[part.task], data.stores["train"][part.task]
            known = torch.from_numpy(store.has_label[batch.rows.numpy()])
            output = head(pooled[known])
            losses.append(module.tasks[part.task].weight * head.loss(output, part.labels[known]))
        result = module.training_step(batch, 0)
        assert result["loss"].item() == pytest.approx(sum(loss.item() for loss in losses), rel=1e-5)
        expected = gradients_of(module, torch.stack(losses).sum())
        assert_close(gradients_of(module, module.training_step(batch, 0)["loss"]), expected)


def test_the_backbone_runs_once_a_batch_and_encoding(build: Build) -> None:
    for tasks, count in ((table_tasks(), 1), (pair_tasks(), 2)):
        module, data = build(tasks)
        calls: list[int] = []
        module.backbone.register_forward_hook(lambda *_, calls=calls: calls.append(1))
        batch = batches_of(data)[0]
        module.training_step(batch, 0)["loss"].backward()
        module.eval()
        module.validation_step(batch, 0)
        assert len(calls) == 2 * count


def test_a_joint_step_equals_the_steps_of_its_parts_together(build: Build) -> None:
    module, data = build({**table_tasks(), **pair_tasks(id="id")})
    seen = set()
    for batch in batches_of(data):
        seen.add(batch.stream)
        joint = gradients_of(module, module.training_step(batch, 0)["loss"])
        apart = [module.training_step(part, 0)["loss"] for part in batch.parts]
        assert_close(joint, gradients_of(module, torch.stack(apart).sum()))
    assert seen == {NAME, "cross+bi"}


@pytest.mark.parametrize("settings", [{}, {"weighting": Uncertainty}], ids=["fixed", "uncertainty"])
@pytest.mark.parametrize("world_size", [2, 3, 5])
def test_ranks_together_make_the_gradients_of_one(build: Build, settings: dict[str, Any], world_size: int) -> None:
    """The mean over the ranks, as DDP takes it; of five some have no row, and some tasks no label on a rank."""
    module, data = build(**settings)
    whole = batches_of(data)
    dataset, ranks = data.train_dataloader().dataset, []
    for rank in range(world_size):
        sampler = data.make_sampler()
        sampler._rank, sampler._world_size = rank, world_size
        ranks.append([dataset[rows] for rows in sampler])
    for batch, *parts in zip(whole, *ranks, strict=True):
        expected = gradients_of(module, module.training_step(batch, 0)["loss"])
        found = [gradients_of(module, module.training_step(part, 0)["loss"]) for part in parts]
        means = {
            name: torch.stack([each.get(name, torch.zeros_like(one)) for each in found]).mean(dim=0)
            for name, one in expected.items()
        }
        assert_close(means, expected)


class Gradients(L.Callback):
    """Notes the gradients of each optimiser step."""

    def __init__(self) -> None:
        self.steps: list[dict[str, Tensor]] = []

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        found = {name: weight.grad.clone() for name, weight in pl_module.named_parameters() if weight.grad is not None}
        self.steps += [found] if trainer.global_step > len(self.steps) else []


@pytest.mark.parametrize("rows", [2, 4, 6])
def test_an_accumulated_window_equals_one_batch_of_its_rows(build: Build, tmp_path: Path, rows: int) -> None:
    """Also where a task has many labels in one batch of the window and none in another."""

    def train(batch_size: int, **trainer: Any) -> list[dict[str, Tensor]]:
        module, data = build(data={"batch_size": batch_size})
        watch = Gradients()
        make_trainer(tmp_path, watch, max_steps=1, **trainer).fit(module, datamodule=data)
        return watch.steps

    (expected,) = train(11)
    (found,) = train(rows, accumulate_grad_batches=-(-11 // rows))
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-3, atol=1e-6, msg=name)


REGULARIZERS = [Smart(), RDrop(), BregmanProximalPoint(decay=0.5)]


@pytest.mark.parametrize("regularizer", REGULARIZERS, ids=lambda one: type(one).__name__)
def test_a_repeated_pass_has_the_dropout_masks_of_the_joint_one(build: Build, regularizer: Any) -> None:
    module, data = build(dropout=True, regularizer=regularizer)
    batch = batches_of(data)[0]
    for made in module._make_pass(batch.parts):
        again = module._as_forward_pass(made).repeat()
        torch.testing.assert_close(again, made.output, rtol=0, atol=0)
        assert not torch.equal(module._as_forward_pass(made).redraw(), made.output)
    if module._regularization.past is not None:
        module._regularization.past.start(module)
    terms = module.training_step(batch, 0)["terms"]
    assert {name for name in terms if name.endswith("regularizer")} == {f"{task}/regularizer" for task in data.tasks}


def test_a_task_that_trains_its_head_only_leaves_the_backbone_to_the_others(build: Build, tmp_path: Path) -> None:
    module, data = build(table_tasks(tags={"head_only_from": 0}))
    make_trainer(tmp_path, max_steps=1).fit(module, datamodule=data)
    module.train()
    batch = next(iter(data.train_dataloader()))
    assert isinstance(batch, JointBatch)
    found = gradients_of(module, module.training_step(batch, 0)["loss"])
    others = replace(batch, parts=tuple(part for part in batch.parts if part.task != "tags"))
    expected = gradients_of(module, module.training_step(others, 0)["loss"])
    assert {name.split(".")[1] for name in found.keys() - expected.keys()} == {"tags"}
    assert any(name.startswith("backbone") for name in expected)
    assert_close({name: found[name] for name in expected}, expected)


def test_an_auxiliary_objective_is_of_the_labelled_rows(build: Build) -> None:
    tasks = pair_tasks()
    module, data = build({**tasks, "bi": replace(tasks["bi"], auxiliary=(CosineEmbedding(positive=4.0),))})
    batch = batches_of(data)[0]
    part = batch.parts[1]
    known = torch.arange(len(batch.rows))[1:]
    gappy = part._replace(labelled=known, labels=part.labels.clone().index_fill_(0, torch.tensor([0]), torch.nan))
    found = module.training_step(gappy, 0)["terms"]["bi/auxiliary"]
    expected = module.tasks["bi"].auxiliary[0].loss(module.pool(part)[known], part.labels[known], lambda: known)
    assert found.value.item() == pytest.approx(expected.item(), rel=1e-5)
    assert found.rows == len(known)
    without = module.training_step(gappy._replace(labelled=known[:0], any_labelled=False), 0)
    assert (without["loss"].item(), without["terms"]["bi/auxiliary"].rows) == (0.0, 0)


def test_an_auxiliary_objective_is_of_its_task_alone(build: Build) -> None:
    module, data = build(table_tasks(topic={"auxiliary": (SimCse(weight=0.5),)}), dropout=True)
    terms = module.training_step(batches_of(data)[0], 0)["terms"]
    assert set(terms) == {"topic/loss", "topic/auxiliary", "stars/loss", "tags/loss"}
    assert terms["topic/auxiliary"].value > 0


def test_tasks_of_one_stream_have_one_set_of_frozen_vectors(build: Build, tmp_path: Path) -> None:
    module, data = build({**table_tasks(), **pair_tasks(id="id")}, freeze_backbone=True)
    calls: list[int] = []
    module.backbone.register_forward_hook(lambda *_: calls.append(1))
    losses = TaskLosses()
    make_trainer(tmp_path, losses, max_epochs=2).fit(module, datamodule=data)
    assert len(calls) == 2 * 3  # train and dev: the table, joined pairs, pairs side by side
    assert losses.latest.keys() == data.tasks.keys()


def test_layers_of_each_task_take_a_pass_of_each(build: Build) -> None:
    module, data = build(adapter=Pals(num_heads=2))
    batch = batches_of(data)[0]
    assert [[part.task for part in parts] for parts in module._passes(batch)] == [["topic"], ["stars"], ["tags"]]
    apart = torch.stack([module.training_step(part, 0)["loss"] for part in batch.parts]).sum()
    assert module.training_step(batch, 0)["loss"].item() == pytest.approx(apart.item(), rel=1e-5)


def test_scores_and_predictions_are_those_of_the_tasks_apart(build: Build, tmp_path: Path) -> None:
    found = []
    for share_rows in (True, False):
        module, data = build(
            {**table_tasks(), **pair_tasks(id="id")}, data={"share_rows": share_rows, "tokens_per_batch": 40}
        )
        writer = PredictionWriter()
        scores = make_trainer(tmp_path, writer).validate(module, datamodule=data, verbose=False)
        found.append((scores[0], writer.gather()))
    (joint, predicted), (apart, expected) = found
    for name in joint.keys() - {"val/mean"}:  # correlations of an untrained cosine are those of rounding errors
        if name.startswith(("val/topic", "val/tags")) or name.endswith("loss"):
            assert joint[name] == pytest.approx(apart[name], rel=1e-5), name
    assert joint.keys() == apart.keys()
    assert predicted.keys() == expected.keys() == {("dev", task) for task in data.tasks}
    for key, columns in predicted.items():
        for one, other in zip(columns, expected[key], strict=True):
            torch.testing.assert_close(torch.from_numpy(one), torch.from_numpy(other), rtol=1e-4, atol=1e-5)


def test_a_training_has_a_step_for_the_rows_of_all(build: Build, tmp_path: Path) -> None:
    module, data = build()
    drawn = DrawnExamples()

    class Count(L.Callback):
        def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Batch, batch_idx: int) -> None:
            drawn.add(batch, world_size=1)
            assert len(passes(batch)) == 1

    plateau = ReduceShareOnPlateau(patience=1)
    trainer = make_trainer(tmp_path, Count(), plateau, max_epochs=3)
    trainer.fit(module, datamodule=data)
    assert trainer.global_step == 9
    assert drawn.as_dict() == {NAME: {"batches": 9, "examples": 33}}
    assert plateau._best.keys() == data.tasks.keys()


def test_a_resumed_training_ends_with_the_same_weights(build: Build, tmp_path: Path) -> None:
    def fit(folder: str, *, steps: int, resumed: Path | None = None) -> tuple[dict[str, Tensor], int]:
        module, data = build({**table_tasks(), **pair_tasks(id="id")}, dropout=True, regularizer=RDrop())
        callbacks = (StepSeed(1), FinalValidation(), ResumableCheckpoint(0))
        settings: dict[str, Any] = {"max_epochs": 3, "enable_checkpointing": True, "plugins": [AtomicCheckpointIO()]}
        trainer = make_trainer(tmp_path / folder, *callbacks, max_steps=steps, accumulate_grad_batches=2, **settings)
        trainer.fit(module, datamodule=data, ckpt_path=resumed)
        return dict(module.state_dict()), trainer.global_step

    whole, steps = fit("whole", steps=6)
    assert steps == 6
    fit("part", steps=2)
    again, _ = fit("rest", steps=6, resumed=tmp_path / "part" / "checkpoints" / "last.ckpt")
    for name, weights in whole.items():
        assert torch.equal(again[name], weights), name
