import json
from pathlib import Path

import pytest
import yaml

from analysis.plan import Amount, plan_first, plan_training, trains_in_turn
from analysis.run import Run
from tasks import InputError
from tests.analysis.written import write_run

EPOCH = {"sst": Amount(2, 6), "same": Amount(1, 4), "near": Amount(3, 12)}


def change(folder: Path, **trainer: object) -> Run:
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["trainer"].update(trainer)
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return Run(folder)


def test_each_epoch_holds_every_example_once(folder: Path):
    assert plan_training(Run(folder)) == [EPOCH, EPOCH]


def test_the_first_batches_add_up(folder: Path):
    run = Run(folder)
    assert plan_first(run, 6) == EPOCH
    assert plan_first(run, 12) == {task: Amount(2 * one.batches, 2 * one.examples) for task, one in EPOCH.items()}
    assert sum(amount.batches for amount in plan_first(run, 4).values()) == 4


@pytest.mark.parametrize("epochs", [None, -1])
def test_a_run_that_only_steps_end_goes_on_over_epochs(folder: Path, epochs: int | None):
    run = change(folder, max_epochs=epochs, max_steps=12)
    assert plan_training(run) == [EPOCH]
    assert plan_first(run, 12) == {task: Amount(2 * one.batches, 2 * one.examples) for task, one in EPOCH.items()}


def test_limited_epochs_hold_less(folder: Path):
    for limit in (3, 0.5):
        run = change(folder, limit_train_batches=limit)
        assert [sum(amount.batches for amount in epoch.values()) for epoch in plan_training(run)] == [3, 3]
        assert sum(amount.batches for amount in plan_first(run, 5).values()) == 5


def test_the_schedule_of_the_configuration_is_used(folder: Path):
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["data"]["schedule"] = {"class_path": "datamodules.RoundRobin", "init_args": {"stop": "shortest"}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    assert {task: amount.batches for task, amount in plan_training(Run(folder))[0].items()} == dict.fromkeys(EPOCH, 1)


def test_a_run_without_training_has_no_plan(folder: Path):
    report = json.loads((folder / "report.json").read_text())
    report["data"] = {task: {"dev": splits["dev"]} for task, splits in report["data"].items()}
    (folder / "report.json").write_text(json.dumps(report))
    with pytest.raises(InputError, match="mine/version_0 trained nothing"):
        plan_training(Run(folder))


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("datamodules.Sequential", True),
        ("datamodules.RoundRobin", False),
        ({"class_path": "datamodules.Staged", "init_args": {"first": "sst", "then": "datamodules.Joint"}}, False),
        (None, False),
    ],
)
def test_a_schedule_that_takes_one_task_after_the_other_is_seen_by_its_order(folder: Path, schedule, expected: bool):
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["data"]["schedule"] = schedule
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    assert trains_in_turn(Run(folder)) is expected


def test_one_task_is_never_in_turn(tmp_path: Path, root: Path):
    run = Run(write_run(tmp_path / "one", root, {}, tasks=["sst"]))
    assert not trains_in_turn(run)


def test_chosen_rows_alone_are_planned(folder: Path):
    report = json.loads((folder / "report.json").read_text())
    report["data"]["near"]["train"] |= {"labelled": 11, "chosen": 5}
    (folder / "report.json").write_text(json.dumps(report))
    assert plan_training(Run(folder))[0]["near"] == Amount(2, 5)
