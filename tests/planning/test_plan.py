"""A plan against the training that it is of: the same batches, steps, rates, validations and checkpoints."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import pytest
import torch

from callbacks import BestCheckpoint, FinalValidation, ReduceShareOnPlateau, ResumableCheckpoint
from callbacks.drawn import DrawnExamples
from datamodules import (
    Annealed,
    Joint,
    RoundRobin,
    RoundRobinShuffled,
    Sequential,
    Staged,
    TaskBatch,
    Temperature,
)
from lightning_modules import MultitaskModule, OptimizerSettings
from planning.making import make_plan
from planning.plan import Plan
from tasks import InputError, Quora, Sst, Sts, Task
from tests.tiny import build_module, make_trainer, open_data

TASKS: dict[str, Task] = {
    "sst": Sst(batch_size=5),  # 5, 5 and 2 of 12 rows
    "quora": Quora(batch_size=11),  # 11 and 1
    "sts": Sts(batch_size=2, encoding="bi", swap=True),
}
OPTIONS = {
    "accumulate_grad_batches": 1,
    "callbacks": None,
    "check_val_every_n_epoch": 1,
    "devices": 1,
    "fast_dev_run": False,
    "limit_train_batches": None,
    "limit_val_batches": None,
    "max_epochs": 2,
    "max_steps": -1,
    "max_time": None,
    "num_nodes": 1,
    "val_check_interval": None,
}


@dataclass
class Recorder(L.Callback):
    """What a training did."""

    order: list[str] = field(default_factory=list)
    tokens: int = 0
    rates: list[float] = field(default_factory=list)
    validations: list[int] = field(default_factory=list)
    checkpoints: list[int] = field(default_factory=list)
    drawn: DrawnExamples = field(default_factory=DrawnExamples)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: TaskBatch, batch_idx: int
    ) -> None:
        self.order.append(batch.task)
        self.tokens += batch.tokens.input_ids.numel()
        self.drawn.add(batch, world_size=1)

    def on_before_optimizer_step(
        self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        self.rates.append(optimizer.param_groups[0]["lr"])

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.validations.append(trainer.global_step)

    def on_save_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        self.checkpoints.append(trainer.global_step)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def plan_of(
    data: Any,
    model: Callable[[], MultitaskModule],
    *,
    every: int = 0,
    passes: float = 10.0,
    time: int = 0,
    **options: Any,
) -> Plan:
    settings = {
        "trainer": {**OPTIONS, **options},
        "checkpoint": ResumableCheckpoint(every),
        "best_checkpoint": BestCheckpoint(monitor="val/mean", save_weights_only=True),
        "best_checkpoint_per_task": False,
        "averaging": None,
        "plateau": ReduceShareOnPlateau(),
    }
    return make_plan("mine", data, model, settings, time=time, passes=passes)[0]


CASES: dict[str, tuple[Any, dict[str, Any], dict[str, Any]]] = {
    "every example once": (RoundRobinShuffled(), {}, {}),
    "accumulated, ended by steps": (Sequential(), {"accumulate_grad_batches": 2, "max_steps": 8, "max_epochs": 3}, {}),
    "windows of all tasks": (Joint("longest"), {"limit_val_batches": 0}, {}),
    "a limit on batches": (Temperature(0.0), {"limit_train_batches": 5, "val_check_interval": 2}, {}),
    "validations over epochs": (
        Annealed(),
        {"max_epochs": 3, "limit_train_batches": 0.5, "val_check_interval": 3, "check_val_every_n_epoch": None},
        {},
    ),
    "stages": (Staged("sts"), {"max_epochs": 3, "val_check_interval": 0.5}, {"linear_probe_epochs": 1}),
    "every second epoch": (RoundRobin(), {"max_epochs": 5, "max_steps": 28, "check_val_every_n_epoch": 2}, {}),
}


IN_DEFAULT = ("accumulated, ended by steps", "validations over epochs", "stages")


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=() if case in IN_DEFAULT else pytest.mark.slow) for case in CASES]
)
def test_a_plan_is_what_the_training_does(case, tiny_backbone, cs224n_root, cache, tmp_path):
    schedule, options, model = CASES[case]

    def build() -> MultitaskModule:
        settings = OptimizerSettings(lr=1e-3, schedule="linear", warmup=0.3)
        return build_module(tiny_backbone, tasks=TASKS, optimizer=settings, **model)

    data = open_data(
        tiny_backbone, cs224n_root, cache, tasks=TASKS, schedule=schedule, max_epochs=options.get("max_epochs", 2)
    )
    plan = plan_of(data, build, every=3, **options)
    assert data.trainer is None

    recorder = Recorder()
    window = data.choose_window(options.get("accumulate_grad_batches", 1))
    given = {**OPTIONS, **options, "accumulate_grad_batches": window, "enable_checkpointing": True}
    del given["callbacks"]
    trainer = make_trainer(tmp_path, FinalValidation(), recorder, ResumableCheckpoint(3), **given)
    trainer.fit(build(), datamodule=data)

    assert plan.length.steps == trainer.global_step == len(recorder.rates) > 2
    assert sum(plan.length.batches) == len(recorder.order)
    counted = {
        name: {"batches": task.visits.batches, "examples": task.visits.examples}
        for name, task in plan.tasks.items()
        if task.visits.batches
    }
    assert counted == recorder.drawn.as_dict()
    assert {name: task.visits.batches for name, task in plan.tasks.items()} == {
        name: sum(epoch.batches for epoch in task.epochs) for name, task in plan.tasks.items()
    }
    assert plan.tokens == recorder.tokens
    for name in set(recorder.order):
        places = [number for number, task in enumerate(recorder.order, start=1) if task == name]
        spacing = plan.tasks[name].spacing
        assert (spacing.first, spacing.last) == (places[0], places[-1])
    assert [each.rate for each in plan.rates] == pytest.approx([recorder.rates[each.step - 1] for each in plan.rates])
    assert plan.validations == sorted(set(recorder.validations))
    assert plan.checkpoints == recorder.checkpoints


def make(tiny_backbone, cs224n_root, cache, tasks, **options: Any) -> Plan:
    schedule, rows = options.pop("schedule", RoundRobinShuffled()), options.pop("train_limit", None)
    data = open_data(tiny_backbone, cs224n_root, cache, tasks=tasks, schedule=schedule, train_limit=rows)
    settings = OptimizerSettings(warmup=options.pop("warmup", 0.0))
    return plan_of(data, lambda: build_module(tiny_backbone, tasks=tasks, optimizer=settings), **options)


def concerns(plan: Plan) -> list[str]:
    return [f"{each.level}: {each.what}" for each in plan.concerns]


def test_a_plan_without_concerns_says_so(tiny_backbone, cs224n_root, cache):
    tasks = {"sst": Sst(batch_size=4), "sts": Sts(batch_size=4)}
    assert concerns(make(tiny_backbone, cs224n_root, cache, tasks)) == []


def test_what_may_be_wrong_with_a_plan_is_told(tiny_backbone, cs224n_root, cache):
    tasks = {"sst": Sst(batch_size=11), "quora": Quora(train_limit=6, batch_size=1), "sts": Sts(batch_size=12)}
    plan = make(
        tiny_backbone,
        cs224n_root,
        cache,
        tasks,
        schedule=Sequential(),
        warmup=0.5,
        max_steps=15,
        max_epochs=9,
    )
    assert concerns(plan) == [
        "warning: task sst: the last batch of a pass has one row (12 rows in batches of 11)",
        "warning: task sst: last seen at step 11 of 15, and may be forgotten by the end",
        "warning: task quora: its dev split has more rows than its train split (12 and 6)",
        "warning: task sts: first seen at step 9, after the warm-up, which ends at 8",
        "warning: task sts: last seen at step 9 of 15, and may be forgotten by the end",
    ]


def test_many_passes_are_told(tiny_backbone, cs224n_root, cache):
    tasks = {"sst": Sst(), "sts": Sts(train_limit=12)}
    said = concerns(make(tiny_backbone, cs224n_root, cache, tasks, max_epochs=3, passes=2.5))
    assert said == [
        "warning: task sst: 3.0 passes over its 12 rows (more than 2.5)",
        "warning: task sts: 3.0 passes over its 12 rows (more than 2.5)",
    ]


def test_a_task_without_a_batch_is_an_error_and_rows_that_are_left_out_are_told(tiny_backbone, cs224n_root, cache):
    tasks = {"sst": Sst(), "sts": Sts()}
    plan = make(tiny_backbone, cs224n_root, cache, tasks, schedule=Sequential(), max_epochs=1, limit_train_batches=2)
    assert concerns(plan) == [
        "warning: task sst: 4 of 12 rows are in no batch",
        "error: task sts has no batch in the whole training",
    ]


def test_a_training_without_an_end_is_refused(tiny_backbone, cs224n_root, cache):
    with pytest.raises(InputError, match=r"set trainer\.max_epochs or trainer\.max_steps"):
        make(tiny_backbone, cs224n_root, cache, TASKS, max_epochs=-1)


@pytest.mark.parametrize("options", [{"devices": 2}, {"devices": "0,1"}, {"num_nodes": 2}])
def test_steps_of_several_processes_are_not_timed(options, tiny_backbone, cs224n_root, cache):
    asked = {"devices": 1, "num_nodes": 1, **options}
    with pytest.raises(
        InputError, match=rf"devices {asked['devices']} and trainer\.num_nodes {asked['num_nodes']} are 2;"
    ):
        make(tiny_backbone, cs224n_root, cache, TASKS, time=1, **options)


def test_timed_steps_give_time_and_memory_and_leave_the_data_as_it_was(tiny_backbone, cs224n_root, cache):
    plan = make(tiny_backbone, cs224n_root, cache, TASKS, time=6, accelerator="cpu")
    expected = plan.expected
    assert expected
    assert expected.steps == 6
    assert 0 < expected.train_seconds < 60
    assert 0 < expected.validation_seconds < 60
    assert expected.peak_memory_bytes
    assert expected.peak_memory_bytes > 1e7
    untimed = make(tiny_backbone, cs224n_root, cache, TASKS)
    assert untimed.expected is None
    assert untimed.tasks == plan.tasks
