import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from callbacks import PredictionWriter, RunReport
from callbacks.report_scores import collect_metrics, order_metrics
from tasks import Sst
from tests.runs import Project
from tests.tiny import build_module, make_trainer, open_data

ALL = {"sst": [12, 12], "quora": [12, 12], "sts": [12, 12]}
LOGGED: dict[str, Any] = {
    "val/sst/accuracy": torch.tensor(0.5),
    "val/sst/loss": torch.tensor(1.25),
    "val/sts/pearson": torch.tensor(math.nan),
    "val/mean": torch.tensor(math.nan),
    "test/sst/accuracy": torch.tensor(0.125),
    "train/sst/loss": torch.tensor(3.0),
    "lr-AdamW": torch.tensor(0.1),
}


def test_metrics_of_one_split_are_collected_and_undefined_ones_are_none():
    assert collect_metrics(LOGGED, "val") == {
        "sst": {"accuracy": 0.5, "loss": 1.25},
        "sts": {"pearson": None},
        "mean": None,
    }
    assert collect_metrics(LOGGED, "test") == {"sst": {"accuracy": 0.125}}


@pytest.mark.parametrize(("limit", "expected"), [(2, {"sst": [12, 12], "quora": [12, 12], "sts": [0, 12]}), (3, None)])
def test_a_part_of_the_split_is_said_below_the_table_and_in_the_report(
    limit: int,
    expected: dict[str, Any] | None,
    tiny_backbone: Path,
    cs224n_root: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    trainer = make_trainer(tmp_path, PredictionWriter(), RunReport(), limit_val_batches=limit)
    data = open_data(tiny_backbone, cs224n_root, tmp_path / "cache", tokens_per_batch=10**6)
    trainer.fit(build_module(tiny_backbone), datamodule=data)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report.get("evaluated") == expected
    assert report["baseline"].keys() == {task for task, (count, _) in (expected or ALL).items() if count}
    said = (
        "on a part of dev (--trainer.limit_val_batches): sst 12 of 12, quora 12 of 12, sts none; "
        "mean is over sst and quora\n"
    )
    assert (said in capsys.readouterr().out) == (expected is not None)


def test_the_count_of_what_was_drawn_is_kept_in_a_checkpoint():
    first, second = RunReport(), RunReport()
    first._drawn.restore({"sst": {"batches": 2, "examples": 7}})
    second.load_state_dict(first.state_dict())
    assert second.state_dict() == {"drawn": {"sst": {"batches": 2, "examples": 7}}}


@pytest.mark.slow
def test_a_run_that_goes_on_from_a_checkpoint_without_the_count_reports_none(tiny_project: Callable[..., Project]):
    project = tiny_project()
    project.kill("train_batch_end:7")
    path = project.version(0) / "checkpoints" / "last.ckpt"
    checkpoint = torch.load(path, weights_only=True)
    assert checkpoint["callbacks"].pop("RunReport")["drawn"]
    torch.save(checkpoint, path)

    assert project.run("--ckpt_path", "last").code == 0

    assert project.report(1)["drawn"] is None
    last = torch.load(project.version(1) / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["callbacks"]["RunReport"] == {"drawn": None}


def test_the_scores_of_a_task_come_in_the_order_of_its_metrics():
    scores = {"accuracy": 0.5, "loss": 1.0, "macro_f1": 0.25}
    ordered = order_metrics({"sst": scores, "mean": 0.25}, {"sst": Sst(metrics=("macro_f1", "accuracy"))})
    assert ordered == {"sst": scores, "mean": 0.25}
    assert list(ordered["sst"]) == ["macro_f1", "accuracy", "loss"]
