"""Gradient surgery in steps of tasks that share their rows, against surgery written down and the same tasks apart."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest
import torch
from lightning.pytorch.plugins import MixedPrecision
from torch import Tensor, nn

from backbones import Lora, Pals
from callbacks import AtomicCheckpointIO, FinalValidation, ResumableCheckpoint, StepSeed
from datamodules import Batch, Joint, JointBatch, MultitaskDataModule
from heads import TrunkSettings
from lightning_modules import MultitaskModule, OptimizerSettings
from objectives import PcGrad, RDrop, StepId, Surgery, Uncertainty, UpGrad
from objectives.surgery import compute_gram
from tasks import InputError, Task
from tests.tables import pair_tasks, table_tasks, write_table
from tests.tiny import build_module, make_trainer, open_data

Build = Callable[..., tuple[MultitaskModule, MultitaskDataModule]]
SURGERIES = [PcGrad(), UpGrad()]
NAMES = [type(surgery).__name__ for surgery in SURGERIES]


@pytest.fixture
def build(word_backbone: Path, tmp_path: Path) -> Build:
    def make(
        tasks: dict[str, Task] | None = None,
        *,
        dropout: bool = False,
        lr: float = 0.0,
        data: dict[str, Any] | None = None,
        **model: Any,
    ) -> tuple[MultitaskModule, MultitaskDataModule]:
        for name in ("train.tsv", "dev.tsv"):
            write_table(tmp_path, name)
        tasks = tasks or {**table_tasks(stars={"weight": 0.5}), **pair_tasks(id="id")}
        torch.manual_seed(0)
        optimizer = OptimizerSettings(lr=lr, schedule="constant", warmup=0.0, weight_decay=0.0)
        module = build_module(word_backbone, tasks=tasks, optimizer=optimizer, **model)
        for part in module.modules():
            if isinstance(part, nn.Dropout) and not dropout:
                part.p = 0.0
        if module.backbone.task_layers is not None:
            module.backbone.task_layers.dropout = 0.0
        return module, open_data(word_backbone, tmp_path, tmp_path / "cache", tasks=tasks, **(data or {}))

    return make


class Watch(L.Callback):
    """Notes the batches of each optimiser step, and the gradients that it has followed."""

    def __init__(self) -> None:
        self.windows: list[list[Batch]] = [[]]
        self.steps: list[dict[str, Tensor]] = []

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        self.windows[-1].append(batch)
        if trainer.global_step > len(self.steps):
            weights = pl_module.named_parameters()
            self.steps.append({name: weight.grad.clone() for name, weight in weights if weight.grad is not None})
            self.windows.append([])


def train(folder: Path, built: tuple[MultitaskModule, MultitaskDataModule], **settings: Any) -> Watch:
    module, data = built
    watch = Watch()
    make_trainer(folder, watch, **{"precision": "64-true", **settings}).fit(module, datamodule=data)
    return watch


def join_by_hand(
    module: MultitaskModule, window: list[Batch], surgery: Surgery, step_id: StepId
) -> tuple[dict[str, Tensor], list[float]]:
    """Return the gradients of a window of batches and the factor of each task's.

    Each task's is that of a training step and a backward pass of its own.
    """
    shared = [f"backbone.{name}" for name in module.backbone.shared_parameters()]
    rows = sum(batch.fullness for batch in window)
    by_task: dict[str, dict[str, Tensor]] = {}
    for batch in window:
        for part in batch.parts:
            module.zero_grad()
            loss = module.training_step(part, 0)["loss"] * (batch.fullness / rows)
            loss.backward()
            known = by_task.setdefault(part.task, {})
            for name, weight in module.named_parameters():
                if weight.grad is not None:
                    known[name] = known.get(name, torch.zeros_like(weight)) + weight.grad
    gram = compute_gram([[task[name] for name in shared] for task in by_task.values()])
    factors = surgery.coefficients(gram, step_id).tolist()
    joined: dict[str, Tensor] = {}
    for factor, task in zip(factors, by_task.values(), strict=True):
        for name, gradient in task.items():
            joined[name] = joined.get(name, 0) + (factor if name in shared else 1) * gradient
    return joined, factors


def assert_close(
    found: dict[str, Tensor], expected: dict[str, Tensor], *, rtol: float = 1e-4, atol: float = 1e-7
) -> None:
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(
            found[name], gradient, rtol=rtol, atol=atol, msg=lambda text, name=name: f"{name}: {text}"
        )


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("surgery", SURGERIES, ids=NAMES)
def test_a_step_is_surgery_on_the_gradients_of_its_parts(
    build: Build, tmp_path: Path, surgery: Surgery, size: int
) -> None:
    """Also where a part has no label, a window is of two streams or twice of one, and tasks differ in encoding."""
    watch = train(tmp_path, build(surgery=surgery, data={"batch_size": 2}), accumulate_grad_batches=size)
    module = build()[0].double()
    batches = [batch for window in watch.windows for batch in window]
    assert {batch.stream for batch in batches} == {"topic+stars+tags", "cross+bi"}
    assert any(part.num_labelled == 0 for batch in batches for part in batch.parts)
    conflicts = 0
    for step, (window, found) in enumerate(zip(watch.windows, watch.steps, strict=False)):
        expected, factors = join_by_hand(module, window, surgery, StepId(42, 0, step))
        assert_close(found, expected)
        conflicts += any(factor != 1 for factor in factors)
    assert conflicts > 1


@pytest.mark.parametrize("surgery", [*SURGERIES, None], ids=[*NAMES, "none"])
@pytest.mark.parametrize("trunk", [None, TrunkSettings(size=8, dropout=0.0)], ids=["plain", "trunk"])
def test_a_step_equals_that_of_the_tasks_apart_under_joint(
    build: Build, tmp_path: Path, surgery: Surgery | None, trunk: TrunkSettings | None
) -> None:
    """All rows in one batch, so that both have the same."""
    tasks = pair_tasks(id="id")
    tasks["third"] = replace(tasks["bi"], weight=0.5, low=-20)
    settings: dict[str, Any] = {"surgery": surgery, "trunk": trunk}
    joint = train(tmp_path, build(tasks, data={"batch_size": 9}, **settings), max_steps=1)
    data = {"batch_size": 9, "share_rows": False, "schedule": Joint()}
    apart = train(tmp_path, build(tasks, data=data, **settings), max_steps=1, accumulate_grad_batches=3)
    expected = {name: 3 * gradient for name, gradient in apart.steps[0].items()}  # Lightning divides by the batches
    assert_close(joint.steps[0], expected)


@pytest.mark.parametrize("frozen", ["topic", "tags"])
def test_a_task_that_trains_its_head_only_takes_no_part(build: Build, tmp_path: Path, frozen: str) -> None:
    tasks = table_tasks(**{frozen: {"head_only_from": 0}})
    watch = train(tmp_path, build(tasks, surgery=UpGrad()), max_steps=1)
    (found,), ((batch,), _) = watch.steps, watch.windows
    module = build(table_tasks())[0].double()
    parts = tuple(part for part in batch.parts if part.task != frozen)
    expected, _ = join_by_hand(module, [JointBatch("", parts)], UpGrad(), StepId(42, 0, 0))
    assert_close({name: found[name] for name in expected}, expected)
    assert found.keys() - expected.keys() == {
        name for name, _ in module.named_parameters() if name.startswith(f"heads.{frozen}.")
    }


@pytest.mark.parametrize("last", [["topic"], []])
def test_from_an_epoch_on_one_task_or_none_trains_the_backbone(build: Build, tmp_path: Path, last: list[str]) -> None:
    frozen = [name for name in ("topic", "stars", "tags") if name not in last]
    tasks = table_tasks(**{name: {"head_only_from": 1} for name in frozen})
    watch = train(tmp_path, build(tasks, surgery=UpGrad()), max_epochs=2)
    found, (batch,) = watch.steps[-1], watch.windows[len(watch.steps) - 1]
    module = build(table_tasks())[0].double()
    for part in batch.parts:
        if part.task in last:
            module.training_step(part, 0)["loss"].backward()
    expected = {name: weight.grad for name, weight in module.named_parameters() if weight.grad is not None}
    assert_close({name: found[name] for name in expected}, expected)
    assert any(name.startswith("backbone.") for name in found) == bool(last)
    assert {name.split(".")[1] for name in found.keys() - expected.keys()} == set(frozen)


class ScaledGradients(MixedPrecision):
    """The gradient scaler of 16-mixed, and nothing in half precision."""

    @contextmanager
    def forward_context(self) -> Iterator[None]:
        yield


def test_a_gradient_scaler_changes_nothing(build: Build, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"surgery": PcGrad(), "weighting": Uncertainty}
    expected = train(tmp_path, build(**settings), accumulate_grad_batches=2, precision="32-true")
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**14)
    plugin = ScaledGradients("16-mixed", "cpu", scaler)
    found = train(tmp_path, build(**settings), accumulate_grad_batches=2, plugins=[plugin], precision=None)
    assert scaler.get_scale() == 2.0**14
    assert len(found.steps) == 3
    for one, other in zip(found.steps, expected.steps, strict=True):
        assert_close(one, other, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "settings", [{"adapter": Pals(num_heads=2)}, {"adapter": Lora(r=2)}, {"regularizer": RDrop()}], ids=str
)
def test_passes_of_each_task_are_kept_apart_too(build: Build, tmp_path: Path, settings: dict[str, Any]) -> None:
    """With layers of each task, with low-rank factors in the place of weights, and with passes that are repeated."""
    surgery = UpGrad()
    watch = train(tmp_path, build(surgery=surgery, **settings), max_steps=1)
    expected, _ = join_by_hand(build(**settings)[0].double(), watch.windows[0], surgery, StepId(42, 0, 0))
    assert_close(watch.steps[0], expected)


def test_a_resumed_training_ends_with_the_same_weights(build: Build, tmp_path: Path) -> None:
    def fit(folder: str, *, steps: int, resumed: Path | None = None) -> dict[str, Tensor]:
        module, data = build(dropout=True, lr=1e-3, surgery=PcGrad())
        callbacks = (StepSeed(1), FinalValidation(), ResumableCheckpoint(0))
        settings: dict[str, Any] = {"max_epochs": 2, "enable_checkpointing": True, "plugins": [AtomicCheckpointIO()]}
        trainer = make_trainer(tmp_path / folder, *callbacks, max_steps=steps, accumulate_grad_batches=2, **settings)
        trainer.fit(module, datamodule=data, ckpt_path=resumed)
        assert trainer.global_step == steps
        return dict(module.state_dict())

    whole = fit("whole", steps=6)
    fit("part", steps=2)
    again = fit("rest", steps=6, resumed=tmp_path / "part" / "checkpoints" / "last.ckpt")
    for name, weights in whole.items():
        assert torch.equal(again[name], weights), name


def test_steps_of_one_task_each_are_refused(build: Build, tmp_path: Path) -> None:
    module, data = build(surgery=PcGrad(), data={"share_rows": False})
    message = (
        r"PcGrad compares the tasks of an optimiser step, but each has one batch of one task \(expected tasks that"
    )
    with pytest.raises(InputError, match=message):
        make_trainer(tmp_path, max_steps=1).fit(module, datamodule=data)
