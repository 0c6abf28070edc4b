"""Every shipped configuration runs."""

import pytest
import torch

from experiments.rows import METHODS, read_rows
from runtime.matmul import set_onednn
from tests.cli.command_line import ROOT, TASKS, read_report

CONFIGS = sorted(path for path in (ROOT / "configs").glob("*.yaml") if path.stem not in ("pretrain", "reviews"))
PAPER_ROWS = read_rows()
METHOD_ROWS = read_rows(METHODS)


def test_the_shipped_configurations_are_found():
    assert {path.stem for path in CONFIGS} >= {"quickstart", "cs224n", "hub"}
    assert PAPER_ROWS
    assert METHOD_ROWS
    rows = [row.configs[-1] for row in (*PAPER_ROWS.values(), *METHOD_ROWS.values())]
    assert all(path.read_text().startswith("# python train.py fit -c configs/") for path in [*CONFIGS, *rows])
    backbones = set((ROOT / "configs" / "backbones").glob("*.yaml"))  # layers: tests/cli/test_backbone_configs.py
    searches = set(
        (ROOT / "configs" / "tune").glob("*.yaml")
    )  # of experiments.tune: tests/experiments/test_searches.py
    others = {path.stem for path in {*(ROOT / "configs").rglob("*.yaml")} - {*CONFIGS, *rows, *backbones, *searches}}
    assert others == {"pretrain", "recipe", "scaled-down", "reviews"}


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_every_configuration_fits_validates_tests_and_predicts(config, train, hub, capsys):
    flags = hub if config.stem == "hub" else []
    run_folder = train("fit", *flags, config=config)
    assert read_report(run_folder)["steps"] == 2
    validated = train("validate", *flags, "--ckpt_path", "last", config=config)
    scores, again = read_report(run_folder)["metrics"], read_report(validated)["metrics"]
    assert again == {name: pytest.approx(value, abs=1e-6) for name, value in scores.items()}
    tested = train("test", *flags, "--ckpt_path", "best", config=config)
    assert set(read_report(tested)["metrics"]) == {*TASKS, "mean"}
    predicted = train("predict", *flags, "--ckpt_path", "best", config=config)
    expected = {f"{task}-{split}.csv" for task in TASKS for split in ("dev", "test")}
    assert expected <= {path.name for path in (predicted / "predictions").iterdir()}
    folders = {path.name for path in run_folder.parent.iterdir()}
    assert folders == {"version_0", "validate_0", "test_0", "predict_0"}
    shown = capsys.readouterr().out
    assert (shown.count("dev scores"), shown.count("test scores")) == (2, 1)
    assert "alidate metric" not in shown  # Lightning's box would say all of it again
    assert "Test metric" not in shown
    assert f"run folder: runs/{config.stem}/version_0" in shown
    assert f"tensorboard --logdir runs/{config.stem}" in shown


def test_default_products_are_those_of_the_default_library_whatever_ran_before(train):
    set_onednn(on=True)
    train("fit", "--fp32_matmul", "default")
    assert torch.backends.mkldnn.matmul.fp32_precision == "none"
