"""Gaps, sets of labels and weighted classes under several processes: each process here is a real one."""

from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from tests.runs import Project
from tests.tables import STILL

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


@pytest.mark.slow
def test_two_processes_learn_what_one_does_where_a_saved_teacher_answers_rows_without_a_label(
    tiny_project: Callable[..., Project], tmp_path: Path
) -> None:
    """Eleven rows in batches of five: the second process makes the last batch without a row of its own."""
    shared = {**tasks_over(tmp_path)["stars"]["init_args"], "sampling": "all", "head": STILL}
    lines = (tmp_path / "table.tsv").read_text().splitlines()[:12]
    (tmp_path / "table.tsv").write_text("\n".join(lines) + "\n")
    answers = [f"{row},{0.1 * (row % 7):.1f},{1 - 0.1 * (row % 7):.1f}" for row in range(11)]
    (tmp_path / "taught.csv").write_text("\n".join(["id,0,1", *answers]) + "\n")
    task = {
        "class_path": "Classification",
        "init_args": {**shared, "teacher": {"files": [str(tmp_path / "taught.csv")]}},
    }
    changes = {"model.freeze_backbone": True, "model.optimizer.eps": 1e-3, "trainer.accumulate_grad_batches": 2}
    project = tiny_project(tasks={"stars": task}, **changes)

    project.compare_one_process_with_two()

    known = {row for row in range(11) if STARS[row]}
    epochs = []
    for alone, *ranks in zip(project.trace(0), project.trace(1), project.trace(1, rank=1), strict=True):
        shares = [part["rows"] if part["weight"] else [] for part in ranks]
        assert sorted(chain(*shares)) == sorted(alone["rows"])
        counts = [len(known & set(rows)) for rows in shares]
        losses = [float.fromhex(part["loss"]) * count for part, count in zip(ranks, counts, strict=True)]
        expected = float.fromhex(alone["loss"]) * len(known & set(alone["rows"]))
        assert sum(losses) == pytest.approx(expected, abs=1e-4)
        epochs += alone["rows"]
    assert sorted(epochs) == sorted([*range(11)] * 3)
    first, second = project.report(0), project.report(1)
    assert second["data"]["stars"]["train"] == first["data"]["stars"]["train"]
    assert first["data"]["stars"]["train"]["labelled"] == len(known)
    assert second["metrics"]["stars"] == pytest.approx(first["metrics"]["stars"], rel=1e-3)
