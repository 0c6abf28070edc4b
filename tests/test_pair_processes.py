"""Pairs, losses and teachers under several processes: each process here is a real one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.runs import Project

Projects = Callable[..., Project]
STILL = {"dropout": 0.0}  # dropout masks differ between processes


def without_dropout(head: str, **options: Any) -> dict[str, Any]:
    return {"class_path": head, "init_args": {**STILL, **options}}


def teacher_of(folder: Path) -> dict[str, Any]:
    """Write a teacher of the quora file's twelve training rows."""
    lines = [f"quora-{number:02d},{1 - number / 20},{number / 20}" for number in range(12)]
    (folder / "teacher.csv").write_text("\n".join(["id,0,1", *lines]) + "\n")
    return {"files": [str(folder / "teacher.csv")], "weight": 0.5, "temperature": 2.0}


@pytest.mark.slow
def test_two_processes_learn_what_one_does(tiny_project: Projects, tmp_path: Path) -> None:
    quora = {"head": without_dropout("LinearHead"), "swap": True, "average_orders": True}
    tasks = {
        "sst": {"head": without_dropout("LinearHead", loss={"class_path": "ContinuationRatio"})},
        "quora": {**quora, "teacher": teacher_of(tmp_path)},
        "sts": {"head": without_dropout("LinearHead"), "swap": True},
        "sts_bi": {
            **{"encoding": "bi", "head": without_dropout("CosineHead"), "swap": True, "in_mean": False},
            "teacher": {"task": "sts"},
        },
    }
    kinds = {name: name.removesuffix("_bi").capitalize() for name in tasks}
    named = {name: {"class_path": kinds[name], "init_args": options} for name, options in tasks.items()}
    changes = {"model.freeze_backbone": True, "model.optimizer.eps": 1e-3}  # else Adam turns rounding into whole steps
    project = tiny_project(tasks=named, **changes)  # batches of five: three rows and two

    project.compare_one_process_with_two()
    scores = project.report(0)["metrics"]
    assert set(scores) == {"sst", "quora", "sts", "sts_bi", "mean"}
    assert project.report(1)["metrics"]["sts_bi"]["loss"] == pytest.approx(scores["sts_bi"]["loss"], rel=1e-3)
    assert {name.split("-")[0] for name in project.predictions(1)} == {"sst", "quora", "sts", "sts_bi"}


@pytest.mark.slow
@pytest.mark.parametrize("batch_size", [5, 11])  # the last batch of eleven is one row: none for the second process
def test_two_processes_contrast_the_rows_of_both(tiny_project: Projects, still_backbone: Path, batch_size: int) -> None:
    ranking = {"class_path": "MultipleNegativesRanking", "init_args": {"symmetric": True}}
    auxiliary = [ranking, {"class_path": "SimCse"}, {"class_path": "CosineEmbedding"}]
    quora = {"encoding": "bi", "head": without_dropout("ConcatProductHead"), "auxiliary": auxiliary}
    sst = {"head": without_dropout("LinearHead"), "auxiliary": [{"class_path": "SimCse"}]}
    changes = {"model.optimizer.eps": 1e-3, "model.backbone": str(still_backbone)}
    tasks = {"quora": {"class_path": "Quora", "init_args": quora}, "sst": {"class_path": "Sst", "init_args": sst}}
    project = tiny_project(tasks=tasks, **{**changes, "data.batch_size": batch_size})

    project.compare_one_process_with_two()


@pytest.mark.slow
def test_two_processes_contrast_rows_in_half_precision(tiny_project: Projects) -> None:
    ranking = [{"class_path": "MultipleNegativesRanking"}, {"class_path": "SimCse"}, {"class_path": "CosineEmbedding"}]
    quora = {"class_path": "Quora", "init_args": {"encoding": "bi", "auxiliary": ranking}}
    changes = {"trainer.precision": "bf16-mixed", "trainer.accumulate_grad_batches": 2}
    project = tiny_project(tasks={"quora": quora, "sst": "Sst"}, **changes, **{"data.batch_size": 3})

    ended = project.run_ranks(2)

    assert {process.code for process in ended} == {0}, ended
    assert project.report(0)["metrics"]["quora"]["loss"] > 0
