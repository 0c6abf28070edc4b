"""A cross task and the bi task that it teaches, compared from a run's folder."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.run import Run
from analysis.twin_tasks import compare_tasks, find_twins, measure
from analysis.twins import main
from tasks import InputError, Quora, Sts, Task, Teacher
from tests.tiny import build_module, open_data

TWINS: dict[str, Task] = {"sts": Sts(), "sts_bi": Sts(encoding="bi", in_mean=False, teacher=Teacher(task="sts"))}


def test_twins_are_a_cross_task_and_the_bi_task_that_it_teaches() -> None:
    others: dict[str, Task] = {
        "quora": Quora(encoding="bi"),
        "again": Sts(teacher=Teacher(task="sts")),
        "of_bi": Sts(encoding="bi", teacher=Teacher(task="sts_bi")),
    }
    assert find_twins({**TWINS, **others}) == {"sts_bi": "sts"}
    assert find_twins(others) == {}
    assert find_twins({**TWINS, "second": TWINS["sts_bi"]}) == {"sts_bi": "sts", "second": "sts"}


def test_both_are_timed_on_the_same_pairs(tiny_backbone: Path, cs224n_root: Path, tmp_path: Path) -> None:
    module = build_module(tiny_backbone, tasks=TWINS).eval()
    data = open_data(tiny_backbone, cs224n_root, tmp_path, tasks=TWINS)
    data.prepare_data()
    data.setup("fit")
    stores = data.stores["dev"]
    assert stores["sts"].all_ids() == stores["sts_bi"].all_ids()
    speeds = measure(module, "sts", "sts_bi", stores, pairs=5)
    assert all(np.isfinite(speed) and speed > 0 for speed in speeds.values())
    assert speeds["bi_pairs_per_second_from_vectors"] > speeds["bi_pairs_per_second"]


@pytest.mark.slow
def test_a_run_is_compared_from_its_folder(whole_run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    taught = {"encoding": "bi", "in_mean": False, "teacher": {"task": "sts"}}
    tasks = {"sts": {"class_path": "Sts"}, "sts_bi": {"class_path": "Sts", "init_args": taught}}
    project = whole_run(tasks=tasks)
    assert main([str(project.version(0)), "--pairs", "6"]) == 0
    found = json.loads((project.version(0) / "twins.json").read_text())
    metrics = project.report(0)["metrics"]
    assert (found["sts_bi"]["teacher"], found["sts_bi"]["cross"]) == ("sts", metrics["sts"])
    assert found["sts_bi"]["bi"] == metrics["sts_bi"]
    assert "both encodings, dev" in capsys.readouterr().out
    with pytest.raises(InputError, match="has no bi task that a cross task teaches"):
        compare_tasks(Run(whole_run().version(0)), pairs=3)
    assert main([str(project.folder)]) == 2
