from pathlib import Path

import pytest
from torch.utils.tensorboard import SummaryWriter

from analysis.curves import read_curves, run_panels, task_panels


@pytest.fixture
def board(tmp_path: Path) -> Path:
    with SummaryWriter(str(tmp_path)) as writer:
        for step in (0, 10, 20):
            writer.add_scalar("train/sst/loss", 3 - step / 10, step)
            writer.add_scalar("lr-AdamW/pg1", 0.1, step)
            writer.add_scalar("lr-AdamW/pg2", 0.1, step)
        for tag in ("val/sst/loss", "val/sst/accuracy", "val/sst2/accuracy", "val/mean"):
            writer.add_scalar(tag, 0.5, 20)
    return tmp_path


def test_the_curves_of_a_task_are_its_losses_and_its_metrics(board: Path):
    curves = read_curves(board)
    panels = {
        title: {line.name: (line.steps, line.values) for line in lines} for title, lines in task_panels(curves, "sst")
    }
    assert panels == {
        "loss": {"train": ([0, 10, 20], [3.0, 2.0, 1.0]), "dev": ([20], [0.5])},
        "dev metric": {"accuracy": ([20], [0.5])},
    }
    assert task_panels(curves, "quora") == []


def test_equal_learning_rates_are_one_line(board: Path):
    panels = dict(run_panels(read_curves(board)))
    assert [line.name for line in panels["learning rate"]] == ["AdamW/pg1"]
    assert [line.values for line in panels["dev mean"]] == [[0.5]]


def test_a_long_curve_is_thinned_out(tmp_path: Path):
    with SummaryWriter(str(tmp_path)) as writer:
        for step in range(900):
            writer.add_scalar("val/mean", step, step)
    curve = read_curves(tmp_path)["val/mean"]
    assert len(curve.steps) == 400
    assert (curve.steps[0], curve.steps[-1]) == (0, 899)


def test_a_folder_without_events_has_no_curves(tmp_path: Path):
    assert read_curves(tmp_path) == {}
