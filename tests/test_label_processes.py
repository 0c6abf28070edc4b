"""Gaps, sets of labels and weighted classes under several processes: each process here is a real one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.runs import Project

TAGS = ["film", "", "film;song", "song", "none", "", "song", "film", "", "none", "film;song", "song"]
STARS = ["0", "1", "", "1", "1", "1", "0", "", "1", "1", "", "1"]


def tasks_over(folder: Path) -> dict[str, Any]:
    """Write a table with two label columns, and return a task for each."""
    rows = [
        f"the {'cat ' * (number + 1)}\t{tags}\t{stars}"
        for number, (tags, stars) in enumerate(zip(TAGS, STARS, strict=True))
    ]
    (folder / "table.tsv").write_text("\n".join(["text\ttags\tstars", *rows]) + "\n")
    path = str(folder / "table.tsv")
    shared = {
        "source": {"train": path, "dev": path},
        "texts": ["text"],
        "missing_labels": "ignore",
        "head": {"class_path": "LinearHead", "init_args": {"dropout": 0.0}},  # masks differ between processes
        "class_weights": "balanced",
    }
    sets = {"classes": ["film", "song", "none"], "separator": ";", "label": "tags"}
    metrics = {"metrics": ["micro_f1", "macro_f1", "average_precision", "exact_match", "hamming_loss"]}
    one = {"num_classes": 2, "label": "stars", "sampling": "balanced", "metrics": ["accuracy", "auroc", "kappa"]}
    return {
        "tags": {"class_path": "MultiLabel", "init_args": {**shared, **sets, **metrics}},
        "stars": {"class_path": "Classification", "init_args": {**shared, **one}},
    }


@pytest.mark.slow
def test_two_processes_learn_and_score_what_one_does(tiny_project: Callable[..., Project], tmp_path: Path) -> None:
    changes = {"model.freeze_backbone": True, "model.optimizer.eps": 1e-3}  # else Adam turns rounding into whole steps
    project = tiny_project(tasks=tasks_over(tmp_path), **changes)

    project.compare_one_process_with_two()
    first, second = project.report(0), project.report(1)
    for task in ("tags", "stars"):
        assert second["metrics"][task] == pytest.approx(first["metrics"][task], rel=1e-3)
    assert first["data"]["stars"]["train"]["labelled"] == 9
    assert second["classes"] == first["classes"]
    assert project.predictions(0).keys() == project.predictions(1).keys()
