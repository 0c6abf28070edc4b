"""Debiasing in real processes: a planted shortcut, a run that was killed, and two processes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import WORDS
from tests.runs import Project
from tests.same_end import assert_same_end, resume_after_kill

Projects = Callable[..., Project]
Remedies = dict[str, dict[str, Any]]


def remedy(name: str, **options: Any) -> dict[str, Any]:
    return {"class_path": name, "init_args": options}


def teacher_of(folder: Path) -> dict[str, Any]:
    """Write a teacher of the quora file's twelve training rows."""
    lines = [f"quora-{number:02d},{1 - number / 20},{number / 20}" for number in range(12)]
    (folder / "teacher.csv").write_text("\n".join(["id,0,1", *lines]) + "\n")
    return {"files": [str(folder / "teacher.csv")], "weight": 1.0}


def tasks_with(debias: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return both pair tasks without dropout in the head, whose masks differ between processes."""
    head = {"class_path": "LinearHead", "init_args": {"dropout": 0.0}}
    quora: dict[str, Any] = {"head": head, "debias": debias}
    if debias["class_path"] == "ConfidenceRegularization":
        return {"quora": {"class_path": "Quora", "init_args": {**quora, "teacher": teacher_of(folder)}}, "sst": "Sst"}
    return {
        "quora": {"class_path": "Quora", "init_args": quora},
        "sts": {"class_path": "Sts", "init_args": {"head": head, "debias": debias}},
    }


VARIANTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "product": (
        remedy("ProductOfExperts", strength=1.0, end_strength=0.2),
        {"trainer.precision": "bf16-mixed", "trainer.gradient_clip_val": 1.0, "data.num_workers": 1},
    ),
    "reweighting": (
        remedy("Reweighting", strength=0.7),
        {"trainer.accumulate_grad_batches": 2, "checkpoint.every_n_train_steps": 1, "model.regularizer": "RDrop"},
    ),
    "confidence": (remedy("ConfidenceRegularization", strength=1.0, end_strength=0.5), {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_killed_run_ends_as_the_whole_one(whole_run: Projects, tiny_project: Projects, variant: str, tmp_path: Path):
    debias, changes = VARIANTS[variant]
    changes = {**changes, "tasks": tasks_with(debias, tmp_path)}
    whole, project = whole_run(**changes), tiny_project(**changes)
    last = whole.report(0)["steps"] - 1

    version = resume_after_kill(project, "train_batch_end:3", f"train_batch_end:{last}")

    assert_same_end(whole, project, version)
    for task in changes["tasks"].values():
        if isinstance(task, dict):
            task["init_args"] = {**task["init_args"], "debias": None}
    plain = whole_run(**changes)
    assert whole.report(0)["weights_sha256"] != plain.report(0)["weights_sha256"]


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_two_processes_learn_what_one_does(tiny_project: Projects, variant: str, tmp_path: Path):
    tasks = tasks_with(VARIANTS[variant][0], tmp_path)
    changes = {"model.freeze_backbone": True, "model.optimizer.eps": 1e-3}  # else Adam turns rounding into whole steps
    project = tiny_project(tasks={name: task for name, task in tasks.items() if name != "sst"}, **changes)

    project.compare_one_process_with_two()
    assert project.report(1)["metrics"]["quora"]["loss"] == pytest.approx(
        project.report(0)["metrics"]["quora"]["loss"], rel=1e-3
    )


def plant(folder: Path) -> dict[str, Any]:
    """Write pairs of which nine in ten are labelled by whether they share their words, and return their task."""
    rows = []
    for number in range(160):
        first, other = (" ".join(WORDS[start : start + 5]) for start in (number % 9, 11 + number % 7))
        shares = number // 2 % 2
        rows.append(f"{number}\t{first}\t{first if shares else other}\t{shares if number % 10 else 1 - shares}")
    for split, chosen in (("train", rows), ("dev", rows[1:41])):
        (folder / f"{split}.tsv").write_text("\n".join(["id\tfirst\tsecond\tsame", *chosen]) + "\n")
    source = {split: str(folder / f"{split}.tsv") for split in ("train", "dev")}
    return {"source": source, "texts": ["first", "second"], "label": "same", "num_classes": 2, "id": "id"}


def follow_shortcut(project: Project, number: int) -> float:
    """Return how much more sure of "same" a run is of pairs that share their words than of others."""
    lines = project.predictions(number)["own-dev-probabilities.csv"].splitlines()[1:]
    yes = {int(line.split(",")[0]): float(line.split(",")[2]) for line in lines}
    means = [[share for row, share in yes.items() if row // 2 % 2 == shares] for shares in (0, 1)]
    return sum(means[1]) / len(means[1]) - sum(means[0]) / len(means[0])


def test_a_planted_shortcut_is_followed_less(tiny_project: Projects, tmp_path: Path):
    task = plant(tmp_path)
    project = tiny_project(
        **{
            "tasks": {"own": {"class_path": "PairClassification", "init_args": task}},
            "data.batch_size": 16,
            "model.optimizer.lr": 3e-3,
            "trainer.max_epochs": 8,
        }
    )
    weak = ("--tasks.own.debias", "ProductOfExperts", "--tasks.own.debias.strength", "1.0")
    for flags in ((), weak, ("--tasks.own.debias", "{class_path: Reweighting, init_args: {strength: 1.0}}")):
        ended = project.run(*flags)
        assert ended.code == 0, ended.output
    plain, product, reweighted = (follow_shortcut(project, number) for number in range(3))
    assert plain > 0.6
    assert abs(product) < 0.3 * plain
    assert reweighted < 0.7 * plain
