"""The rows of the paper's tables."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments.rows import needs_pretrained, read_rows
from tests.cli.command_line import QUICK, ROOT, CommandLine, read_report
from tests.cli.row_configs import layers, read_config

PAPER_ROWS = read_rows()
OTHER_SYSTEMS = {  # the rows with a recipe of their own: who made them, and what differs from the paper's
    "venkateswaran-best": {"schedule": "linear", "batch_size": 16, "max_epochs": 20},
    "venkateswaran-trunk": {"schedule": "linear", "batch_size": 16, "max_epochs": 20},
    "venkateswaran-no-trunk": {"schedule": "linear", "batch_size": 16, "max_epochs": 20},
    "lin-le": {"lr": 2e-5, "weight_decay": 0.01, "batch_size": 16, "max_epochs": 21},
    "l-wang-pals": {"lr": 2e-5, "schedule": "linear", "warmup": 0.1, "eps": 1e-7, "batch_size": 16},
    "l-wang-frozen-pals": {"lr": 1e-3, "schedule": "linear", "warmup": 0.1, "eps": 1e-7, "batch_size": 16},
    "y-wang-round-robin": {},
}
# Of each kind one; the others are slow.
FEW_ROWS = ("b1", "even-0.1", "cross16-0.3-sst-dropout", "sts-only", "venkateswaran-best", "y-wang-round-robin")


@pytest.fixture(scope="module")
def row_configs(make_command: Callable[[Path], CommandLine]) -> dict[str, dict[str, Any]]:
    """The whole configuration of each row of the paper's own."""
    own = {name: row for name, row in PAPER_ROWS.items() if name not in OTHER_SYSTEMS}
    return {name: read_config(make_command(ROOT), *layers(row)) for name, row in own.items()}


@pytest.mark.parametrize(
    "row",
    [pytest.param(row, marks=[] if row.name in FEW_ROWS else pytest.mark.slow) for row in PAPER_ROWS.values()],
    ids=lambda row: row.name,
)
def test_every_row_of_the_paper_trains(row, train):
    train.raw("fit", *layers(row), *train.tiny, "--data.max_length", "64", *QUICK)
    report = read_report(train.newest(row.name))
    assert report["steps"] == 2
    assert set(report["metrics"]) == {*row.tasks, "mean"}


def test_every_row_has_the_recipe_of_the_paper(row_configs):
    recipe = {
        "lr": 1e-5,
        "betas": [0.9, 0.999],
        "eps": 1e-6,
        "weight_decay": 0.0,
        "schedule": "constant",
        "warmup": 0.0,
    }
    for name, config in row_configs.items():
        settings = {key: config["model"]["optimizer"][key] for key in recipe}
        assert settings == ({**recipe, "lr": 1e-3} if name == "frozen" else recipe), name
        assert config["trainer"]["max_epochs"] == 10
        assert config["trainer"]["gradient_clip_val"] is None
        assert config["model"]["freeze_backbone"] == (name == "frozen")
        expected = "runs/paper-bert" if needs_pretrained(PAPER_ROWS[name]) else "bert-base-uncased"
        assert config["model"]["backbone"] == expected, name
        assert tuple(config["tasks"]) == PAPER_ROWS[name].tasks
    sizes = {
        name: config["data"]["batch_size"] for name, config in row_configs.items() if config["data"]["batch_size"] != 8
    }
    large = ("final", "frozen", "sst-only", "quora-only", "sts-only")
    assert sizes == {**dict.fromkeys(large, 32), **{name: 16 for name in row_configs if name.startswith("cross16")}}
    one_after_the_other = {"b1", "b2", "sst-only", "quora-only", "sts-only"}
    schedules = {name: config["data"]["schedule"]["class_path"] for name, config in row_configs.items()}
    assert {name for name, schedule in schedules.items() if schedule == "datamodules.Sequential"} == one_after_the_other
    assert set(schedules.values()) == {"datamodules.Sequential", "datamodules.Shuffled"}


def test_the_rows_scale_the_paraphrase_loss_as_they_are_named(row_configs):
    scaled = [name for name in row_configs if "-0." in name]
    assert len(scaled) == 11
    for name, config in row_configs.items():
        tasks = {task: value for task, value in config["tasks"].items() if isinstance(value, dict)}
        weights = {task: value["init_args"]["weight"] for task, value in tasks.items()}
        assert weights.pop("quora", 1.0) == (float(name.split("-")[1]) if name in scaled else 1.0)
        assert set(weights.values()) <= {1.0}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name == "lin-le" else pytest.mark.slow) for name in OTHER_SYSTEMS],
)
def test_a_row_of_another_system_has_its_own_recipe_over_the_papers(name, train):
    paper = {"lr": 1e-5, "weight_decay": 0.0, "schedule": "constant", "warmup": 0.0, "eps": 1e-6}
    config = read_config(train, *layers(PAPER_ROWS[name]))
    found = {key: config["model"]["optimizer"][key] for key in paper}
    found |= {"batch_size": config["data"]["batch_size"], "max_epochs": config["trainer"]["max_epochs"]}
    assert found == {**paper, "batch_size": 8, "max_epochs": 10, **OTHER_SYSTEMS[name]}
    assert config["model"]["backbone"] == ("runs/paper-bert" if "venkateswaran" in name else "bert-base-uncased")
    assert tuple(config["tasks"]) == ("sst", "quora", "sts")


def test_the_scaled_down_recipe_lies_below_a_row(train):
    small = ROOT / "configs" / "paper" / "scaled-down.yaml"
    cross = read_config(train, *layers(PAPER_ROWS["cross16"], recipe=small))
    assert cross["model"]["optimizer"]["schedule"] == "linear"
    assert cross["trainer"]["max_epochs"] == 1
    assert cross["data"]["batch_size"] == 16  # the row's own
    assert cross["model"]["optimizer"]["eps"] == 1e-6  # the paper's
